import type { ChunksCache } from '../../archive/cache/chunks-cache.ts';
import type { CreatedArchive } from '../../archive/create/create.ts';
import { sizesOf } from '../../archive/listing/archive-info.ts';
import {
  formatRepositoryStatistics,
  formatStatisticsRow,
  repositoryStatistics,
} from '../../archive/listing/archive-statistics.ts';
import type { RecompressMode } from '../../archive/recreate/chunk-rewriter.ts';
import {
  recreateArchive,
  recreateArchives,
  type RecreateAllOptions,
} from '../../archive/recreate/recreate.ts';
import type { Session } from '../../archive/session.ts';
import type { ChunkerParams } from '../../chunker/chunker-params.ts';
import type { CompressionSpec } from '../../compress/compression-spec.ts';
import { CommandError } from '../../errors.ts';
import { MAX_DATA_SIZE_BYTES } from '../../format/segment.ts';
import { encodeSurrogateEscaped, removeSurrogates } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import {
  checkpointOption,
  chunkerParamsOption,
  commentOption,
  compressionOption,
  outputFilterOption,
  timestampOption,
} from '../options/create-options.ts';
import { buildMatcher, exclusionOptions, tagFileOptions, type ExclusionArgs } from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, parseArchiveName, pathsOf, type LocationArgs } from '../options/positionals.ts';
import { threadsOption, type ThreadsArgs } from '../options/threads.ts';
import { archiveSummaryLines } from '../output/archive-summary.ts';
import { logStatistics } from '../output/log-statistics.ts';

interface RecreateArgs extends CommonArgs, ExclusionArgs, LocationArgs, ThreadsArgs {
  readonly outputList: boolean;
  readonly outputFilter: string | undefined;
  readonly dryRun: boolean;
  readonly stats: boolean;
  readonly excludeCaches: boolean;
  readonly excludeIfPresent: readonly string[];
  readonly keepExcludeTags: boolean;
  readonly target: string | undefined;
  readonly checkpointInterval: number;
  readonly comment: string | undefined;
  readonly timestampNs: bigint | undefined;
  readonly compression: CompressionSpec | undefined;
  readonly recompress: RecompressMode;
  readonly chunkerParams: ChunkerParams | undefined;
  readonly paths: readonly string[];
}

