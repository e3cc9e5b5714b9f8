import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lz4BlockSize, packagedLz4Codec, systemLz4Codec } from '../../src/compress/lz4.ts';
import { DecompressionError } from '../../src/errors.ts';
import { prose } from './samples.ts';
import { noise } from '../noise.ts';

const system = systemLz4Codec();
const packaged = packagedLz4Codec();
const skip = system === undefined ? 'this system has no liblz4' : false;

test('the two codecs read each other', { skip }, () => {
  for (const size of [50, 1000, 100_000]) {
    const data = prose(size);
    for (const [writer, reader] of [
      [system, packaged],
      [packaged, system],
    ]) {
      const object = writer?.compress(data);
      assert.ok(object !== undefined && object.length < data.length);
      assert.deepEqual(reader?.decompress(object, size), data);
    }
  }
});

test('both codecs refuse the same damage and the same limits', { skip }, () => {
  const object = packaged.compress(prose(5000));
  assert.ok(object !== undefined);
  for (const codec of [system, packaged]) {
    assert.throws(() => codec?.decompress(object, 4999), DecompressionError);
    assert.throws(() => codec?.decompress(object.subarray(0, 2), 5000), DecompressionError);
    assert.throws(() => codec?.decompress(Uint8Array.of(1, 0, 0x10, 0x41, 9, 9), 5000), DecompressionError);
    assert.equal(codec?.compress(noise(5000)), undefined);
    assert.equal(codec?.compress(new Uint8Array(0)), undefined);
  }
});

test('lz4BlockSize() knows the size without decompressing', () => {
  for (const size of [200, 3000, 70_000]) {
    for (const data of [prose(size), new Uint8Array(size)]) {
      const object = packaged.compress(data);
      assert.ok(object !== undefined);
      assert.equal(lz4BlockSize(object.subarray(2)), size);
      assert.equal(lz4BlockSize(object.subarray(2, object.length - 1)), undefined);
    }
  }
});
