import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { MsgpackError } from '../../src/msgpack/value.ts';
import type { MsgpackKey, MsgpackValue } from '../../src/msgpack/value.ts';
import { fromUtf8, toHex } from '../../src/util/bytes.ts';

// Written by Borg 1.4.5's own packer (helpers/msgpack.py packb).
const INTEGERS: [bigint, string][] = [
  [0n, '00'],
  [1n, '01'],
  [127n, '7f'],
  [128n, 'cc80'],
  [255n, 'ccff'],
  [256n, 'cd0100'],
  [65535n, 'cdffff'],
  [65536n, 'ce00010000'],
  [2147483647n, 'ce7fffffff'],
  [2147483648n, 'ce80000000'],
  [4294967295n, 'ceffffffff'],
  [4294967296n, 'cf0000000100000000'],
  [9007199254740991n, 'cf001fffffffffffff'],
  [9007199254740992n, 'cf0020000000000000'],
  [9223372036854775808n, 'cf8000000000000000'],
  [18446744073709551615n, 'cfffffffffffffffff'],
  [-1n, 'ff'],
  [-32n, 'e0'],
  [-33n, 'd0df'],
  [-128n, 'd080'],
  [-129n, 'd1ff7f'],
  [-32768n, 'd18000'],
  [-32769n, 'd2ffff7fff'],
  [-2147483648n, 'd280000000'],
  [-2147483649n, 'd3ffffffff7fffffff'],
  [-9007199254740992n, 'd3ffe0000000000000'],
  [-9223372036854775808n, 'd38000000000000000'],
];

const HEADERS: [string, MsgpackValue, string, number][] = [
  ['empty raw', new Uint8Array(0), 'a0', 1],
  ['raw of 31', new Uint8Array(31), 'bf', 32],
  ['raw of 32, never str8 or bin', new Uint8Array(32), 'da0020', 35],
  ['raw of 255', new Uint8Array(255), 'da00ff', 258],
  ['raw of 65535', new Uint8Array(65535), 'daffff', 65538],
  ['raw of 65536', new Uint8Array(65536), 'db00010000', 65541],
  ['array of 15', Array(15).fill(0), '9f', 16],
  ['array of 16', Array(16).fill(0), 'dc0010', 19],
  ['array of 65535', Array(65535).fill(0), 'dcffff', 65538],
  ['array of 65536', Array(65536).fill(0), 'dd00010000', 65541],
  ['map of 15', numbered(15), '8f', 31],
  ['map of 16', numbered(16), 'de0010', 35],
  ['map of 65535', numbered(65535), 'deffff', 261759],
  ['map of 65536', numbered(65536), 'df00010000', 261765],
];

function numbered(count: number): Map<MsgpackKey, MsgpackValue> {
  return new Map(Array.from({ length: count }, (_, i) => [i, 0]));
}

test('encode() writes integers as the reference does', () => {
  for (const [value, hex] of INTEGERS) {
    assert.equal(toHex(encode(value)), hex, String(value));
    if (value === BigInt(Number(value)) && Number.isSafeInteger(Number(value))) {
      assert.equal(toHex(encode(Number(value))), hex, `${value} as number`);
    }
  }
});

test('encode() writes the shortest old header for every length', () => {
  for (const [name, value, header, length] of HEADERS) {
    const packed = encode(value);
    assert.equal(toHex(packed.subarray(0, header.length / 2)), header, name);
    assert.equal(packed.length, length, name);
  }
});

test('encode() writes floats as doubles', () => {
  assert.equal(toHex(encode(1.5)), 'cb3ff8000000000000');
  assert.equal(toHex(encode(-0.25)), 'cbbfd0000000000000');
  assert.equal(toHex(encode(1e300)), 'cb7e37e43c8800759c');
});

test('encode() writes text as UTF-8, and lone surrogates as the bytes they stand for', () => {
  assert.equal(toHex(encode('grün')), 'a56772c3bc6e');
  assert.equal(toHex(encode('a\udcffb')), 'a361ff62');
});

test('encode() writes map keys as binary strings and object keys as text', () => {
  const nested = new Map<MsgpackKey, MsgpackValue>([
    [
      '\xff\x00',
      [
        null,
        true,
        false,
        new Map<MsgpackKey, MsgpackValue>([
          [1, fromUtf8('a')],
          [-5, ''],
        ]),
      ],
    ],
    ['b', [1, 'c']],
  ]);
  assert.equal(toHex(encode(nested)), '82a2ff0094c0c3c28201a161fba0a1629201a163');
  assert.equal(toHex(encode({ ü: 1, b: [] })), '82a2c3bc01a16290');
});

test('encode() refuses what msgpack has no form for', () => {
  const deep: MsgpackValue[] = [];
  let inner = deep;
  for (let i = 0; i < 600; i++) {
    const next: MsgpackValue[] = [];
    inner.push(next);
    inner = next;
  }
  const cases: [string, unknown][] = [
    ['2^64', 2n ** 64n],
    ['below -2^63', -(2n ** 63n) - 1n],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a map key that is text', new Map([['€', 1]])],
    ['deep nesting', deep],
  ];
  for (const [name, value] of cases) {
    assert.throws(() => encode(value as MsgpackValue), MsgpackError, name);
  }
  // The failed value leaves nothing behind.
  assert.equal(toHex(encode(1)), '01');
});

test('encode() gives bytes that a later call does not change', () => {
  const first = encode('first');
  encode('other');
  assert.deepEqual(decode(first), fromUtf8('first'));
});
