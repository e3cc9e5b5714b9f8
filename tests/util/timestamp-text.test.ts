import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimestampText } from '../../src/util/timestamp-text.ts';

for (const [text, seconds] of [
  ['2026-11-22', 1795305600],
  ['2026-11-22T10:11:12', 1795342272],
  ['2026-11-22T10:11:12Z', 1795342272],
  ['2026-11-22T10:11:12+00:00', 1795342272],
  ['2026-1-2 3:4:5', 1767323045],
  ['2026-11-22 10:11', 1795342260],
  ['2024-060', 1709164800],
  ['0001-01-01', -62135596800],
  ['2026-02-30', undefined],
  ['2026-11-22T24:00', undefined],
  ['2026-11-22T10:11:12+01:00', undefined],
  ['26-01-01', undefined],
  ['', undefined],
] as const) {
  test(`parseTimestampText() takes '${text}' for ${seconds}`, () => {
    const expected = seconds === undefined ? undefined : BigInt(seconds) * 1_000_000n;
    assert.equal(parseTimestampText(text), expected);
  });
}
