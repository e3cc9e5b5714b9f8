import { Archive } from '../../archive/archive.ts';
import { exportTar as exportArchive } from '../../archive/tar/export-tar.ts';
import type { TarFormat } from '../../archive/tar/member-header.ts';
import { tarFilterOf } from '../../archive/tar/tar-filter.ts';
import { encodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import {
  buildMatcher,
  exclusionOptions,
  stripComponentsOption,
  type ExclusionArgs,
} from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, pathsOf, type LocationArgs } from '../options/positionals.ts';
import { tarFilterOption } from '../options/tar-options.ts';
import { threadsOption, type ThreadsArgs } from '../options/threads.ts';

interface ExportTarArgs extends CommonArgs, LocationArgs, ExclusionArgs, ThreadsArgs {
  readonly tarFile: string;
  readonly tarFilter: string;
  readonly tarFormat: TarFormat;
  readonly outputList: boolean;
  readonly stripComponents: number;
  readonly paths: readonly string[];
}

const STDOUT_FD = 1;

export const exportTar = defineCommand<ExportTarArgs>({
  name: 'export-tar',
  description: `
Writes an archive as a tar, all of it or what PATH arguments and patterns say.

By default the name of FILE says what compresses it: .tar.gz, .tgz: gzip; .tar.bz2, .tbz: bzip2; .tar.xz, .txz: xz;
.tar.zst, .tar.zstd: zstd; .tar.lz4: lz4. --tar-filter names another command, which reads the tar from its standard input
and writes what goes into FILE.

What a tar holds depends on --tar-format:

 GNU   contents, owners, modes, and times in whole seconds; the default, and what Borg writes
 PAX   also times in nanoseconds, extended attributes and ACLs, for programs that know such tars, as GNU tar does
 BORG  as PAX, and all other metadata, which "import-tar" of this program takes back in

Only BORG loses nothing. Sparse files are written with all their zeros.`,
  positionals: [
    locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive', { archive: 'required' }),
    {
      metavar: 'FILE',
      dest: 'tarFile',
      arity: 'one',
      help: 'the tar to write; "-" is the standard output',
    },
    pathsOf('what to export; patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      tarFilterOption,
      {
        flags: ['--tar-format'],
        dest: 'tarFormat',
        metavar: 'FORMAT',
        choices: ['GNU', 'PAX', 'BORG'],
        fallback: 'GNU',
        beyondBorg: true,
        help: 'GNU, PAX or BORG (default: GNU)',
      },
      flag('--list', 'outputList', 'print the path of each file'),
      threadsOption,
    ),
    optionGroup('Include and exclude options', ...exclusionOptions, stripComponentsOption),
  ],
  examples: [
    { command: 'alcove export-tar /path/to/repo::monday monday.tar.zst', text: 'compressed' },
    {
      command: 'alcove export-tar --tar-filter "gzip -9" /path/to/repo::monday monday.tar.gz',
      text: 'compressed as well as gzip can',
    },
    {
      command: 'alcove export-tar /path/to/repo::monday - | ssh host "cd /tmp && tar x"',
      text: 'unpacked on another machine',
    },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    const matcher = buildMatcher(args);
    await using session = await openSessionAt(ctx, args, { operations: ['read'] });
    const { considerPartFiles, tarFile, tarFilter } = args;
    const archive = await Archive.open(session, args.location.archive!, { considerPartFiles });
    await exportArchive(ctx, archive, {
      file: tarFile === '-' ? { fd: STDOUT_FD } : { path: encodeSurrogateEscaped(tarFile) },
      filter: tarFilter === 'auto' ? tarFilterOf(tarFile, 'compress') : tarFilter,
      format: args.tarFormat,
      matcher,
      stripComponents: args.stripComponents,
      list: args.outputList,
      threads: args.threads,
      progress: ctx.progress,
    });
  },
});