export const recreate = defineCommand<RecreateArgs>({
  name: 'recreate',
  description: `
Makes an archive, or all archives of a repository, again: without what patterns leave out, with another compression, cut
in another way, or with another comment or time. What is left out is gone for good, unless --target keeps the old archive:
look with --dry-run --list first. Patterns and PATHs are about the paths that "list" shows.

The old archive goes when the new one is complete. Until then that is called NAME.recreate; where a run was ended by
force, such an archive may be left and can be deleted. Space becomes free with "compact".

--recompress needs room for all chunks that change. Sizes that other archives show for these chunks stay the old ones.

--list prints a letter and a path for each file, as "create" does: x is left out, - would be taken over (--dry-run).`,
  positionals: [
    locationOf('REPOSITORY_OR_ARCHIVE', 'the repository, or an archive', { optional: true }),
    pathsOf('what to take over (default: all); patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      flag('--list', 'outputList', 'print a line for each file'),
      outputFilterOption,
      flag(['-n', '--dry-run'], 'dryRun', 'change nothing'),
      flag(['-s', '--stats'], 'stats', 'print sizes of the new archive and of the repository'),
      threadsOption,
    ),
    optionGroup('Include and exclude options', ...exclusionOptions, ...tagFileOptions),
    optionGroup(
      'Archive options',
      {
        flags: ['--target'],
        dest: 'target',
        metavar: 'TARGET',
        parse: parseArchiveName,
        help: 'call the new archive TARGET and keep the old one (for a single archive)',
      },
      checkpointOption,
      { ...commentOption, fallback: undefined, help: 'give the archive another text' },
      timestampOption,
      compressionOption,
      {
        flags: ['--recompress'],
        dest: 'recompress',
        metavar: 'MODE',
        impliedText: 'if-different',
        choices: ['never', 'if-different', 'always'],
        fallback: 'never',
        help: 'compress chunks again with --compression: if-different (those of another algorithm; default if no MODE is given), always, never',
      },
      {
        ...chunkerParamsOption,
        help: 'cut files anew: ALGO,CHUNK_MIN_EXP,CHUNK_MAX_EXP,HASH_MASK_BITS,HASH_WINDOW_SIZE, or "default"',
      },
    ),
  ],
  examples: [
    {
      command: "alcove recreate --list --dry-run --exclude '*.iso' /path/to/repo",
      text: 'see what leaving out files would do',
    },
    {
      command: 'alcove recreate --recompress -C zstd,10 /path/to/repo::monday',
      text: 'another compression',
    },
    {
      command: 'alcove recreate --target home-only /path/to/repo::monday home',
      text: 'an archive of a part of another one',
    },
  ],

  async run(ctx, args) {
    if (args.target?.isWellFormed() === false) {
      throw new CommandError(['the name of an archive has to be UTF-8']);
    }
    await using session = await openSessionAt(ctx, args, {
      operations: ['check'],
      exclusive: true,
      secure: false,
      compression: args.compression,
    });
    const options = optionsOf(ctx, session, args);
    const { archive } = args.location;
    if (archive === undefined) {
      if (args.target !== undefined) throw new CommandError(['--target: Need to specify single archive']);
      await recreateArchives(session, options);
    } else if (!(await recreateArchive(session, archive, { ...options, target: args.target }))) {
      throw new CommandError([
        'Nothing to do. Archive was not processed.\n' +
          'Specify at least one pattern, PATH, --comment, re-compression or re-chunking option.',
      ]);
    }
  },
});

function optionsOf(ctx: CliContext, session: Session, args: RecreateArgs): RecreateAllOptions {
  const cmdline = ctx.io.commandLine.map(removeSurrogates);
  return {
    matcher: buildMatcher(args),
    excludeCaches: args.excludeCaches,
    excludeIfPresent: args.excludeIfPresent.map(encodeSurrogateEscaped),
    keepExcludeTags: args.keepExcludeTags,
    recompress: args.recompress,
    chunkerParams: args.chunkerParams,
    comment: args.comment === undefined ? undefined : removeSurrogates(args.comment),
    timestampNs: args.timestampNs,
    cmdline,
    dryRun: args.dryRun,
    threads: args.threads,
    checkpointIntervalSeconds: args.checkpointInterval,
    progress: ctx.progress,
    onArchive: (name) => ctx.print(encodeSurrogateEscaped(`Processing ${name}\n`)),
    onSkipped: (name) => {
      const text = `Skipped archive ${name}: Nothing to do. Archive was not processed.`;
      ctx.reporter.log('info', text);
    },
    onRecreated: async (archive, cache) => {
      if (args.stats) await logRecreated(ctx, session, cache, archive, { iec: args.iec, cmdline });
    },
  };
}

async function logRecreated(
  ctx: CliContext,
  session: Session,
  cache: ChunksCache,
  archive: CreatedArchive,
  { iec, cmdline }: { readonly iec: boolean; readonly cmdline: readonly string[] },
): Promise<void> {
  logStatistics(ctx, [
    ...archiveSummaryLines({
      ...archive,
      location: session.repository.location,
      sizeUtilization: (cache.chunks.get(archive.id)?.csizeBytes ?? 0) / MAX_DATA_SIZE_BYTES,
      commandLine: cmdline,
    }),
    '-'.repeat(78),
    formatStatisticsRow('This archive:', sizesOf(archive.statistics), { iec }),
    formatRepositoryStatistics(await repositoryStatistics(ctx, session, cache), { iec }),
  ]);
}
