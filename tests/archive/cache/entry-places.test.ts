import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EntryBlock } from '../../../src/archive/cache/entry-block.ts';
import { EntryPlaces } from '../../../src/archive/cache/entry-places.ts';
import { PATH_HASH_BYTES, PATH_HASH_OFFSET } from '../../../src/archive/cache/packed-entry.ts';
import * as fc from '../../properties.ts';

/** What matters here of an entry. */
const ENTRY_BYTES = PATH_HASH_OFFSET + PATH_HASH_BYTES;

function blockOf(hashes: readonly Uint8Array[]): EntryBlock {
  const bytes = new Uint8Array(hashes.length * ENTRY_BYTES);
  for (const [index, hash] of hashes.entries()) bytes.set(hash, index * ENTRY_BYTES + PATH_HASH_OFFSET);
  return new EntryBlock(bytes, bytes.length);
}

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
        const places = new EntryPlaces([blockOf([]), blockOf(added)]);
        const model = new Map<string, number>();
        for (const [index, hash] of added.entries()) {
          places.set(1, index * ENTRY_BYTES);
          model.set(hash.join(), index);
        }
        assert.equal(places.size, model.size);
        for (const hash of [...added, ...asked]) {
          const slot = places.find(hash);
          const index = model.get(hash.join());
          assert.equal(slot >= 0, index !== undefined);
          if (index === undefined) continue;
          assert.equal(places.blockOf(slot), 1);
          assert.equal(places.startOf(slot), index * ENTRY_BYTES);
        }
      }),
    );
  });

  it('keeps all entries when it grows', () => {
    const hashes = Array.from({ length: 20_000 }, (_, n) => {
      const hash = new Uint8Array(PATH_HASH_BYTES);
      // All that tells them apart is in the last bytes of their first words, or behind them.
      new DataView(hash.buffer).setUint32((n % 2) * 8, n);
      return hash;
    });
    const places = new EntryPlaces([blockOf(hashes)], 10);
    for (let n = 0; n < hashes.length; n++) places.set(0, n * ENTRY_BYTES);
    assert.equal(places.size, hashes.length);
    for (const [n, hash] of hashes.entries())
      assert.equal(places.startOf(places.find(hash)), n * ENTRY_BYTES);
  });
});
