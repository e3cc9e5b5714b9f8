import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reprBytes } from '../../src/util/python-bytes.ts';

const cases: readonly (readonly [bytes: string, text: string])[] = [
  ['', `b''`],
  ['az ~', `b'az ~'`],
  ['\t\n\r\\', String.raw`b'\t\n\r\\'`],
  ['\0\x1f\x7f\xff', String.raw`b'\x00\x1f\x7f\xff'`],
  [`it's`, `b"it's"`],
  ['"', `b'"'`],
  [`'"`, String.raw`b'\'"'`],
];

for (const [bytes, text] of cases) {
  test(`reprBytes() gives ${text}`, () => {
    assert.equal(reprBytes(Buffer.from(bytes, 'latin1')), text);
  });
}
