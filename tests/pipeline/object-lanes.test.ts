import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createCompressor } from '../../src/compress/compressor.ts';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import type { KeyMaterial } from '../../src/crypto/key-material.ts';
import { type LaneObject, ObjectLanes } from '../../src/pipeline/object-lanes.ts';
import { noise } from '../noise.ts';
import * as fc from '../properties.ts';
import { blakeMaterial, material, plainMaterial } from './setup.ts';

before(() => initCrypto(blakeMaterial));

const MEMORY_BYTES = 100_000;

/** How an object is given. */
interface Piece {
  readonly size: number;
  readonly compression: string;
  readonly damage: 'none' | 'missing' | 'short' | 'byte' | 'last' | 'id' | 'payload';
  readonly isInMemory: boolean;
}

/** Half of it compresses. */
function dataOf(size: number, seed: number): Uint8Array {
  return noise(size, seed).fill(7, 0, size >> 1);
}

function laneObject(keys: KeyMaterial, data: Uint8Array, piece: Piece): LaneObject {
  const { compression, damage } = piece;
  const payload = createCompressor(parseCompression(compression)).compress(data);
  if (damage === 'payload') payload[0]! ^= 0x55;
  const whole = sealEnvelope(keys, 1n, payload);
  const sealed = damage === 'short' ? whole.subarray(0, Math.min(20, whole.length - 1)) : whole;
  if (damage === 'byte') sealed[0]! ^= 0x80;
  if (damage === 'last') sealed[sealed.length - 1]! ^= 1;
  const id = idHash(keys, damage === 'id' ? whole : data);
  if (damage === 'missing') return { id, roomBytes: 10, read: () => undefined };
  if (piece.isInMemory) return { id, roomBytes: 0, read: () => sealed };
  const read = (room: Uint8Array): Uint8Array => {
    // What was there before is of others, or of nobody.
    room.fill(0xee);
    room.set(sealed);
    return room.subarray(0, sealed.length);
  };
  return { id, roomBytes: sealed.length, read };
}

function soundObject(data: Uint8Array): LaneObject {
  const { length: size } = data;
  return laneObject(material, data, { size, compression: 'lz4', damage: 'none', isInMemory: false });
}

/** One after the other. */
function given<T>(all: readonly T[]): () => T | undefined {
  let next = 0;
  return () => all[next++];
}

/** Copies of the plaintexts. */
function openAll(lanes: ObjectLanes, objects: readonly LaneObject[]): (Uint8Array | undefined)[] {
  return Array.from(lanes.open(given(objects)), (plaintext) => plaintext && Uint8Array.from(plaintext));
}

describe('ObjectLanes', () => {
  const piece = fc.record({
    size: fc.oneof(fc.nat(300), fc.nat(30_000), fc.integer({ min: 60_000, max: 250_000 })),
    compression: fc.constantFrom('none', 'lz4', 'lz4', 'zlib,1', 'zstd,1'),
    damage: fc.constantFrom<Piece['damage'][]>(
      'none',
      'none',
      'none',
      'none',
      'missing',
      'short',
      'byte',
      'last',
      'id',
      'payload',
    ),
    isInMemory: fc.boolean(),
  });

  it('opens what is sound, and only that, in order, with any key and little memory', () => {
    for (const keys of [material, blakeMaterial, plainMaterial]) {
      const lanes = new ObjectLanes(keys, MEMORY_BYTES);
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
          const datas = pieces.map(({ size }, number) => dataOf(size, number));
          const objects = pieces.map((each, number) => laneObject(keys, datas[number]!, each));
          const found = openAll(lanes, objects);
          assert.equal(found.length, pieces.length);
          for (const [number, plaintext] of found.entries()) {
            const expected = pieces[number]!.damage === 'none' ? datas[number]! : undefined;
            assert.equal(plaintext === undefined, expected === undefined, `object ${number}`);
            if (plaintext !== undefined) assert.equal(Buffer.compare(plaintext, expected!), 0);
          }
        }),
        { numRuns: 40 },
      );
    }
  });

  it('asks for more as long as any is in hand', () => {
    const objects = [0, 1, 2, 3].map((number) => soundObject(dataOf(20_000, number)));
    // There seems to be no more behind each, until it is asked for again.
    const gaps = [undefined, ...objects.flatMap((object) => [object, undefined])];
    const next = given(gaps.slice(1));
    const lanes = new ObjectLanes(material, MEMORY_BYTES);
    let count = 0;
    for (const plaintext of lanes.open(next)) {
      assert.equal(Buffer.compare(plaintext!, dataOf(20_000, count)), 0);
      count++;
    }
    assert.equal(count, 4);
  });

  it('opens others after it was left in the middle', () => {
    const lanes = new ObjectLanes(material, MEMORY_BYTES);
    for (const leaveAfter of [1, 2, 3, 1, 2, 3]) {
      const datas = [50_000, 20_000, 30_000, 90_000].map((size, number) => dataOf(size, number + leaveAfter));
      const objects = datas.map(soundObject);
      let count = 0;
      for (const plaintext of lanes.open(given(objects))) {
        assert.equal(Buffer.compare(plaintext!, datas[count++]!), 0);
        if (count === leaveAfter) break;
      }
    }
  });
});
