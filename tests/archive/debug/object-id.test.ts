import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHexDigits, parseObjectId } from '../../../src/archive/debug/object-id.ts';
import { toHex } from '../../../src/util/bytes.ts';

const refused = [
  ['', 'Expected 32 bytes (64 hex digits), got 0 bytes.'],
  ['abc', 'Odd-length string'],
  ['abz', 'Odd-length string'],
  ['zz', 'Non-hexadecimal digit found'],
  [' a', 'Non-hexadecimal digit found'],
  ['é', 'string argument should contain only ASCII characters'],
  ['ab'.repeat(33), 'Expected 32 bytes (64 hex digits), got 33 bytes.'],
] as const;

for (const [text, message] of refused) {
  test(`parseObjectId() refuses "${text}"`, () => {
    assert.throws(() => parseObjectId(text), { name: 'RangeError', message });
  });
}

test('parseObjectId() takes 64 digits of either case', () => {
  assert.equal(toHex(parseObjectId('aB'.repeat(32))), 'ab'.repeat(32));
});

test('parseHexDigits() takes any number of bytes', () => {
  assert.deepEqual(parseHexDigits(''), new Uint8Array(0));
  assert.deepEqual(parseHexDigits('00fF'), Uint8Array.of(0, 255));
});
