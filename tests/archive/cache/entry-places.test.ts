import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EntryPlaces, PATH_HASH_BYTES } from '../../../src/archive/cache/entry-places.ts';
import * as fc from '../../properties.ts';

/** Hashes of which many begin alike. */
const hashes = fc.array(
  fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 255 }), fc.nat({ max: 40 })).map(([first, second, last]) => {
    const hash = new Uint8Array(PATH_HASH_BYTES);
    hash[0] = first;
    hash[1] = second & 7;
    hash[PATH_HASH_BYTES - 1] = last;
    return hash;
  }),
  { maxLength: 200 },
);

describe('EntryPlaces', () => {
  it('finds what a map of the same entries finds', () => {
    fc.assert(
      fc.property(hashes, hashes, (added, asked) => {
        const block = new Uint8Array(added.length * PATH_HASH_BYTES);
        for (const [index, hash] of added.entries()) block.set(hash, index * PATH_HASH_BYTES);
        const places = new EntryPlaces([new Uint8Array(0), block]);
        const model = new Map<string, number>();
        for (const [index, hash] of added.entries()) {
          places.set(1, index * PATH_HASH_BYTES, index % 2 === 0);
          model.set(hash.join(), index);
        }
        assert.equal(places.size, model.size);
        for (const hash of [...added, ...asked]) {
          const slot = places.find(hash);
          const index = model.get(hash.join());
          assert.equal(slot >= 0, index !== undefined);
          if (index === undefined) continue;
          assert.equal(places.blockOf(slot), 1);
          assert.equal(places.offsetOf(slot), index * PATH_HASH_BYTES);
          assert.equal(places.isSeen(slot), index % 2 === 0);
        }
      }),
    );
  });

  it('keeps all entries, and what was seen, when it grows', () => {
    const count = 20_000;
    const block = new Uint8Array(count * PATH_HASH_BYTES);
    const view = new DataView(block.buffer);
    // All that tells them apart is in the last bytes of their first words, or behind them.
    for (let n = 0; n < count; n++) view.setUint32(n * PATH_HASH_BYTES + (n % 2) * 8, n);
    const places = new EntryPlaces([block], 10);
    for (let n = 0; n < count; n++) places.set(0, n * PATH_HASH_BYTES, false);
    assert.equal(places.size, count);
    places.setSeen(places.find(block, 7 * PATH_HASH_BYTES));
    for (let n = 0; n < count; n++) {
      const slot = places.find(block, n * PATH_HASH_BYTES);
      assert.equal(places.offsetOf(slot), n * PATH_HASH_BYTES);
      assert.equal(places.isSeen(slot), n === 7);
    }
  });
});
