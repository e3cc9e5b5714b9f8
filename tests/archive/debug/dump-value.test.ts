import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpValue } from '../../../src/archive/debug/dump-value.ts';
import { encode } from '../../../src/msgpack/encode.ts';
import { decode } from '../../../src/msgpack/decode.ts';
import type { MsgpackValue } from '../../../src/msgpack/value.ts';
import { encodeJson } from '../../../src/util/json-text.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

const cases: readonly (readonly [title: string, value: MsgpackValue, json: string])[] = [
  ['text', 'é', String.raw`"\u00e9"`],
  ['no bytes', bytes(), '""'],
  ['bytes that are not UTF-8', bytes(0x61, 0xff), String.raw`"\u007f61ff"`],
  ['text that looks like hex digits', bytes(0x7f, 0x61), String.raw`"\u007f7f61"`],
  ['a mark within a text', bytes(0x61, 0x7f), String.raw`"a\u007f"`],
  ['a byte order mark', bytes(0xef, 0xbb, 0xbf), String.raw`"\ufeff"`],
  ['a time beyond 2^53', 2n ** 63n, '9223372036854775808'],
  ['what is neither text nor number', [null, true, [1.5]], '[null, true, [1.5]]'],
  ['names in the order of their bytes', { b: 1, B: { z: 1, y: [{ d: 1, c: 2 }] } }, ''],
];

for (const [title, value, json] of cases) {
  test(`dumpValue() shows ${title}`, () => {
    const expected = json === '' ? '{"B": {"y": [{"c": 2, "d": 1}], "z": 1}, "b": 1}' : json;
    assert.equal(encodeJson(dumpValue(decode(encode(value)))), expected);
  });
}

test('dumpValue() keeps the order of names that are numbers', () => {
  const map = new Map<string, MsgpackValue>([
    ['9', 1],
    ['10', 2],
  ]);
  assert.equal(encodeJson(dumpValue(decode(encode(map)))), '{"10": 2, "9": 1}');
});

test('dumpValue() shows names that are not UTF-8', () => {
  assert.equal(encodeJson(dumpValue(new Map([['\xff', 1]]))), String.raw`{"\u007fff": 1}`);
});
