import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { emptyHints } from '../../../src/format/hints.ts';
import { TAG_COMMIT, TAG_DELETE, TAG_PUT } from '../../../src/format/segment.ts';
import { haveSameEntries } from '../../../src/repository/check/compare-indexes.ts';
import { EntryList } from '../../../src/repository/check/entry-list.ts';
import { IndexComparison } from '../../../src/repository/check/index-comparison.ts';
import type { EntryRecord } from '../../../src/repository/check/salvaged-segment.ts';
import { followSegment } from '../../../src/repository/replay.ts';
import { HashIndex } from '../../../src/util/hash-index.ts';

const ENTRY_BYTES = 50;

function keyOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

/** A log of segments: [tag, number of the key] of each entry. */
const anyLog = fc.array(
  fc.array(
    fc.tuple(fc.constantFrom(TAG_PUT, TAG_PUT, TAG_DELETE, TAG_COMMIT), fc.integer({ min: 0, max: 5 })),
    { maxLength: 8 },
  ),
  { maxLength: 4 },
);

/** What is changed in the index: a key, and its new place, or none. */
const anyChange = fc.record({
  key: fc.integer({ min: 0, max: 6 }),
  segment: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  entry: fc.integer({ min: 0, max: 8 }),
});

function entriesOf(segment: readonly [number, number][]): EntryRecord[] {
  return segment.map(([tag, number], at) => ({
    tag,
    key: tag === TAG_COMMIT ? new Uint8Array(0) : keyOf(number),
    offset: 8 + ENTRY_BYTES * at,
    sizeBytes: ENTRY_BYTES,
  }));
}

test('IndexComparison.isSame is whether the segments give the same index', () => {
  const outcomes = { true: 0, false: 0 };
  fc.assert(
    fc.property(anyLog, fc.option(anyChange, { nil: undefined }), fc.boolean(), (log, change, countsOnly) => {
      const state = { index: new HashIndex({ valueWords: 2 }), hints: emptyHints() };
      const sizes = { segmentSizeBytes: () => 1000, readPutSize: () => ENTRY_BYTES };
      for (const [segment, entries] of log.entries()) {
        followSegment(state, sizes, segment, entriesOf(entries));
      }
      const index = state.index.copy();
      if (change?.segment !== undefined) {
        index.set(keyOf(change.key), change.segment, 8 + ENTRY_BYTES * change.entry);
      } else if (change !== undefined) index.delete(keyOf(change.key));
      const comparison = new IndexComparison(index);
      for (const [segment, entries] of log.entries()) {
        const list = new EntryList(countsOnly ? comparison.placesIn(segment) : undefined);
        for (const entry of entriesOf(entries)) list.push(entry);
        comparison.follow(segment, list);
      }
      const expected = haveSameEntries(state.index, index);
      outcomes[`${expected}`]++;
      assert.equal(comparison.isSame, expected);
    }),
    { numRuns: 2000 },
  );
  assert.ok(outcomes.true > 100 && outcomes.false > 100, JSON.stringify(outcomes));
});

test('IndexComparison.isSame is false for an index that has an object twice', () => {
  const index = new HashIndex({ valueWords: 2 });
  index.set(keyOf(1), 0, 8);
  index.set(keyOf(2), 0, 8 + ENTRY_BYTES);
  // As damage, or a bug, may leave it: two buckets with one key.
  const bucket = index.peek(keyOf(2));
  const width = index.buckets.length / index.bucketCount;
  const other = index.peek(keyOf(1));
  index.buckets.copyWithin(bucket * width, other * width, (other + 1) * width);
  const comparison = new IndexComparison(index);
  const list = new EntryList(comparison.placesIn(0));
  list.push({ tag: TAG_PUT, key: keyOf(1), offset: 8, sizeBytes: ENTRY_BYTES });
  comparison.follow(0, list);
  assert.equal(comparison.isSame, false);
});
