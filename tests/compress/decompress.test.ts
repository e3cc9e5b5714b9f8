import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { createCompressor } from '../../src/compress/compressor.ts';
import { decompress, detectCompression } from '../../src/compress/decompress.ts';
import { DecompressionError } from '../../src/errors.ts';
import { concatBytes, fromHex, toHex } from '../../src/util/bytes.ts';
import { prose } from './samples.ts';
import { noise } from '../noise.ts';

const plain = concatBytes([
  new TextEncoder().encode('To be, or not to be, that is the question. '.repeat(3)),
  Uint8Array.from({ length: 64 }, (_, index) => index),
]);

/** `plain` as Borg 1.4.5 compresses it. */
const BORG_OBJECTS: Record<string, string> = {
  lz4: '0100f200546f2062652c206f72206e6f7420740e00ff077468617420697320746865207175657374696f6e2e202b0043f031000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
  zlib: '789c0bc957484ad551c82f52c8cb2f512881f04a32124b14328b8174aa4261696a7149667e9e9e42084d9432303231b3b0b2b173707271f3f0f2f10b080a098b888a894b484a49cbc8cac92b282a29aba8aaa96b686a69ebe8eae91b181a199b989a995b585a59dbd8dad903006b433337',
  lzma: '0200fd377a585a000000ff12d9410200210116000000742fe5a3e000c000695d002a1bc00623633c1e1e3720e552c656af7f62f6822c99426c60b423521845eb64ab8299ba87a44a33d4dc24620b505a5fee1c47ba55896d3b2559c3afccb6a218472a10d10835aca1644a038919d4b512ce66c23a7b46e33a47ff7051b7263e5c62e6f166b247288e000000000000017dc101000000cc6c2018a8000afc020000000000595a',
  zstd: '030028b52ffd20c17d03005406546f2062652c206f72206e6f7420747468617420697320746865207175657374696f6e2e20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f0200c6a9d9c430eb',
  obfuscate:
    '04000000007178da0bc957484ad551c82f52c8cb2f512881f04a32124b14328b8174aa4261696a7149667e9e9e42084d9432303231b3b0b2b173707271f3f0f2f10b080a098b888a894b484a49cbc8cac92b282a29aba8aaa96b686a69ebe8eae91b181a199b989a995b585a59dbd8dad903006b43333700000000000000',
};

function isDecompressionError(error: unknown): boolean {
  return error instanceof DecompressionError;
}

test('decompress() reads what Borg wrote, in every format', () => {
  for (const [name, hex] of Object.entries(BORG_OBJECTS)) {
    assert.equal(detectCompression(fromHex(hex)), name);
    assert.equal(toHex(decompress(fromHex(hex))), toHex(plain), name);
  }
});

test('compress() of zstd puts the content size into the frame, without which Borg refuses to read it', () => {
  for (const size of [200, 5000, 100_000]) {
    const object = createCompressor(parseCompression('zstd,3')).compress(prose(size));
    const descriptor = object[6] ?? 0;
    assert.ok((descriptor & 0x20) !== 0 || descriptor >> 6 > 0, `frame descriptor ${descriptor}`);
  }
});

test('decompress() refuses damaged objects', () => {
  const table: [string, Uint8Array][] = [
    ['empty', fromHex('')],
    ['one byte', fromHex('01')],
    ['unknown type', fromHex('0500aabb')],
    ['no zlib header', fromHex('789d0000')],
    ['lz4 without block', fromHex('0100')],
    ['lz4 offset before the start', fromHex('0100104100ff00')],
    ['lz4 literals beyond the end', fromHex('0100f0ff41')],
    ['lzma without container', fromHex('0200')],
    ['zstd without frame', fromHex('0300')],
    ['zstd with a wrong magic', fromHex('030028b52ffe20c17d0300')],
    ['zstd of unknown size', fromHex('030028b52ffd0058010000')],
    ['obfuscate without size', fromHex('0400')],
    ['obfuscate shorter than its size', fromHex('0400000000ff0000')],
    ['obfuscate around nothing', fromHex('040000000000')],
    ['obfuscate within itself', fromHex('0400ffffffff'.repeat(10))],
  ];
  for (const [name, object] of table) assert.throws(() => decompress(object), isDecompressionError, name);
});

test('decompress() refuses deep nesting of wrappers without recursion', () => {
  let object = Uint8Array.from([0, 0, 1]);
  for (let depth = 0; depth < 200; depth++) {
    const wrapped = new Uint8Array(6 + object.length);
    wrapped[0] = 4;
    new DataView(wrapped.buffer).setUint32(2, object.length);
    wrapped.set(object, 6);
    object = wrapped;
  }
  assert.throws(() => decompress(object), isDecompressionError);
});

test('decompress() refuses truncated objects, or gives something else than the data', () => {
  for (const [name, hex] of Object.entries(BORG_OBJECTS)) {
    const object = fromHex(hex);
    for (let size = 0; size < object.length - 7; size++) {
      let data: Uint8Array;
      try {
        data = decompress(object.subarray(0, size));
      } catch (error) {
        assert.ok(error instanceof DecompressionError, `${name} cut to ${size}: ${String(error)}`);
        continue;
      }
      assert.equal(name, 'lz4', `${name} cut to ${size}`);
      assert.notDeepEqual(data, plain);
    }
  }
});

test('decompress() answers every damaged byte with the data, other data or a DecompressionError', () => {
  for (const hex of Object.values(BORG_OBJECTS)) {
    for (let at = 0; at < hex.length / 2; at += 3) {
      const object = fromHex(hex);
      object[at] = (object[at] ?? 0) ^ 0x41;
      try {
        decompress(object, 100_000);
      } catch (error) {
        assert.ok(error instanceof DecompressionError, String(error));
      }
    }
  }
});

test('decompress() obeys the limit in every format', () => {
  const data = concatBytes([prose(3000), noise(1000)]);
  for (const spec of ['none', 'lz4', 'zlib,6', 'lzma,6', 'zstd,3', 'obfuscate,250,zstd,3']) {
    const object = createCompressor(parseCompression(spec)).compress(data);
    assert.equal(decompress(object, data.length).length, data.length, spec);
    assert.throws(() => decompress(object, data.length - 1), isDecompressionError, spec);
  }
});

test('decompress() takes no memory for a size that a hostile object merely claims', () => {
  // A frame header that declares 2^60 bytes.
  const zstd = concatBytes([fromHex('030028b52ffde0'), fromHex('0000000000000010'), fromHex('010000')]);
  assert.throws(() => decompress(zstd), isDecompressionError);
  // A block that expands to 300 MB: one match, its length written in 255s.
  const lz4 = new Uint8Array(1_200_000).fill(255);
  lz4.set([1, 0, 0x1f, 0x41, 1, 0]);
  lz4.set([0, 0x10, 0x41], lz4.length - 3);
  const before = process.memoryUsage.rss();
  assert.throws(() => decompress(lz4), isDecompressionError);
  assert.ok(process.memoryUsage.rss() - before < 64 * 2 ** 20);
});

test('decompress() reads objects larger than the largest chunk', () => {
  const data = new Uint8Array(60 * 2 ** 20);
  data[data.length - 1] = 7;
  for (const spec of ['lz4', 'lzma,0', 'zstd,1', 'zlib,1']) {
    const object = createCompressor(parseCompression(spec)).compress(data);
    assert.ok(Buffer.from(data).equals(decompress(object)), spec);
  }
});
