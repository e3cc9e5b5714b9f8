import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { MsgpackError } from '../../src/msgpack/value.ts';
import { fromHex, fromUtf8 } from '../../src/util/bytes.ts';
import { unpackedValues } from './unpacked-values.ts';

test('decode() gives back what encode() was given', () => {
  fc.assert(
    fc.property(unpackedValues, (value) => {
      assert.deepEqual(decode(encode(value)), value);
    }),
  );
});

test('decode() reads the newer forms str8, bin and float32 as the reference does', () => {
  assert.deepEqual(decode(fromHex('d90161')), fromUtf8('a'));
  assert.deepEqual(decode(fromHex('c40161')), fromUtf8('a'));
  assert.deepEqual(decode(fromHex('c5000161')), fromUtf8('a'));
  assert.deepEqual(decode(fromHex('c60000000161')), fromUtf8('a'));
  assert.equal(decode(fromHex('ca3fc00000')), 1.5);
});

test('decode() gives integers beyond 2^53 as bigint, smaller ones as number', () => {
  assert.equal(decode(fromHex('cf001fffffffffffff')), 2 ** 53 - 1);
  assert.equal(decode(fromHex('cf0020000000000000')), 2n ** 53n);
  assert.equal(decode(fromHex('cfffffffffffffffff')), 2n ** 64n - 1n);
  assert.equal(decode(fromHex('d38000000000000000')), -(2n ** 63n));
  assert.equal(decode(fromHex('d3ffffffffffffffff')), -1);
});

test('decode() keeps the order of a map, and the last of equal keys', () => {
  const map = decode(fromHex('83a16201a16102a16203')) as Map<string, number>;
  assert.deepEqual(
    [...map],
    [
      ['b', 3],
      ['a', 2],
    ],
  );
});

test('decode() rejects damaged data', () => {
  const cases: [string, string][] = [
    ['nothing', ''],
    ['a type that does not exist', 'c1'],
    ['an extension', 'd4ff01'],
    ['an extension of 8 bits length', 'c70101ff'],
    ['bytes after the value', 'c0c0'],
    ['raw cut short', 'a261'],
    ['raw32 larger than the data', 'dbffffffff'],
    ['array32 larger than the data', 'ddffffffff'],
    ['map32 larger than the data', 'dfffffffff'],
    ['an integer cut short', 'cd01'],
    ['a header cut short', 'da00'],
    ['a map without its last value', '82a16101a162'],
    ['a null key', '81c001'],
    ['a boolean key', '81c301'],
    ['a float key', '81cb3ff800000000000001'],
    ['an array key', '819001'],
    ['nesting without end', '91'.repeat(2000)],
  ];
  for (const [name, hex] of cases) assert.throws(() => decode(fromHex(hex)), MsgpackError, name);
});

test('decode() checks the limits it is given before it builds anything', () => {
  const cases: [string, string, object][] = [
    ['maxArrayLen', '93010203', { maxArrayLen: 2 }],
    ['maxMapLen', '8201020304', { maxMapLen: 1 }],
    ['maxStrLen', 'a3616263', { maxStrLen: 2 }],
    ['maxDepth', '919100', { maxDepth: 1 }],
    ['maxMaps', '8101810102', { maxMaps: 1 }],
    ['maxBufferBytes', 'a3616263', { maxBufferBytes: 3 }],
  ];
  for (const [name, hex, limits] of cases) {
    assert.throws(() => decode(fromHex(hex), limits), MsgpackError, name);
    assert.ok(decode(fromHex(hex)) !== undefined, name);
  }
});

test('decode() ignores what follows the value when told so', () => {
  assert.equal(decode(fromHex('c3ffff'), { allowTrailing: true }), true);
});
