import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createCompressor } from '../../src/compress/compressor.ts';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import type { KeyMaterial } from '../../src/crypto/key-material.ts';
import { type GroupedObject, groupEnd, LARGE_BYTES, ObjectGroup } from '../../src/pipeline/object-group.ts';
import * as fc from '../properties.ts';
import { noise } from '../noise.ts';
import { blakeMaterial, material, plainMaterial } from './setup.ts';

/** Half of it compresses. */
function dataOf(sizeBytes: number): Uint8Array {
  return noise(sizeBytes, 5).fill(7, 0, sizeBytes >> 1);
}

before(() => initCrypto(blakeMaterial));

function seal(keys: KeyMaterial, data: Uint8Array, compression: string): GroupedObject {
  const payload = createCompressor(parseCompression(compression)).compress(data);
  return { id: idHash(keys, data), sealed: sealEnvelope(keys, 1n, payload) };
}

/** Copies of the plaintexts. */
function openAll(group: ObjectGroup, objects: readonly GroupedObject[]): (Uint8Array | undefined)[] {
  return Array.from(group.open(objects), (plaintext) => plaintext && Uint8Array.from(plaintext));
}

const MEBIBYTE = 2 ** 20;

function end(sizes: readonly number[], from = 0): number {
  return groupEnd(from, sizes.length, (number) => sizes[number]!);
}

describe('groupEnd()', () => {
  it('takes many small objects, and fewer larger ones', () => {
    assert.equal(end([1, 1, 1]), 3);
    assert.equal(end([1, 1, 1], 2), 3);
    assert.equal(end(Array.from({ length: 100 }, () => 10)), 64);
    assert.equal(end(Array.from({ length: 100 }, () => 25_000)), 10);
    assert.equal(end(Array.from({ length: 100 }, () => 200_000)), 4);
  });

  it('takes no large object, but for the first', () => {
    assert.equal(end([1, 2, LARGE_BYTES, 3]), 2);
    assert.equal(end([LARGE_BYTES, LARGE_BYTES]), 1);
    assert.equal(end([7 * MEBIBYTE, LARGE_BYTES - 1, Number.MAX_SAFE_INTEGER]), 2);
  });
});

describe('ObjectGroup', () => {
  const compressions = ['none', 'lz4', 'zlib,1', 'zstd,1', 'lzma,0', 'obfuscate,1,lz4'];
  const piece = fc.record({
    size: fc.oneof(fc.nat(300), fc.nat(20_000)),
    compression: fc.constantFrom(...compressions),
    damage: fc.constantFrom('none', 'none', 'missing', 'byte', 'id'),
  });

  it('opens what is sound, and only that, with any key', () => {
    for (const keys of [material, blakeMaterial, plainMaterial]) {
      const group = new ObjectGroup(keys);
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
          const datas = pieces.map(({ size }, number) => dataOf(size + number));
          const objects = pieces.map(({ compression, damage }, number): GroupedObject => {
            const { id, sealed } = seal(keys, datas[number]!, compression);
            if (damage === 'missing') return { id, sealed: undefined };
            if (damage === 'byte') sealed![0]! ^= 0x80;
            return { id: damage === 'id' ? idHash(keys, id) : id, sealed };
          });
          const expected = datas.map((data, number) =>
            pieces[number]!.damage === 'none' ? data : undefined,
          );
          assert.deepEqual(openAll(group, objects), expected);
        }),
        { numRuns: 30 },
      );
    }
  });

  it('gives each plaintext while others wait, however large they get', () => {
    const datas = [3, 9, 20, 1, 12, 12].map((mebibytes, number) =>
      new Uint8Array(mebibytes * MEBIBYTE).fill(number),
    );
    for (const compression of ['lz4', 'zstd,1']) {
      const objects = datas.map((data) => seal(material, data, compression));
      let number = 0;
      for (const plaintext of new ObjectGroup(material).open(objects)) {
        assert.equal(Buffer.compare(plaintext!, datas[number++]!), 0);
      }
      assert.equal(number, datas.length);
    }
  });
});
