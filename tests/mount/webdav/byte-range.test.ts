import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRange } from '../../../src/mount/webdav/byte-range.ts';

const part = (offset: number, sizeBytes: number) => ({ offset, sizeBytes });

describe('parseRange() of a file of 1000 bytes', () => {
  const rows: [string, ReturnType<typeof parseRange>][] = [
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-499', part(0, 500)],
    ['bytes=500-', part(500, 500)],
    ['bytes=-1', part(999, 1)],
    ['bytes=-5000', part(0, 1000)],
    ['bytes=990-99999999999999999999', part(990, 10)],
    ['BYTES = 0-1', undefined],
    ['Bytes=0-1', part(0, 2)],
    ['bytes=0-9,10-19', part(0, 20)],
    ['bytes=0-9 , 5-30', part(0, 31)],
    ['bytes=,0-9,', part(0, 10)],
    ['bytes=0-9,2000-', part(0, 10)],
    ['bytes=0-9,20-29', undefined],
    ['bytes=1000-', 'none'],
    ['bytes=-0', 'none'],
    ['bytes=2000-3000,1000-', 'none'],
    ['bytes=9-3', undefined],
    ['bytes=-', undefined],
    ['bytes=', undefined],
    ['bytes=a-b', undefined],
    ['bytes=0x1-2', undefined],
    ['items=0-1', undefined],
    [`bytes=${'0-0,'.repeat(1000)}`, undefined],
  ];
  for (const [field, expected] of rows) {
    it(`makes of ${field.slice(0, 40)} ${JSON.stringify(expected) ?? 'the whole'}`, () =>
      assert.deepEqual(parseRange(field, 1000), expected));
  }

  it('finds no bytes in an empty file', () => {
    assert.equal(parseRange('bytes=0-', 0), 'none');
    assert.equal(parseRange('bytes=-5', 0), 'none');
  });
});
