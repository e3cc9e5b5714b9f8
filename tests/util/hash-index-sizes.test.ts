import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityFor, fitSize, growSize, isLarge, upperLimit } from '../../src/util/hash-index-sizes.ts';

const BUCKET_BYTES = 40;

test('growSize() keeps an index of more than 200,000 chunks below 60 bytes a chunk', () => {
  for (let count = fitSize(0); count < growSize(count); count = growSize(count)) {
    const grown = growSize(count);
    if (!isLarge(grown) || grown === growSize(grown)) continue;
    const leastEntries = upperLimit(count) + 1;
    if (!isLarge(count)) continue;
    assert.ok((grown * BUCKET_BYTES) / leastEntries < 60, `${grown} buckets`);
  }
});

test('capacityFor() gives a table that takes so many without growing, in 48 bytes each where they are many', () => {
  for (const usable of [0, 1, 1000, 196_610, 196_611, 222_824, 222_825, 1_000_003, 10_000_000]) {
    const buckets = fitSize(capacityFor(usable));
    assert.ok(upperLimit(buckets) >= usable, `${usable} entries`);
    if (usable > 222_825) assert.ok(buckets * BUCKET_BYTES < 48 * usable, `${usable} entries`);
  }
});

test('growSize() ends at the largest table that Borg can have', () => {
  const largest = 2_062_383_853;
  assert.equal(growSize(largest - 1), largest);
  assert.equal(growSize(largest), largest);
  assert.equal(upperLimit(largest), largest);
});
