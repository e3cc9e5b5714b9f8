import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rehash } from '../../src/util/rehash.ts';
import * as fc from '../properties.ts';

const EMPTY = 0xffffffff;
const DELETED = 0xfffffffe;
const SHAPE = { words: 3, keyWords: 2, empty: EMPTY, unused: DELETED };

type Bucket = readonly [home: number, rest: number, value: number];

/** A table with room for `count` buckets and the given ones at its start; the others were never used. */
function tableOf(buckets: readonly Bucket[], count: number): Uint32Array {
  const words = new Uint32Array(SHAPE.words * count);
  for (let bucket = 0; bucket < count; bucket++)
    words.set(buckets[bucket] ?? [0, 0, EMPTY], bucket * SHAPE.words);
  return words;
}

function bucketsOf(words: Uint32Array, count: number): Bucket[] {
  return Array.from({ length: count }, (_, bucket) => {
    const [home, rest, value] = words.subarray(bucket * SHAPE.words);
    return [home!, rest!, value!];
  });
}

/** As a search does: from the key's home to the first bucket that was never used. */
function search(buckets: readonly Bucket[], [home, rest]: Bucket): number | undefined {
  for (let step = 0; step < buckets.length; step++) {
    const bucket = buckets[(home + step) % buckets.length]!;
    if (bucket[2] === EMPTY) return undefined;
    if (bucket[0] === home && bucket[1] === rest) return bucket[2];
  }
  return undefined;
}

test('rehash() lets a search find every entry in a table of any other size, and drops deleted ones', () => {
  const used = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.nat(), fc.nat());
  const unused = fc.constantFrom<Bucket>([5, 1, EMPTY], [7, 2, DELETED]);
  const buckets = fc.uniqueArray(fc.oneof(used, unused), { minLength: 1, maxLength: 30, selector: String });
  fc.assert(
    fc.property(buckets, fc.nat({ max: 20 }), (before, spare) => {
      const entries = before.filter(([, , value]) => value < DELETED);
      if (new Set(entries.map(([home, rest]) => `${home} ${rest}`)).size < entries.length) return;
      const newCount = Math.max(entries.length + spare, 1);
      const words = tableOf(before, Math.max(before.length, newCount));
      rehash(words, SHAPE, before.length, newCount);
      const after = bucketsOf(words, newCount);
      for (const entry of entries) assert.equal(search(after, entry), entry[2]);
      assert.equal(after.filter(([, , value]) => value === EMPTY).length, newCount - entries.length);
    }),
  );
});

test('rehash() refuses a key that is there twice', () => {
  const twice: Bucket[] = [
    [1, 2, 3],
    [1, 2, 4],
  ];
  assert.throws(() => rehash(tableOf(twice, 4), SHAPE, 2, 4), /a key is in the hash table twice/);
});
