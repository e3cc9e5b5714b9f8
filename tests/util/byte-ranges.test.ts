import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { ByteRanges } from '../../src/util/byte-ranges.ts';

const range = fc.record({ offset: fc.nat(40), sizeBytes: fc.nat(12) });

function bytesOf(ranges: Iterable<{ offset: number; sizeBytes: number }>): Set<number> {
  const bytes = new Set<number>();
  for (const { offset, sizeBytes } of ranges)
    for (let at = offset; at < offset + sizeBytes; at++) bytes.add(at);
  return bytes;
}

describe('ByteRanges', () => {
  it('holds the bytes that were added, in as few ranges as can be', () => {
    fc.assert(
      fc.property(fc.array(range), (added) => {
        const ranges = new ByteRanges(added);
        const bytes = bytesOf(added);
        assert.deepEqual(bytesOf(ranges), new Set([...bytes].toSorted((a, b) => a - b)));
        assert.equal(ranges.sizeBytes, bytes.size);
        assert.equal(ranges.isEmpty, bytes.size === 0);
        let end = -1;
        for (const { offset, sizeBytes } of ranges) {
          assert.ok(offset > end && sizeBytes > 0);
          end = offset + sizeBytes;
        }
      }),
    );
  });

  it('firstIn() gives the first range that has one of the bytes', () => {
    fc.assert(
      fc.property(fc.array(range), range, (added, asked) => {
        const ranges = new ByteRanges(added);
        const expected = [...ranges].find((one) =>
          [...bytesOf([one])].some((at) => bytesOf([asked]).has(at)),
        );
        if (asked.sizeBytes > 0) assert.deepEqual(ranges.firstIn(asked.offset, asked.sizeBytes), expected);
      }),
    );
  });

  it('outside() and within() part a file', () => {
    fc.assert(
      fc.property(fc.array(range), fc.nat(60), (added, sizeBytes) => {
        const ranges = new ByteRanges(added);
        const inside = bytesOf(ranges.within(sizeBytes));
        const outside = bytesOf(ranges.outside(sizeBytes));
        for (let at = 0; at < 60; at++) {
          const isAdded = bytesOf(added).has(at);
          assert.equal(inside.has(at), isAdded && at < sizeBytes);
          assert.equal(outside.has(at), !isAdded && at < sizeBytes);
        }
      }),
    );
  });
});
