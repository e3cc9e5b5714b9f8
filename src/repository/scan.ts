/**
 * Reading the log in its own order: the live objects, for linear reads, or every entry there is.
 *
 * Source: Borg 1.4.5 repository.py, scan and scan_low_level.
 */
import { IntegrityError } from '../errors.ts';
import { TAG_PUT } from '../format/segment.ts';
import type { HashIndex } from '../util/hash-index.ts';
import { isCurrent } from './replay.ts';
import type { SegmentLog } from './segment-log.ts';
import type { SegmentEntry } from './segment-entries.ts';

/**
 * Up to `limit` ids after `marker` in the order of the log. The rest of a segment behind a damaged entry is left out.
 * Throws a RangeError where the marker is not in the index.
 */
export function scanObjects(
  log: SegmentLog,
  index: HashIndex,
  limit = Infinity,
  marker?: Uint8Array,
): Uint8Array[] {
  if (!(limit >= 1)) throw new RangeError('please use limit > 0 or no limit');
  let first = 0;
  let from = 0;
  if (marker !== undefined) {
    const bucket = index.find(marker);
    if (bucket < 0) throw new RangeError('marker not found');
    first = index.valueAt(bucket, 0);
    from = index.valueAt(bucket, 1);
  }
  const ids: Uint8Array[] = [];
  for (const segment of log.files.ascending(first)) {
    for (const entry of readable(log.entries(segment, { from, headersOnly: true }))) {
      const isMarker = from > 0 && entry.offset === from;
      if (isMarker || entry.tag !== TAG_PUT || !isCurrent(index, segment, entry)) continue;
      if (ids.push(Uint8Array.from(entry.key)) === limit) return ids;
    }
    from = 0;
  }
  return ids;
}

/** An entry of the log wherever it stands: committed or not, live or void. */
export interface ScannedEntry extends SegmentEntry {
  readonly segment: number;
}

/** A segment that can't be read on from here; the next item is of another one. */
export interface ScannedDamage {
  readonly segment: number;
  readonly damage: IntegrityError;
}

export interface ScanLimits {
  readonly segment?: number | undefined;
  readonly offset?: number | undefined;
}

/**
 * All entries of the log in order, with what is wrong with them. `key` and `data` are valid until the next one.
 * With `segment`, only that one; with `offset`, of each segment only the entry there.
 */
export function* scanEntries(
  log: SegmentLog,
  options: ScanLimits & { headersOnly?: boolean } = {},
): Generator<ScannedEntry | ScannedDamage> {
  const { segment: only, offset: from = 0, headersOnly = false } = options;
  for (const segment of log.files.ascending(only)) {
    if (only !== undefined && segment > only) return;
    try {
      for (const entry of log.entries(segment, { from, headersOnly, includeDamaged: true })) {
        yield { ...entry, segment };
        if (from > 0) break;
      }
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      yield { segment, damage: error };
    }
  }
}

/** What comes before the first damaged entry. */
export function* readable(entries: Iterable<SegmentEntry>): Generator<SegmentEntry> {
  try {
    yield* entries;
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
  }
}
