/**
 * Sizes of archives that are there already, each alone and all together.
 *
 * Source: Borg 1.4.5, archive.py, Archive.calc_stats; cache.py, CacheStatsMixin.
 */
import type { Context } from '../../util/context.ts';
import { formatFileSize } from '../../util/file-size.ts';
import type { Archive, ArchiveOptions, ArchiveSource } from '../archive.ts';
import { openArchives } from '../archives-ahead.ts';
import { ChunkIndex } from '../cache/chunk-index.ts';
import { ReferenceCounter } from '../cache/reference-counter.ts';
import { Statistics, type RawStatistics } from '../statistics.ts';

/** What is needed of a chunks cache. */
export interface StatisticsCache {
  readonly chunks: ChunkIndex;
  /** Sizes of archives whose metadata lacks them, by archive id; filled here. */
  readonly preBorg12Metadata?: Map<string, RawStatistics> | undefined;
}

/** Sizes of the repository as a whole. */
export interface RepositoryStatistics {
  readonly totalSizeBytes: number;
  readonly totalCsizeBytes: number;
  readonly uniqueSizeBytes: number;
  readonly uniqueCsizeBytes: number;
  readonly uniqueChunks: number;
  readonly totalChunks: number;
}

export interface StatisticsOptions {
  readonly unique: boolean;
  /** The archive's item stream, where somebody reads it already. */
  readonly stream?: AsyncIterable<Uint8Array>;
}

/**
 * The archive's sizes. The deduplicated one, what would become free if only this archive went, is counted only with
 * `unique`, since that reads all of the archive's metadata.
 */
export async function archiveStatistics(
  ctx: Context,
  archive: Archive,
  cache: StatisticsCache,
  options: StatisticsOptions = { unique: true },
): Promise<Statistics> {
  const recorded = recordedStatistics(archive);
  if (!options.unique) {
    const known = recorded ?? cachedStatistics(archive, cache);
    if (known !== undefined) return known;
  }
  const index = new ChunkIndex();
  const counter = new ReferenceCounter(index);
  const stream = options.stream ?? archive.reader.readMany(archive.metadata.items);
  await countReferences(ctx, archive, stream, counter);
  const statistics = recorded ?? countedStatistics(archive, counter);
  // Sizes are counted also where the archive was written by a Borg that recorded none.
  if (recorded === undefined) cache.preBorg12Metadata?.set(archive.idHex, statistics.toRaw());
  statistics.deduplicatedSizeBytes = options.unique ? index.statsAgainst(cache.chunks).uniqueCsizeBytes : 0;
  return statistics;
}

/** Adds up all archives; reads each one's metadata object. */
export async function repositoryStatistics(
  ctx: Context,
  source: ArchiveSource & { readonly manifest: { readonly archives: ReadonlyMap<string, unknown> } },
  cache: StatisticsCache,
  options: ArchiveOptions = {},
): Promise<RepositoryStatistics> {
  const summary = cache.chunks.summarize();
  let totalSizeBytes = 0;
  let totalCsizeBytes = 0;
  for await (const archive of openArchives(source, source.manifest.archives.keys(), options)) {
    ctx.signal.throwIfAborted();
    const statistics = await archiveStatistics(ctx, archive, cache, { unique: false });
    totalSizeBytes += statistics.originalSizeBytes;
    totalCsizeBytes += statistics.compressedSizeBytes;
  }
  return {
    totalSizeBytes,
    totalCsizeBytes,
    uniqueSizeBytes: summary.uniqueSizeBytes,
    uniqueCsizeBytes: summary.uniqueCsizeBytes,
    uniqueChunks: summary.uniqueChunks,
    totalChunks: summary.chunks,
  };
}

/** The heading of the table of sizes. */
export const STATISTICS_HEADER =
  '                       Original size      Compressed size    Deduplicated size';

/** One row of it. */
export function formatStatisticsRow(
  label: string,
  sizes: readonly [originalBytes: number, compressedBytes: number, deduplicatedBytes: number],
  options: { iec?: boolean } = {},
): string {
  const columns = sizes.map((sizeBytes) => formatFileSize(sizeBytes, options).padStart(20));
  return `${label.padEnd(15)} ${columns.join(' ')}`;
}

/** The row of all archives, and below it how many chunks there are. */
export function formatRepositoryStatistics(
  statistics: RepositoryStatistics,
  options: { iec?: boolean; kind?: 'local' | 'ad-hoc' } = {},
): string {
  const { totalSizeBytes, totalCsizeBytes, uniqueCsizeBytes, uniqueChunks, totalChunks } = statistics;
  // An ad-hoc cache counts only the references that it made itself.
  const partial = options.kind === 'ad-hoc';
  const all = partial
    ? 'All archives:                unknown              unknown              unknown'
    : formatStatisticsRow('All archives:', [totalSizeBytes, totalCsizeBytes, uniqueCsizeBytes], options);
  const total = partial ? '             unknown' : String(totalChunks).padStart(20);
  return [
    all,
    '',
    '                       Unique chunks         Total chunks',
    `Chunk index:    ${String(uniqueChunks).padStart(20)} ${total}`,
  ].join('\n');
}

async function countReferences(
  ctx: Context,
  archive: Archive,
  stream: AsyncIterable<Uint8Array>,
  counter: ReferenceCounter,
): Promise<void> {
  const progress = ctx.reporter.percent(
    'archive.calc_stats',
    `Calculating statistics for archive ${archive.name.replaceAll('%', '%%')} ... %3.0f%%`,
    archive.metadata.items.length,
  );
  for await (const data of stream) {
    ctx.signal.throwIfAborted();
    progress.advance();
    counter.feed(data);
  }
  progress.finish();
}

/** Since Borg 1.2 archives carry their own sizes. */
function recordedStatistics(archive: Archive): Statistics | undefined {
  const { nfiles, size, csize, nfilesParts, sizeParts, csizeParts } = archive.metadata;
  if (nfiles === undefined) return undefined;
  const parts = archive.considerPartFiles;
  const statistics = new Statistics();
  statistics.files = nfiles + (parts ? (nfilesParts ?? 0) : 0);
  statistics.originalSizeBytes = (size ?? 0) + (parts ? (sizeParts ?? 0) : 0);
  statistics.compressedSizeBytes = (csize ?? 0) + (parts ? (csizeParts ?? 0) : 0);
  return statistics;
}

function cachedStatistics(archive: Archive, cache: StatisticsCache): Statistics | undefined {
  const raw = cache.preBorg12Metadata?.get(archive.idHex);
  return raw === undefined ? undefined : Statistics.fromRaw(raw);
}

function countedStatistics(archive: Archive, counter: ReferenceCounter): Statistics {
  const parts = archive.considerPartFiles;
  const statistics = new Statistics();
  statistics.files = counter.totalFiles - (parts ? 0 : counter.partFiles);
  statistics.originalSizeBytes = counter.totalSizeBytes - (parts ? 0 : counter.partSizeBytes);
  statistics.compressedSizeBytes = counter.totalCsizeBytes - (parts ? 0 : counter.partCsizeBytes);
  return statistics;
}
