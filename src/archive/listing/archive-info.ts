/**
 * What `info` says about one archive, for people and as JSON.
 *
 * Source: Borg 1.4.5, archive.py, Archive.info; archiver.py, _info_archives.
 */
import { MAX_DATA_SIZE_BYTES } from '../../format/segment.ts';
import type { Context } from '../../util/context.ts';
import { formatDuration } from '../../util/duration.ts';
import { JsonFloat, type JsonValue } from '../../util/json-text.ts';
import { formatFixed } from '../../util/python-float.ts';
import { joinShellWords } from '../../util/shell-quote.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';
import { archiveLocalTime, formatIsoTime, formatTime } from '../../util/wall-time.ts';
import type { ArchiveStream, StreamChunk } from '../archives-ahead.ts';
import {
  archiveStatistics,
  formatStatisticsRow,
  STATISTICS_HEADER,
  type StatisticsCache,
} from './archive-statistics.ts';
import type { Statistics } from '../statistics.ts';

export interface ArchiveInfo {
  readonly name: string;
  readonly idHex: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly statistics: Statistics;
  /** How much of the largest possible archive metadata object it takes, 0 to 1. */
  readonly sizeUtilization: number;
  readonly commandLine: readonly string[];
  readonly cwd: string;
  readonly hostname: string;
  readonly username: string;
  readonly comment: string;
  /** Empty where the archive does not say. */
  readonly chunkerParams: readonly (string | number)[];
}

/** Reads all of the archive's metadata, to see what it shares with others. */
export async function archiveInfo(
  ctx: Context,
  { archive, chunks }: Pick<ArchiveStream, 'archive' | 'chunks'>,
  cache: StatisticsCache,
): Promise<ArchiveInfo> {
  const { metadata } = archive;
  const statistics = await archiveStatistics(ctx, archive, cache, {
    unique: true,
    stream: plaintexts(chunks()),
  });
  return {
    name: archive.name,
    idHex: archive.idHex,
    startNs: archive.startNs,
    endNs: archive.endNs,
    statistics,
    sizeUtilization: (cache.chunks.get(archive.id)?.csizeBytes ?? 0) / MAX_DATA_SIZE_BYTES,
    commandLine: metadata.cmdline,
    cwd: metadata.cwd ?? '',
    hostname: metadata.hostname ?? '',
    username: metadata.username ?? '',
    comment: archive.comment,
    chunkerParams: normalizeChunkerParams(metadata.chunkerParams),
  };
}

async function* plaintexts(chunks: AsyncIterable<StreamChunk>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { plaintext } of chunks) yield plaintext;
}

/** Before Borg 1.2 there was one chunker, which was not named. */
export function normalizeChunkerParams(
  params: readonly (string | number)[] | undefined,
): readonly (string | number)[] {
  if (params === undefined) return [];
  return params.length === 4 && typeof params[0] === 'number' ? ['buzhash', ...params] : params;
}

/** The archive's entry in the JSON of `info`. */
export function archiveInfoJson(info: ArchiveInfo): Record<string, JsonValue> {
  return {
    name: info.name,
    id: info.idHex,
    start: isoTime(info.startNs),
    end: isoTime(info.endNs),
    duration: new JsonFloat(Number((info.endNs - info.startNs) / 1000n) / 1e6),
    stats: statisticsJson(info.statistics),
    limits: { max_archive_size: new JsonFloat(info.sizeUtilization) },
    command_line: info.commandLine,
    cwd: info.cwd,
    hostname: info.hostname,
    username: info.username,
    comment: info.comment,
    chunker_params: info.chunkerParams.length === 0 ? '' : info.chunkerParams,
  };
}

export function statisticsJson(statistics: Statistics): Record<string, JsonValue> {
  return {
    original_size: statistics.originalSizeBytes,
    compressed_size: statistics.compressedSizeBytes,
    deduplicated_size: statistics.deduplicatedSizeBytes,
    nfiles: statistics.files,
  };
}

/** The archive as text, without the rows about the whole repository below it. */
export function formatArchiveInfo(info: ArchiveInfo, options: { iec?: boolean } = {}): string {
  const { statistics } = info;
  const text = [
    `Archive name: ${info.name}`,
    `Archive fingerprint: ${info.idHex}`,
    `Comment: ${info.comment}`,
    `Hostname: ${info.hostname}`,
    `Username: ${info.username}`,
    `Time (start): ${humanTime(info.startNs)}`,
    `Time (end): ${humanTime(info.endNs)}`,
    `Duration: ${formatDuration((info.endNs - info.startNs) / 1000n)}`,
    `Number of files: ${statistics.files}`,
    `Working Directory: ${info.cwd}`,
    `Command line: ${joinShellWords(info.commandLine)}`,
    `Utilization of maximum supported archive size: ${formatFixed(info.sizeUtilization * 100, 0)}%`,
    '-'.repeat(78),
    STATISTICS_HEADER,
    formatStatisticsRow('This archive:', sizesOf(statistics), options),
  ];
  return removeSurrogates(text.join('\n'));
}

export function sizesOf(statistics: Statistics): [number, number, number] {
  const { originalSizeBytes, compressedSizeBytes, deduplicatedSizeBytes } = statistics;
  return [originalSizeBytes, compressedSizeBytes, deduplicatedSizeBytes];
}

function humanTime(timeNs: bigint): string {
  return formatTime(archiveLocalTime(timeNs / 1000n));
}

function isoTime(timeNs: bigint): string {
  return formatIsoTime(archiveLocalTime(timeNs / 1000n));
}
