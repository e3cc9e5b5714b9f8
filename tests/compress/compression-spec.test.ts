import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  InvalidCompression,
  formatCompression,
  parseCompression,
} from '../../src/compress/compression-spec.ts';

test('parseCompression() takes every form that Borg takes', () => {
  const table: [string, unknown][] = [
    ['none', { name: 'none' }],
    ['lz4', { name: 'lz4' }],
    ['lz4,', { name: 'lz4' }],
    ['none,7', { name: 'none' }],
    ['zlib', { name: 'zlib', level: 6 }],
    ['zlib,0', { name: 'zlib', level: 0 }],
    ['zlib, +5', { name: 'zlib', level: 5 }],
    ['lzma', { name: 'lzma', level: 6 }],
    ['lzma,9', { name: 'lzma', level: 9 }],
    ['zstd', { name: 'zstd', level: 3 }],
    ['zstd,22', { name: 'zstd', level: 22 }],
    ['zstd,2_2', { name: 'zstd', level: 22 }],
    ['auto,lzma', { name: 'auto', inner: { name: 'lzma', level: 6 } }],
    ['auto,auto,zlib', { name: 'auto', inner: { name: 'auto', inner: { name: 'zlib', level: 6 } } }],
    ['obfuscate,1,none', { name: 'obfuscate', level: 1, inner: { name: 'none' } }],
    [
      'obfuscate,123,auto,zstd,10',
      { name: 'obfuscate', level: 123, inner: { name: 'auto', inner: { name: 'zstd', level: 10 } } },
    ],
    ['obfuscate,250,zstd', { name: 'obfuscate', level: 250, inner: { name: 'zstd', level: 3 } }],
  ];
  for (const [text, spec] of table) assert.deepEqual(parseCompression(text), spec, text);
});

test("parseCompression() refuses anything else with Borg's text", () => {
  const table: [string, string][] = [
    ['', 'unsupported compression type'],
    ['ZLIB', 'unsupported compression type'],
    ['zlib,10', 'level must be >= 0 and <= 9'],
    ['zlib,-1', 'level must be >= 0 and <= 9'],
    ['lzma,1,2', 'too many arguments'],
    ['zstd,0', 'level must be >= 1 and <= 22'],
    ['zstd,23', 'level must be >= 1 and <= 22'],
    ['zstd,', "invalid CompressionSpec value: 'zstd,'"],
    ['zstd,1.5', "invalid CompressionSpec value: 'zstd,1.5'"],
    ['zlib,1_', "invalid CompressionSpec value: 'zlib,1_'"],
    ['auto', 'bad arguments'],
    ['auto,lz4,1,2', 'bad arguments'],
    ['auto,foo', 'unsupported compression type'],
    ['obfuscate,lz4', 'bad arguments'],
    ['obfuscate,a,lz4', "invalid CompressionSpec value: 'obfuscate,a,lz4'"],
    ['obfuscate,7,lz4', 'level must be (inclusively) within 1...6, 110...123 or equal to 250'],
    ['obfuscate,109,lz4', 'level must be (inclusively) within 1...6, 110...123 or equal to 250'],
  ];
  for (const [text, message] of table) {
    assert.throws(
      () => parseCompression(text),
      (error: unknown) => error instanceof InvalidCompression && error.message === message,
      text,
    );
  }
});

test('formatCompression() gives a text that parses to the same', () => {
  for (const text of ['none', 'lz4', 'zlib,6', 'auto,lzma,3', 'obfuscate,3,auto,zstd,22']) {
    assert.equal(formatCompression(parseCompression(text)), text);
  }
});
