import { Archive } from '../../archive/archive.ts';
import { extractArchive } from '../../archive/extract/extract.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { noFlagsOptions, numericIdsOptions } from '../options/create-options.ts';
import {
  buildMatcher,
  exclusionOptions,
  stripComponentsOption,
  type ExclusionArgs,
} from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, pathsOf, type LocationArgs } from '../options/positionals.ts';
import { threadsOption, type ThreadsArgs } from '../options/threads.ts';

interface ExtractArgs extends CommonArgs, LocationArgs, ExclusionArgs, ThreadsArgs {
  readonly outputList: boolean;
  readonly dryRun: boolean;
  readonly numericIds: boolean;
  readonly noFlags: boolean;
  readonly noAcls: boolean;
  readonly noXattrs: boolean;
  readonly stdout: boolean;
  readonly sparse: boolean;
  readonly stripComponents: number;
  readonly paths: readonly string[];
}

export const extract = defineCommand<ExtractArgs>({
  name: 'extract',
  description: `
Writes the files of an archive below the directory that you are in, all of them or those that PATH arguments and patterns
say. Files that are there already are overwritten.

PATH arguments are paths as "list" shows them, without a slash in front.`,
  positionals: [
    locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive', { archive: 'required' }),
    pathsOf('what to bring back; patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      flag('--list', 'outputList', 'print the path of each file'),
      flag(['-n', '--dry-run'], 'dryRun', 'write nothing, only read and verify'),
      ...numericIdsOptions,
      ...noFlagsOptions,
      flag('--noacls', 'noAcls', 'leave out access control lists'),
      flag('--noxattrs', 'noXattrs', 'leave out extended attributes'),
      flag('--stdout', 'stdout', 'write the contents of files to the standard output'),
      flag('--sparse', 'sparse', 'make holes of what is all zeros'),
      threadsOption,
    ),
    optionGroup('Include and exclude options', ...exclusionOptions, stripComponentsOption),
  ],
  examples: [
    { command: 'alcove extract /path/to/repo::monday', text: 'everything' },
    { command: 'alcove extract /path/to/repo::monday home/anna/notes', text: 'one directory' },
    { command: 'alcove extract --dry-run /path/to/repo::monday', text: 'see whether all of it can be read' },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    const matcher = buildMatcher(args);
    await using session = await openSessionAt(ctx, args, { operations: ['read'] });
    const { considerPartFiles } = args;
    const archive = await Archive.open(session, args.location.archive!, { considerPartFiles });
    await extractArchive(ctx, archive, {
      matcher,
      stripComponents: args.stripComponents,
      dryRun: args.dryRun,
      list: args.outputList,
      toStream: args.stdout ? (data) => ctx.printMuch(data) : undefined,
      progress: ctx.progress,
      numericIds: args.numericIds,
      noFlags: args.noFlags,
      noAcls: args.noAcls,
      noXattrs: args.noXattrs,
      sparse: args.sparse,
      threads: args.threads,
    });
  },
});
