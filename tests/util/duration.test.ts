import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseIntervalHours } from '../../src/util/duration.ts';

const cases: readonly (readonly [number, string])[] = [
  [0, '0.00 seconds'],
  [7855, '0.01 seconds'],
  [1000000, '1.00 seconds'],
  [59995000, '59.99 seconds'],
  [61500000, '1 minutes 1.50 seconds'],
  [3600000000, '1 hours 0.00 seconds'],
  [3661000000, '1 hours 1 minutes 1.00 seconds'],
  [86400000000, '1 days 0.00 seconds'],
  [90061010000, '1 days 1 hours 1 minutes 1.01 seconds'],
  [-1000000, '-1 days 59.00 seconds'],
];

for (const [us, expected] of cases) {
  test(`formatDuration() shows ${us} microseconds as ${expected}`, () => {
    assert.equal(formatDuration(BigInt(us)), expected);
  });
}

test('parseIntervalHours() knows hours, days, weeks, months and years', () => {
  const hours = ['12H', '3d', '4w', '6m', '1y'].map(parseIntervalHours);
  assert.deepEqual(hours, [12, 72, 672, 4464, 8760]);
});

for (const [text, message] of [
  ['5', "Unexpected interval time unit \"5\": expected one of ['H', 'd', 'w', 'm', 'y']"],
  ['0d', 'Unexpected interval number "0": expected an integer greater than 0'],
  ['-1d', 'Unexpected interval number "-1": expected an integer greater than 0'],
  ['xw', 'Unexpected interval number "x": expected an integer greater than 0'],
  ['H', 'Unexpected interval number "": expected an integer greater than 0'],
] as const) {
  test(`parseIntervalHours() refuses ${text}`, () => {
    assert.throws(() => parseIntervalHours(text), new RangeError(message));
  });
}
