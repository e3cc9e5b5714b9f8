import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_DATA_SIZE } from '../../src/compress/limits.ts';
import { deobfuscate, obfuscate, paddingSize } from '../../src/compress/obfuscate.ts';
import { noise } from '../noise.ts';

test('paddingSize() follows each SPEC', () => {
  const table: [level: number, size: number, random: number, padding: number][] = [
    [1, 1000, 0.999999, 10],
    [1, 1000, 0.1, 100],
    [1, 1000, 0, 100_000],
    [3, 1000, 0.5, 2000],
    [6, 10, 0.5, 20_000],
    [110, 1000, 0, 0],
    [110, 1000, 0.5, 512],
    [123, 1, 0.999999999, 8 * 2 ** 20 - 1],
    // Padmé: sizes keep only their topmost bits.
    [250, 0, 0, 0],
    [250, 1, 0, 0],
    [250, 2, 0, 0],
    [250, 9, 0, 1],
    [250, 113, 0, 7],
    [250, 1000, 0, 24],
    [250, 1_000_000, 0, 15_808],
  ];
  for (const [level, size, random, padding] of table) {
    assert.equal(
      paddingSize(size, level, () => random),
      padding,
      `SPEC ${level} of ${size}`,
    );
  }
});

test('obfuscate() stays away from the largest size of an object', () => {
  const object = noise(1000);
  const wrapped = obfuscate(object, 6, () => 0);
  assert.equal(wrapped.length, MAX_DATA_SIZE - 1024 + 6);
  assert.deepEqual(deobfuscate(wrapped), object);
  assert.equal(obfuscate(new Uint8Array(MAX_DATA_SIZE), 123).length, MAX_DATA_SIZE + 6);
});
