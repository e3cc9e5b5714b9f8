import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatFileSize, parseFileSize } from '../../src/util/file-size.ts';

describe('file sizes', () => {
  const parsed: [text: string, sizeBytes: number][] = [
    ['1', 1],
    ['20', 20],
    ['5K', 5000],
    ['1.75M', 1750000],
    ['1e+9', 1e9],
    ['-1T', -1e12],
    ['55G', 55e9],
    ['1.7T', 1.7e12],
    ['2P', 2e15],
    [' 7 ', 7],
  ];
  for (const [text, sizeBytes] of parsed) {
    it(`parseFileSize() reads ${JSON.stringify(text)}`, () => assert.equal(parseFileSize(text), sizeBytes));
  }

  for (const text of ['', '5 Äpfel', '4M 3', '12.3.4', 'nan', 'inf', '0x10', 'K', '9e99', '5k']) {
    it(`parseFileSize() rejects ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseFileSize(text), RangeError);
    });
  }

  const formatted: [sizeBytes: number, decimal: string, iec: string][] = [
    [0, '0 B', '0 B'],
    [1, '1 B', '1 B'],
    [999, '999 B', '999 B'],
    [1000, '1.00 kB', '1000 B'],
    [1024, '1.02 kB', '1.00 KiB'],
    [142, '142 B', '142 B'],
    [1125, '1.12 kB', '1.10 KiB'],
    [1375, '1.38 kB', '1.34 KiB'],
    [1625, '1.62 kB', '1.59 KiB'],
    [999_999, '1.00 MB', '976.56 KiB'],
    [20e6, '20.00 MB', '19.07 MiB'],
    [3e12, '3.00 TB', '2.73 TiB'],
    [-1500, '-1.50 kB', '-1.46 KiB'],
  ];
  for (const [sizeBytes, decimal, iec] of formatted) {
    it(`formatFileSize() shows ${sizeBytes} as ${decimal}, or ${iec}`, () => {
      assert.equal(formatFileSize(sizeBytes), decimal);
      assert.equal(formatFileSize(sizeBytes, { iec: true }), iec);
    });
  }

  it('formatFileSize() can show a plus', () => {
    assert.equal(formatFileSize(5e6, { sign: true }), '+5.00 MB');
    assert.equal(formatFileSize(0, { sign: true }), '0 B');
  });
});
