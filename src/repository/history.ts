/**
 * The transactions that the log still holds. Each ends with a COMMIT; its number is that of the segment with the COMMIT.
 *
 * A compaction removes segments, and with them what earlier transactions need. It leaves no record of that, other than
 * missing numbers of segments. What is no compaction can be told, however: a command replaces the manifest, by a DELETE
 * and a PUT, while compaction copies no DELETE of what is there. See docs/decisions/rollback.md.
 */
import { IntegrityError } from '../errors.ts';
import { TAG_COMMIT, TAG_PUT } from '../format/segment.ts';
import type { EntryPlace } from '../format/segment.ts';
import { isReadError } from '../store/store.ts';
import { equalBytes } from '../util/bytes.ts';
import type { Reporter } from '../util/reporter.ts';
import { MANIFEST_ID } from './repository.ts';
import type { SegmentLog } from './segment-log.ts';
import { readTransactionTimes } from './transaction-log.ts';

export interface LoggedTransaction {
  readonly transactionId: number;
  /** Of its segments that are there. */
  readonly segmentCount: number;
  readonly sizeBytes: number;
  /** When it was committed, as the file `transactions` says, which only append-only repositories have. */
  readonly loggedNs: bigint | undefined;
  /** When its last segment was written, by the file system. */
  readonly modifiedNs: bigint | undefined;
  /** The last manifest that it wrote. */
  readonly manifest: EntryPlace | undefined;
  /** Compaction has taken nothing away of what the repository held then, so that one can go back to it. */
  readonly isComplete: boolean;
}

interface ManifestEntries {
  /** The last PUT. */
  readonly manifest: EntryPlace | undefined;
  /** There is a DELETE of the one before. */
  readonly replacesManifest: boolean;
}

interface Found extends Omit<LoggedTransaction, 'isComplete'>, ManifestEntries {
  /** Segments are missing in it, or a COMMIT among them is damaged, so that it may be more than one. */
  readonly hasGap: boolean;
}

/** A segment that holds a COMMIT and nothing else. */
const COMMIT_ONLY_SIZE_BYTES = 17;

/**
 * The oldest first. What no COMMIT follows does not count. Where a COMMIT can't be read, that is told: its transaction is
 * not there, and what it did counts for the next one.
 */
export function readHistory(log: SegmentLog, reporter: Reporter): LoggedTransaction[] {
  return markComplete(findTransactions(log, reporter));
}

/** A manifest of the history, sealed. Throws an IntegrityError. */
export function readManifest(log: SegmentLog, { segment, offset }: EntryPlace): Uint8Array {
  return log.readPut(segment, offset, MANIFEST_ID);
}

function findTransactions(log: SegmentLog, reporter: Reporter): Found[] {
  const { store } = log.files;
  const times = readTransactionTimes(store);
  const found: Found[] = [];
  let segments: number[] = [];
  let first = 0;
  let startSegments = false;
  let isDamaged = false;
  for (const segment of log.files.ascending()) {
    if (!log.files.exists(segment)) continue;
    segments.push(segment);
    const committed = isCommitted(log, segment, reporter);
    isDamaged ||= committed === undefined;
    if (committed !== true) continue;
    // Each manifest starts a segment, unless Borg 1.0 wrote it.
    let entries = manifestIn(log, segments, 1);
    if (entries.manifest !== undefined) startSegments = true;
    else if (!startSegments) entries = manifestIn(log, segments, Infinity);
    found.push({
      transactionId: segment,
      segmentCount: segments.length,
      sizeBytes: segments.reduce((sum, each) => sum + (log.files.sizeBytes(each) ?? 0), 0),
      loggedNs: times.get(segment),
      modifiedNs: store.modifiedNs?.(log.files.path(segment)),
      ...entries,
      hasGap: isDamaged || segments.length !== segment - first + 1,
    });
    first = segment + 1;
    isDamaged = false;
    segments = [];
  }
  return found;
}

function markComplete(found: readonly Found[]): LoggedTransaction[] {
  const firstGap = found.findIndex(({ hasGap }) => hasGap);
  const before = firstGap < 0 ? found.length : firstGap;
  // From the end back: as long as no transaction between can have been a compaction.
  let from = found.length - 1;
  while (from > 0 && found[from]!.replacesManifest && !found[from]!.hasGap) from--;
  return found.map((each, number) => ({ ...each, isComplete: number < before || number >= from }));
}

/**
 * Whether the segment's last entry is a COMMIT; what only looks like one at the end of a file's data is none. Undefined
 * where that can't be told.
 */
function isCommitted(log: SegmentLog, segment: number, reporter: Reporter): boolean | undefined {
  const isCommitOnly = log.files.sizeBytes(segment) === COMMIT_ONLY_SIZE_BYTES;
  let last = -1;
  try {
    if (isCommitOnly) {
      if (log.isCommitted(segment)) return true;
    } else if (!log.endsWithCommit(segment)) return false;
    else for (const { tag } of log.entries(segment, { headersOnly: true })) last = tag;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    last = -1;
  }
  if (last >= 0) return last === TAG_COMMIT;
  const text = `Segment ${segment} is damaged: a transaction that ended there is not known.`;
  reporter.log('warning', text, { logger: 'borg.repository' });
  return undefined;
}

/** Manifests, among the first `limit` entries of each segment. */
function manifestIn(log: SegmentLog, segments: readonly number[], limit: number): ManifestEntries {
  let manifest: EntryPlace | undefined;
  let replacesManifest = false;
  for (const segment of segments) {
    let count = 0;
    try {
      for (const { tag, key, offset } of log.entries(segment, { headersOnly: true })) {
        if (tag !== TAG_COMMIT && equalBytes(key, MANIFEST_ID)) {
          if (tag === TAG_PUT) manifest = { segment, offset };
          else replacesManifest = true;
        }
        if (++count >= limit) break;
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
  }
  return { manifest, replacesManifest };
}

function isUnreadable(error: unknown): boolean {
  return error instanceof IntegrityError || isReadError(error);
}
