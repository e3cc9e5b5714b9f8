import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fromUtf8 } from '../../src/util/bytes.ts';
import { Xxh64, initXxh64 } from '../../src/util/xxh64.ts';

// [length, digest] of the bytes i * 7 % 251, by Borg 1.4.5 algorithms/checksums.pyx xxh64().
const VECTORS: [number, string][] = [
  [0, 'ef46db3751d8e999'],
  [1, 'e934a84adb052768'],
  [3, '9ff70a635a6209ab'],
  [4, 'ae5acdc00a55ac41'],
  [7, 'd734a6b26f3da63e'],
  [8, '87116b3365b924eb'],
  [31, '0f187c62b1e722b7'],
  [32, '91b0cb0931a8c629'],
  [33, '931b043cf8d65b94'],
  [63, '575186c12dcebcfd'],
  [64, 'ab64977b5af9d022'],
  [100, 'b7fe1d84b2f23a05'],
  [1000, '023fd2ed1ff957d5'],
  [100003, '1d0edb76d73b0886'],
];

before(initXxh64);

function input(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) % 251);
}

test('Xxh64 gives the reference digests', () => {
  for (const [length, digest] of VECTORS) {
    assert.equal(new Xxh64().update(input(length)).digestHex(), digest, String(length));
  }
});

test('Xxh64 gives the same digest for any pieces, with digests in between and hashers taking turns', () => {
  const bytes = input(1000);
  const one = new Xxh64();
  const other = new Xxh64();
  for (let offset = 0; offset < 1000; offset += 37) {
    one.update(bytes.subarray(offset, offset + 37));
    one.digestHex();
    other.update(fromUtf8('something else'));
  }
  assert.equal(one.digestHex(), '023fd2ed1ff957d5');
  assert.equal(one.digestHex(), '023fd2ed1ff957d5');
  assert.equal(new Xxh64().digestHex(), 'ef46db3751d8e999');
});
