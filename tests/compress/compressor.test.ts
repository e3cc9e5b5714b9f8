import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { createCompressor, PLACED_UNIT_BYTES } from '../../src/compress/compressor.ts';
import { decompress, detectCompression } from '../../src/compress/decompress.ts';
import { toHex } from '../../src/util/bytes.ts';
import { prose } from './samples.ts';
import { noise } from '../noise.ts';

const SPECS =
  'none lz4 zlib,0 zlib,9 lzma,0 lzma,6 zstd,1 zstd,3 zstd,19 auto,lzma,1 auto,lz4 obfuscate,2,none obfuscate,110,zstd,5 obfuscate,250,auto,zlib,6'.split(
    ' ',
  );

for (const spec of SPECS) {
  test(`decompress() gives back what compress() of ${spec} made`, () => {
    const compressor = createCompressor(parseCompression(spec));
    for (const size of [0, 1, 2, 12, 13, 100, 4096, 70_000]) {
      for (const data of [prose(size), noise(size), new Uint8Array(size)]) {
        const before = data.slice();
        const object = compressor.compress(data);
        assert.deepEqual(data, before);
        assert.deepEqual(Buffer.from(decompress(object)), Buffer.from(data));
      }
    }
  });
}

test('compressInto() leaves the same object at the beginning of the room, or a block of it', () => {
  for (const spec of ['none', 'lz4']) {
    const compressor = createCompressor(parseCompression(spec));
    const { placing } = compressor;
    assert.ok(placing !== undefined);
    for (const size of [0, 1, 13, 14, 15, 4096, 70_000]) {
      for (const data of [prose(size), noise(size), new Uint8Array(size)]) {
        const around = new Uint8Array(placing.roomBytes(size) + 20).fill(7);
        const room = around.subarray(10, -10);
        const { placed, rest } = placing.compressInto(data, room);
        assert.equal(placed.byteOffset, room.byteOffset);
        assert.equal(toHex(placed) + toHex(rest), toHex(compressor.compress(data)));
        assert.ok(rest.length === 0 || (placed.length === PLACED_UNIT_BYTES && rest.buffer === data.buffer));
        assert.ok([...around.subarray(0, 10), ...around.subarray(-10)].every((byte) => byte === 7));
      }
    }
    // Some objects would fit; liblz4 is told of no less than its worst case.
    assert.throws(() => placing.compressInto(noise(100), new Uint8Array(90)), RangeError);
  }
});

test('compress() falls back to no compression where the result would not be smaller', () => {
  for (const spec of ['lz4', 'lzma,6', 'zstd,3', 'auto,zstd,3']) {
    const object = createCompressor(parseCompression(spec)).compress(noise(1000));
    assert.equal(detectCompression(object), 'none', spec);
    assert.equal(object.length, 1002, spec);
  }
});

test('compress() returns memory of its own', () => {
  for (const spec of SPECS) {
    const compressor = createCompressor(parseCompression(spec));
    const first = compressor.compress(prose(5000));
    const copy = toHex(first);
    compressor.compress(noise(5000));
    assert.equal(toHex(first), copy, spec);
  }
});

test('auto chooses by how well LZ4 does, and keeps LZ4 where the other is no better', () => {
  const auto = createCompressor(parseCompression('auto,zstd,10'));
  assert.equal(detectCompression(auto.compress(prose(50_000))), 'zstd');
  assert.equal(detectCompression(auto.compress(noise(50_000))), 'none');
  // 2% of zeros: LZ4 gains too little to try more.
  const hardly = noise(50_000);
  hardly.fill(0, 0, 1000);
  assert.equal(detectCompression(auto.compress(hardly)), 'lz4');
  assert.equal(
    detectCompression(createCompressor(parseCompression('auto,lz4')).compress(prose(9000))),
    'lz4',
  );
  assert.equal(
    detectCompression(createCompressor(parseCompression('auto,none')).compress(prose(9000))),
    'lz4',
  );
});

test('decide() names the format that recreate should find', () => {
  const table: [string, Uint8Array, string][] = [
    ['none', prose(9000), 'none'],
    ['lz4', prose(9000), 'lz4'],
    ['lz4', noise(9000), 'none'],
    ['zlib,6', noise(9000), 'zlib'],
    ['zstd,3', prose(9000), 'zstd'],
    ['zstd,3', noise(9000), 'none'],
    ['auto,lzma,6', prose(9000), 'lzma'],
    ['auto,auto,zlib', prose(9000), 'zlib'],
    ['auto,lzma,6', noise(9000), 'none'],
    ['obfuscate,1,lz4', prose(9000), 'obfuscate'],
  ];
  for (const [spec, data, name] of table) {
    assert.equal(createCompressor(parseCompression(spec)).decide(data), name, spec);
  }
});
