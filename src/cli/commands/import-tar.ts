import { importTar as importArchive } from '../../archive/tar/import-tar.ts';
import { tarFilterOf } from '../../archive/tar/tar-filter.ts';
import { openSession } from '../../archive/session.ts';
import type { ChunkerParams } from '../../chunker/chunker-params.ts';
import type { CompressionSpec } from '../../compress/compression-spec.ts';
import { CommandError } from '../../errors.ts';
import { encodeSurrogateEscaped, removeSurrogates } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import { openerFor } from '../remote-options.ts';
import type { CommonArgs } from '../options/common.ts';
import { archiveOptions, commentOption, reportOptions } from '../options/create-options.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, parseLocation, type LocationArgs } from '../options/positionals.ts';
import { tarFilterOption } from '../options/tar-options.ts';
import { threadsOption, type ThreadsArgs } from '../options/threads.ts';
import { reportCreated, type StatisticsArgs } from '../output/created-archive.ts';

interface ImportTarArgs extends CommonArgs, LocationArgs, StatisticsArgs, ThreadsArgs {
  readonly tarFile: string;
  readonly tarFilter: string;
  readonly outputList: boolean;
  readonly outputFilter: string | undefined;
  readonly json: boolean;
  readonly ignoreZeros: boolean;
  readonly comment: string;
  readonly timestampNs: bigint | undefined;
  readonly checkpointInterval: number;
  readonly chunkerParams: ChunkerParams | undefined;
  readonly compression: CompressionSpec | undefined;
}

const STDIN_FD = 0;

export const importTar = defineCommand<ImportTarArgs>({
  name: 'import-tar',
  description: `
Makes an archive of what is in a tar, without unpacking it. Tars of V7, ustar, GNU and pax are read, sparse files too. Of
what pax headers may say, only names, owners, sizes and times get into the archive; of tars that "export-tar
--tar-format BORG" wrote, all metadata.

By default the name of TARFILE says what decompresses it: .tar.gz, .tgz: gzip -d; .tar.bz2, .tbz: bzip2 -d; .tar.xz,
.txz: xz -d; .tar.zst, .tar.zstd: zstd -d; .tar.lz4: lz4 -d. --tar-filter names another command, which reads TARFILE from
its standard input and prints a tar.

Where several tars stand one behind the other in TARFILE, --ignore-zeros takes in all of them.

--list prints a letter and a path for each file: A file, d directory, s symbolic link, h another name of a file, f named
pipe, b, c device, E what an archive can't have.`,
  positionals: [
    locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive to make', { archive: 'required' }),
    { metavar: 'TARFILE', dest: 'tarFile', arity: 'one', help: 'the tar; "-" is the standard input' },
  ],
  options: [
    optionGroup(
      'Options',
      { ...tarFilterOption, action: 'once' },
      ...reportOptions,
      flag('--ignore-zeros', 'ignoreZeros', 'go on behind blocks of zeros, and behind what is no tar'),
      threadsOption,
    ),
    {
      ...archiveOptions,
      // Taken as it is: Borg fills in nothing here.
      options: archiveOptions.options.map((option) =>
        option === commentOption ? { ...option, parse: (text: string) => text } : option,
      ),
    },
  ],
  examples: [
    { command: 'alcove import-tar /path/to/repo::old-server old-server.tar.gz', text: 'a compressed tar' },
    {
      command: 'ssh host "tar c /etc" | alcove import-tar /path/to/repo::host-etc -',
      text: 'files of another machine',
    },
  ],

  check: ({ stats, quickStats }) =>
    stats && quickStats ? '--stats and --quick-stats are mutually exclusive.' : undefined,

  async run(ctx, args) {
    const { location, timestampNs, tarFile, tarFilter } = args;
    // With --timestamp, {now} in the archive's name is that time.
    const named =
      timestampNs === undefined
        ? location
        : await parseLocation(location.raw, ctx.io, { archive: 'required' }, timestampNs);
    const name = named.archive!;
    if (!name.isWellFormed()) throw new CommandError(['the name of an archive has to be UTF-8']);
    await using session = await openSession(ctx, named, {
      operations: ['write'],
      exclusive: true,
      secure: false,
      lockWaitSeconds: args.lockWait,
      compression: args.compression,
      open: openerFor(ctx, args),
    });
    await importArchive(session, {
      name,
      file: tarFile === '-' ? { fd: STDIN_FD } : { path: encodeSurrogateEscaped(tarFile) },
      filter: tarFilter === 'auto' ? tarFilterOf(tarFile, 'decompress') : tarFilter,
      ignoreZeros: args.ignoreZeros,
      cmdline: ctx.io.commandLine.map(removeSurrogates),
      comment: removeSurrogates(args.comment),
      timestampNs,
      chunkerParams: args.chunkerParams,
      checkpointIntervalSeconds: args.checkpointInterval,
      threads: args.threads,
      progress: ctx.progress,
      onCreated: (archive, cache) => reportCreated(ctx, session, cache, archive, args),
    });
  },
});
