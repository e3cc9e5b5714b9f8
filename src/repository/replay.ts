/**
 * Following the log: what each entry means for the index and the hints.
 *
 * Source: Borg 1.4.5 repository.py, _update_index, _rebuild_sparse.
 */
import { TAG_DELETE, TAG_PUT } from '../format/segment.ts';
import { emptyHints } from '../format/hints.ts';
import type { Hints } from '../format/hints.ts';
import { toBinaryString } from '../util/bytes.ts';
import { HashIndex } from '../util/hash-index.ts';
import type { Reporter } from '../util/reporter.ts';
import type { SegmentLog } from './segment-log.ts';
import type { SegmentEntry } from './segment-entries.ts';

/** What the log says, as far as it was followed. */
export interface RepositoryState {
  readonly index: HashIndex;
  readonly hints: Hints;
}

/** What following the log asks about segments other than the one at hand; the log itself answers it. */
export interface SegmentSizes {
  /** Undefined where there is no such segment. */
  segmentSizeBytes(segment: number): number | undefined;
  readPutSize(segment: number, offset: number, key: Uint8Array): number;
}

export function emptyState(): RepositoryState {
  return { index: new HashIndex({ valueWords: 2 }), hints: emptyHints() };
}

/** Brings the state up to date with the segments behind `after`, up to `upTo`. Throws an IntegrityError. */
export async function followLog(
  state: RepositoryState,
  log: SegmentLog,
  { after = -1, upTo }: { after?: number | undefined; upTo: number },
  reporter: Reporter,
): Promise<void> {
  const progress = reporter.percent(
    'repository.replay_segments',
    'Replaying segments %3.0f%%',
    log.files.count(),
  );
  let current = 0;
  for (const segment of log.files.ascending()) {
    progress.advance({ current: current++ });
    if (segment > upTo) break;
    if (segment <= after) continue;
    followSegment(state, log, segment, log.entries(segment));
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.finish();
  forgetRemoved(state.hints, log);
}

/** The log replaced objects of segments that a compaction has removed: nothing is left to be freed there. */
function forgetRemoved({ compact, segments }: Hints, log: SegmentLog): void {
  for (const counts of [compact, segments]) {
    for (const segment of counts.keys()) if (!log.files.exists(segment)) counts.delete(segment);
  }
}

export function addTo(counts: Map<number, number>, segment: number, amount: number): void {
  counts.set(segment, (counts.get(segment) ?? 0) + amount);
}

/** Notes that `segment` has a PUT of the key which later entries made void. */
export function addShadowed(hints: Hints, key: Uint8Array, segment: number): void {
  const name = toBinaryString(key);
  const segments = hints.shadowIndex.get(name);
  if (segments === undefined) hints.shadowIndex.set(name, [segment]);
  else segments.push(segment);
}

/** Brings the state up to date with a segment that comes after all that were followed. */
export function followSegment(
  state: RepositoryState,
  sizes: SegmentSizes,
  segment: number,
  entries: Iterable<Pick<SegmentEntry, 'tag' | 'key' | 'offset' | 'sizeBytes'>>,
): void {
  const { index, hints } = state;
  hints.segments.set(segment, 0);
  let puts = 0;
  for (const { tag, key, offset, sizeBytes } of entries) {
    if (tag === TAG_PUT) {
      const bucket = index.find(key);
      if (bucket >= 0) {
        // The PUT before this one is void: its segment can be made smaller.
        const older = index.valueAt(bucket, 0);
        addTo(hints.compact, older, sizeBytes);
        addTo(hints.segments, older, -1);
        addShadowed(hints, key, older);
      }
      index.set(key, segment, offset);
      puts++;
      hints.storageQuotaUseBytes += sizeBytes;
    } else if (tag === TAG_DELETE) {
      followDelete(state, sizes, key);
    }
  }
  addTo(hints.segments, segment, puts);
  if (hints.segments.get(segment) === 0) hints.compact.set(segment, sizes.segmentSizeBytes(segment) ?? 0);
}

function followDelete({ index, hints }: RepositoryState, sizes: SegmentSizes, key: Uint8Array): void {
  const bucket = index.find(key);
  if (bucket < 0) return;
  const older = index.valueAt(bucket, 0);
  const offset = index.valueAt(bucket, 1);
  index.delete(key);
  // An old index may name a segment that a compaction has removed since.
  if ((sizes.segmentSizeBytes(older) ?? 0) === 0) return;
  addTo(hints.segments, older, -1);
  addTo(hints.compact, older, sizes.readPutSize(older, offset, key));
  addShadowed(hints, key, older);
}

/** Counts the bytes that compaction can free in a segment, relative to the index. */
export function recountSparse({ index, hints }: RepositoryState, log: SegmentLog, segment: number): void {
  const sizeBytes = log.files.sizeBytes(segment);
  if (sizeBytes === undefined) {
    hints.segments.delete(segment);
    return;
  }
  if ((hints.segments.get(segment) ?? 0) === 0) {
    hints.compact.set(segment, sizeBytes);
    return;
  }
  hints.compact.set(segment, 0);
  for (const entry of log.entries(segment, { headersOnly: true })) {
    if (entry.tag === TAG_DELETE || (entry.tag === TAG_PUT && !isCurrent(index, segment, entry))) {
      addTo(hints.compact, segment, entry.sizeBytes);
    }
  }
}

/** Whether the index points to this very PUT. */
export function isCurrent(
  index: HashIndex,
  segment: number,
  { key, offset }: Pick<SegmentEntry, 'key' | 'offset'>,
): boolean {
  const bucket = index.find(key);
  return bucket >= 0 && index.valueAt(bucket, 0) === segment && index.valueAt(bucket, 1) === offset;
}
