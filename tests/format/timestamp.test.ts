import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { MetadataError } from '../../src/format/metadata-fields.ts';
import { decodeTimestamp, encodeTimestamp, nextTimestamp } from '../../src/format/timestamp.ts';

const NOON_NS = 1_706_702_400_000_000_000n; // 2024-01-31T12:00:00

test('encodeTimestamp() writes microseconds and cuts off what is finer', () => {
  assert.equal(encodeTimestamp(NOON_NS), '2024-01-31T12:00:00.000000');
  assert.equal(encodeTimestamp(NOON_NS + 123_456_789n), '2024-01-31T12:00:00.123456');
  assert.equal(encodeTimestamp(-1n), '1969-12-31T23:59:59.999999');
  assert.throws(() => encodeTimestamp(10n ** 21n), RangeError);
});

test('decodeTimestamp() reads times with and without a fraction', () => {
  assert.equal(decodeTimestamp('2024-01-31T12:00:00'), NOON_NS);
  assert.equal(decodeTimestamp('2024-01-31T12:00:00.5'), NOON_NS + 500_000_000n);
  assert.equal(decodeTimestamp('2024-01-31T12:00:00.000001'), NOON_NS + 1000n);
  assert.equal(decodeTimestamp('2024-02-29T23:59:59'), 1_709_251_199_000_000_000n);
});

test('decodeTimestamp() gives back what encodeTimestamp() was given', () => {
  const us = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
  fc.assert(
    fc.property(us, (time) => {
      assert.equal(decodeTimestamp(encodeTimestamp(time * 1000n)), time * 1000n);
    }),
  );
});

test('decodeTimestamp() rejects what is no time', () => {
  const cases = [
    '',
    '2024-01-31',
    '2024-01-31 12:00:00',
    '2024-01-31T12:00:00Z',
    '2024-01-31T12:00:00.',
    '2024-01-31T12:00:00.1234567',
    '2024-02-30T12:00:00',
    '2023-02-29T12:00:00',
    '2024-13-01T12:00:00',
    '2024-00-01T12:00:00',
    '2024-01-00T12:00:00',
    '2024-01-31T24:00:00',
    '2024-01-31T12:60:00',
    '2024-01-31T12:00:60',
    '0000-01-31T12:00:00',
  ];
  for (const text of cases) assert.throws(() => decodeTimestamp(text), MetadataError, text);
});

test('nextTimestamp() always grows', () => {
  assert.equal(nextTimestamp(undefined, NOON_NS), '2024-01-31T12:00:00.000000');
  assert.equal(nextTimestamp('2024-01-30T12:00:00.000000', NOON_NS), '2024-01-31T12:00:00.000000');
  assert.equal(nextTimestamp('2024-01-31T12:00:00.000000', NOON_NS), '2024-01-31T12:00:00.000001');
  assert.equal(nextTimestamp('2030-12-31T23:59:59.999999', NOON_NS), '2031-01-01T00:00:00.000000');
});
