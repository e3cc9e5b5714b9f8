import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { RescueMapError, decodeRescueMap, encodeRescueMap } from '../../src/format/rescue-map.ts';
import { ByteRanges } from '../../src/util/byte-ranges.ts';

/** As GNU ddrescue 1.27 writes it. */
const MAP = `# Mapfile. Created by GNU ddrescue version 1.27
# Command line: ddrescue -d 17 /mnt/17 17.map
# Start time:   2026-01-31 12:00:00
# Current time: 2026-01-31 12:00:09
# Finished
# current_pos  current_status  current_pass
0x00117000     +               1
#      pos        size  status
0x00000000  0x00117000  +
0x00117000  0x00000200  -
0x00117200  0x00001000  /
0x00118200  0x00007E00  *
0x00120000  0x00048000  ?
0x00168000  0x7FFFFFFFFFE98000  +
`;

describe('a mapfile', () => {
  it('decodeRescueMap() takes for bad whatever was not read', () => {
    assert.deepEqual([...decodeRescueMap(MAP)], [{ offset: 0x117000, sizeBytes: 0x168000 - 0x117000 }]);
  });

  it('decodeRescueMap() reads decimal and octal numbers, and a status line without a pass', () => {
    const bad = decodeRescueMap('010 ?\n0 8 +\n8 010 -\n16\t0x10\t+ # comment\n');
    assert.deepEqual([...bad], [{ offset: 8, sizeBytes: 8 }]);
  });

  it('decodeRescueMap() takes a block to the end of all numbers for one to the end of the file', () => {
    const bad = decodeRescueMap('0 ? 1\n0 0x7FFFFFFFFFFFFFFF ?\n').within(1000);
    assert.deepEqual([...bad], [{ offset: 0, sizeBytes: 1000 }]);
  });

  const broken: [name: string, text: string, message: RegExp][] = [
    ['no line', '# nothing\n', /no status line/],
    ['no status line', '0x0 0x10 0x20 +\n', /line 1: no status line/],
    ['an unknown state', '0 X 1\n', /line 1: unknown status "X"/],
    ['an unknown block status', '0 + 1\n0 10 x\n', /line 2: unknown status "x"/],
    ['a block without a size', '0 + 1\n0 +\n', /line 2: no block/],
    ['a negative size', '0 + 1\n0 -5 +\n', /line 2: no block/],
    ['a gap', '0 + 1\n0 10 +\n20 10 +\n', /line 3: the block does not begin where/],
    ['an overlap', '0 + 1\n0 10 +\n5 10 +\n', /line 3: the block does not begin where/],
  ];
  for (const [name, text, message] of broken) {
    it(`decodeRescueMap() refuses ${name}`, () => {
      assert.throws(
        () => decodeRescueMap(text),
        (error) => error instanceof RescueMapError && message.test(error.message),
      );
    });
  }

  it('decodeRescueMap() gives back what encodeRescueMap() was given', () => {
    const range = fc.record({ offset: fc.nat(2 ** 40), sizeBytes: fc.nat(2 ** 30) });
    fc.assert(
      fc.property(fc.array(range), fc.nat(2 ** 41), (ranges, sizeBytes) => {
        const bad = new ByteRanges(ranges);
        assert.deepEqual([...decodeRescueMap(encodeRescueMap(sizeBytes, bad))], [...bad.within(sizeBytes)]);
      }),
    );
  });
});
