import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 as nodeCrc32 } from 'node:zlib';
import * as fc from '../properties.ts';
import { crc32, libraryCrc32 } from '../../src/util/crc32.ts';

const pieces = fc.tuple(
  fc.uint8Array({ maxLength: 64 }),
  fc.nat({ max: 5000 }),
  fc.nat({ max: 20 }),
  fc.nat({ max: 0xffffffff }),
);

/** Data of that length, a few bytes behind the start of its memory. */
function dataOf(seed: Uint8Array, sizeBytes: number, offset: number): Uint8Array {
  const memory = new Uint8Array(offset + sizeBytes);
  for (let at = 0; at < memory.length; at++) memory[at] = (seed[at % (seed.length + 1)] ?? 0) ^ (at * 31);
  return memory.subarray(offset);
}

describe('crc32()', () => {
  it('gives what zlib gives, for little data and for much', () => {
    fc.assert(
      fc.property(pieces, ([seed, sizeBytes, offset, before]) => {
        const data = dataOf(seed, sizeBytes, offset);
        assert.equal(crc32(data), nodeCrc32(data));
        assert.equal(crc32(data, before), nodeCrc32(data, before));
      }),
      { numRuns: 1000 },
    );
  });

  it('of a part, then of the rest, is that of all', () => {
    const data = dataOf(Uint8Array.of(1, 2, 3), 2 ** 21, 5);
    for (const cut of [0, 9, 4096, 2 ** 20]) {
      assert.equal(crc32(data.subarray(cut), crc32(data.subarray(0, cut))), nodeCrc32(data));
    }
  });

  it('is the known one of a known text', () => {
    assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
    assert.equal(crc32(new Uint8Array(0)), 0);
  });
});

describe('libraryCrc32()', () => {
  const sum = libraryCrc32();

  it('gives what zlib gives', { skip: sum === undefined && 'no libdeflate here' }, () => {
    fc.assert(
      fc.property(pieces, ([seed, sizeBytes, offset, before]) => {
        const data = dataOf(seed, sizeBytes, offset);
        assert.equal(sum!(data, before), nodeCrc32(data, before));
      }),
    );
  });

  it('of no data is what it was before', { skip: sum === undefined && 'no libdeflate here' }, () => {
    assert.equal(sum!(new Uint8Array(0), 5), 5);
    assert.equal(sum!(new Uint8Array(0)), 0);
  });

  it('takes memory that threads share', { skip: sum === undefined && 'no libdeflate here' }, () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8192)).fill(7);
    assert.equal(sum!(shared), nodeCrc32(shared));
  });
});
