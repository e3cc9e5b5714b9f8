/** What `create` and `import-tar` say about the archive that they made. Source: Borg 1.4.5 archiver.py, print_archive_stats. */
import { cacheDirectory } from '../../archive/cache/local-cache.ts';
import type { ChunksCache } from '../../archive/cache/chunks-cache.ts';
import type { CreatedArchive } from '../../archive/create/create.ts';
import { archiveInfoJson } from '../../archive/listing/archive-info.ts';
import {
  formatRepositoryStatistics,
  formatStatisticsRow,
  repositoryStatistics,
  STATISTICS_HEADER,
} from '../../archive/listing/archive-statistics.ts';
import { basicJsonData, cacheJson } from '../../archive/listing/repository-info.ts';
import type { Session } from '../../archive/session.ts';
import { MAX_DATA_SIZE_BYTES } from '../../format/segment.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';
import type { CliContext } from '../context.ts';
import { archiveSummaryLines, type ArchiveSummary } from './archive-summary.ts';
import { logStatistics } from './log-statistics.ts';
import { printJson } from './print-json.ts';

/** What to print about the archive. */
export interface StatisticsArgs {
  readonly stats: boolean;
  readonly quickStats: boolean;
}

/** Logs sizes, or prints JSON, as the arguments ask for. */
export async function reportCreated(
  ctx: CliContext,
  session: Session,
  cache: ChunksCache,
  archive: CreatedArchive,
  args: StatisticsArgs & { readonly json: boolean; readonly iec: boolean },
): Promise<void> {
  if (!args.json && !args.stats && !args.quickStats) return;
  const summary = summaryOf(session, archive, cache, ctx.io.commandLine.map(removeSurrogates));
  if (args.json) await printCreated(ctx, session, cache, summary, args.quickStats);
  else await logCreated(ctx, session, cache, summary, args);
}

function summaryOf(
  session: Session,
  archive: CreatedArchive,
  cache: ChunksCache,
  commandLine: readonly string[],
): ArchiveSummary {
  return {
    ...archive,
    location: session.repository.location,
    sizeUtilization: (cache.chunks.get(archive.id)?.csizeBytes ?? 0) / MAX_DATA_SIZE_BYTES,
    commandLine,
  };
}

async function logCreated(
  ctx: CliContext,
  session: Session,
  cache: ChunksCache,
  summary: ArchiveSummary,
  { quickStats, iec }: StatisticsArgs & { readonly iec: boolean },
): Promise<void> {
  const { originalSizeBytes, compressedSizeBytes, deduplicatedSizeBytes } = summary.statistics;
  const sizes = [originalSizeBytes, compressedSizeBytes, deduplicatedSizeBytes] as const;
  const ruler = '-'.repeat(78);
  const all = quickStats
    ? []
    : [
        formatRepositoryStatistics(await repositoryStatistics(ctx, session, cache), {
          iec,
          kind: cache.kind,
        }),
      ];
  logStatistics(ctx, [
    ...archiveSummaryLines(summary),
    ruler,
    STATISTICS_HEADER,
    formatStatisticsRow('This archive:', sizes, { iec }),
    ...all,
  ]);
}

async function printCreated(
  ctx: CliContext,
  session: Session,
  cache: ChunksCache,
  summary: ArchiveSummary,
  quickStats: boolean,
): Promise<void> {
  const path = cache.kind === 'local' ? cacheDirectory(ctx, session.repository.idHex).path : undefined;
  const cacheData = quickStats ? undefined : cacheJson(await repositoryStatistics(ctx, session, cache), path);
  const { name, id, start, end, duration, stats, limits, command_line } = archiveInfoJson({
    ...summary,
    idHex: Buffer.from(summary.id).toString('hex'),
    cwd: '',
    hostname: '',
    username: '',
    comment: '',
    chunkerParams: [],
  });
  const { verification } = summary;
  const verified = verification && { files_cache_verified: { ...verification } };
  const archive = { name, id, start, end, duration, stats, limits, command_line, ...verified };
  printJson(ctx, { ...basicJsonData(session.manifest, cacheData), archive });
}
