import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileSizeOptions, formatFileSize } from '../../src/util/file-size.ts';

const cases: readonly (readonly [number, FileSizeOptions, string])[] = [
  [0, {}, '0 B'],
  [1, {}, '1 B'],
  [999, {}, '999 B'],
  [1000, {}, '1.00 kB'],
  [1125, {}, '1.12 kB'],
  [1135, {}, '1.14 kB'],
  [999994, {}, '999.99 kB'],
  [999995, {}, '1.00 MB'],
  [999999, {}, '1.00 MB'],
  [123456789, {}, '123.46 MB'],
  [1000000000000000, {}, '1.00 PB'],
  [9007199254740991, {}, '9.01 PB'],
  [1023, { iec: true }, '1023 B'],
  [1024, { iec: true }, '1.00 KiB'],
  [1610612736, { iec: true }, '1.50 GiB'],
  [-1500, {}, '-1.50 kB'],
  [1500, { sign: true }, '+1.50 kB'],
  [0, { sign: true }, '0 B'],
  [1500, { precision: 0 }, '2 kB'],
  [2500, { precision: 0 }, '2 kB'],
  [1234567, { precision: 3 }, '1.235 MB'],
];

for (const [sizeBytes, options, expected] of cases) {
  test(`formatFileSize() shows ${sizeBytes} as ${expected}`, () => {
    assert.equal(formatFileSize(sizeBytes, options), expected);
  });
}
