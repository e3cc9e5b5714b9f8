import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { COMMIT_ENTRY, SEGMENT_MAGIC, encodeDelete, encodePut } from '../../../src/format/segment.ts';
import { salvageSegment } from '../../../src/repository/check/salvage.ts';
import type { Salvage, SalvageOptions } from '../../../src/repository/check/salvage.ts';
import { SalvagedSegment } from '../../../src/repository/check/salvaged-segment.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { createWholeFile, readWholeFile } from '../../../src/store/whole-file.ts';
import { ByteRanges } from '../../../src/util/byte-ranges.ts';
import { concatBytes } from '../../../src/util/bytes.ts';
import { HashIndex } from '../../../src/util/hash-index.ts';
import { dataOf, idOf } from '../fakes.ts';
import { withBadSectors } from './sample.ts';

const SEGMENT = 7;
const breathe = async () => {};

function salvage(bytes: Uint8Array, options: Partial<SalvageOptions> = {}): Promise<Salvage> {
  const store = new MemoryStore();
  createWholeFile(store, 'file', bytes);
  return salvageSegment(store.openFile('file'), SEGMENT, { breathe, ...options });
}

/** Entries end to end behind the magic, and where each begins. */
function segmentOf(...entries: Uint8Array[]): { bytes: Uint8Array; offsets: number[] } {
  let offset = SEGMENT_MAGIC.length;
  const offsets = entries.map((entry) => {
    offset += entry.length;
    return offset - entry.length;
  });
  return { bytes: concatBytes([SEGMENT_MAGIC, ...entries]), offsets };
}

const offsetsOf = ({ entries }: Salvage) => entries.map(({ offset }) => offset);

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 0x21;
  return copy;
}

/** What an index knows: key and offset of objects in the segment. */
function indexOf(...objects: [key: Uint8Array, offset: number, segment?: number][]): HashIndex {
  const index = new HashIndex({ valueWords: 2 });
  for (const [key, offset, segment = SEGMENT] of objects) index.set(key, segment, offset);
  return index;
}

describe('salvageSegment()', () => {
  it('keeps all of a sound segment', async () => {
    const { bytes, offsets } = segmentOf(encodePut(idOf(1), dataOf(1)), encodeDelete(idOf(2)), COMMIT_ENTRY);
    const result = await salvage(bytes);
    assert.deepEqual(offsetsOf(result), offsets);
    assert.ok(result.lost.isEmpty);
  });

  it('loses one entry to a flipped byte, wherever in it that is', async () => {
    const entries = [1, 2, 3].map((n) => encodePut(idOf(n), dataOf(n, 60)));
    const { bytes, offsets } = segmentOf(...entries, COMMIT_ENTRY);
    for (let at = offsets[1]!; at < offsets[2]!; at++) {
      const result = await salvage(flipped(bytes, at));
      assert.deepEqual(offsetsOf(result), [offsets[0], offsets[2], offsets[3]], `at ${at}`);
      assert.deepEqual([...result.lost], [{ offset: offsets[1], sizeBytes: entries[1]!.length }]);
    }
  });

  it('loses nothing but the magic to a damaged magic', async () => {
    const { bytes, offsets } = segmentOf(encodePut(idOf(1), dataOf(1)), COMMIT_ENTRY);
    for (let at = 0; at < SEGMENT_MAGIC.length; at++) {
      const result = await salvage(flipped(bytes, at));
      assert.deepEqual(offsetsOf(result), offsets);
      assert.deepEqual([...result.lost], [{ offset: 0, sizeBytes: 8 }]);
    }
  });

  const odd: [name: string, bytes: Uint8Array][] = [
    ['no bytes', new Uint8Array(0)],
    ['half a magic', SEGMENT_MAGIC.subarray(0, 4)],
    ['a magic only', SEGMENT_MAGIC],
    ['half a header', concatBytes([SEGMENT_MAGIC, COMMIT_ENTRY.subarray(0, 8)])],
    ['zeros', new Uint8Array(5000)],
    ['ones', new Uint8Array(5000).fill(255)],
    ['sizes as large as can be', new Uint8Array(5000).fill(1)],
  ];
  for (const [name, bytes] of odd) {
    it(`finds nothing in ${name}`, async () => {
      assert.deepEqual(offsetsOf(await salvage(bytes)), []);
    });
  }

  it('finds entries wherever garbage has moved them', async () => {
    const entries = [1, 2, 3].map((n) => encodePut(idOf(n), dataOf(n, 500)));
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 8, max: 1600 }),
        fc.boolean(),
        async (garbage, at, replaces) => {
          const { bytes, offsets } = segmentOf(...entries);
          const rest = bytes.subarray(replaces ? Math.min(bytes.length, at + garbage.length) : at);
          const damaged = concatBytes([bytes.subarray(0, at), garbage, rest]);
          const { entries: found } = await salvage(damaged);
          const untouched = offsets.filter((offset, number) => {
            const end = offset + entries[number]!.length;
            return end <= at || offset >= at + (replaces ? garbage.length : 0);
          });
          assert.ok(found.length >= untouched.length, `${found.length} of ${untouched.length}`);
          for (const { offset, sizeBytes } of found) {
            const entry = Buffer.from(damaged.subarray(offset, offset + sizeBytes));
            assert.ok(entries.some((one) => entry.equals(one)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  describe('with a stored segment of another repository in it', () => {
    const foreign = segmentOf(
      encodePut(MANIFEST_ID, dataOf('foreign')),
      encodeDelete(idOf(1)),
      COMMIT_ENTRY,
    ).bytes;
    const manifest = encodePut(MANIFEST_ID, dataOf('ours'));
    const carrier = encodePut(idOf('carrier'), foreign);
    const behind = encodePut(idOf(3), dataOf(3));
    const { bytes, offsets } = segmentOf(encodePut(idOf(1), dataOf(1)), manifest, carrier, behind);
    const index = indexOf(
      [idOf(1), offsets[0]!],
      [MANIFEST_ID, offsets[1]!],
      [idOf('carrier'), offsets[2]!],
      [idOf(3), offsets[3]!],
    );
    const ours = [offsets[0], offsets[1], offsets[3]];

    it('takes none of its entries where only data is damaged', async () => {
      const result = await salvage(flipped(bytes, offsets[2]! + 41 + 3));
      assert.deepEqual(offsetsOf(result), ours);
    });

    it('takes none of its entries where the header is damaged, if there is an index to go by', async () => {
      for (let at = offsets[2]! + 4; at < offsets[2]! + 9; at++) {
        assert.deepEqual(offsetsOf(await salvage(flipped(bytes, at), { index })), ours, `at ${at}`);
      }
    });

    it('takes what has a right CRC where there is no index, but no COMMIT amid the segment', async () => {
      const result = await salvage(flipped(bytes, offsets[2]! + 8));
      assert.deepEqual(
        result.entries.map(({ tag }) => tag),
        [0, 0, 0, 1, 0],
      );
    });
  });

  it('takes replaced and deleted objects behind the damage as far as the index allows them', async () => {
    const entries = [
      encodePut(idOf('damaged'), dataOf('damaged')),
      encodePut(idOf('replaced later'), dataOf(1)),
      encodePut(idOf('unknown'), dataOf(2)),
      encodePut(idOf('stored earlier'), dataOf(3)),
      encodeDelete(idOf('gone')),
      encodePut(idOf('live'), dataOf(4)),
      encodePut(idOf('unknown too'), dataOf(5)),
    ];
    const { bytes, offsets } = segmentOf(...entries);
    const index = indexOf(
      [idOf('replaced later'), 8, SEGMENT + 1],
      [idOf('stored earlier'), 8, SEGMENT - 1],
      [idOf('live'), offsets[5]!],
    );
    const result = await salvage(flipped(bytes, offsets[0]! + 8), { index });
    // Behind the live one, entries follow one another again.
    assert.deepEqual(offsetsOf(result), [offsets[1], offsets[4], offsets[5], offsets[6]]);
  });

  it('keeps every entry that has no byte in a bad sector', async () => {
    const entries = Array.from({ length: 40 }, (_, n) => encodePut(idOf(n), dataOf(n, 100 * n)));
    const { bytes, offsets } = segmentOf(...entries);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(Math.floor(bytes.length / 512)), { maxLength: 6 }),
        async (sectors) => {
          const bad = new ByteRanges(
            sectors.map((sector) => ({ offset: 512 * sector, sizeBytes: 512 })),
          ).within(bytes.length);
          const store = new MemoryStore();
          createWholeFile(store, 'file', bytes);
          const faulty = withBadSectors(store, new Map([['file', [...bad]]]));
          const result = await salvageSegment(faulty.openFile('file'), SEGMENT, { breathe });
          const expected = offsets.filter(
            (offset, n) => bad.firstIn(offset, entries[n]!.length) === undefined,
          );
          assert.deepEqual(offsetsOf(result), expected);
          assert.deepEqual([...result.bad], [...bad]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('believes nothing of ranges that are given as bad, whatever they read as', async () => {
    const { bytes, offsets } = segmentOf(encodePut(idOf(1), dataOf(1, 3000)), encodePut(idOf(2), dataOf(2)));
    const result = await salvage(bytes, { bad: [{ offset: 1000, sizeBytes: 1 }] });
    assert.deepEqual(offsetsOf(result), [offsets[1]]);
  });
});

describe('SalvagedSegment', () => {
  it('holds the magic and the kept entries, and knows where each byte was', async () => {
    const entries = [1, 2, 3, 4].map((n) => encodePut(idOf(n), dataOf(n)));
    const { bytes, offsets } = segmentOf(...entries);
    const { entries: found } = await salvage(flipped(bytes, offsets[1]! + 20));
    const salvaged = new SalvagedSegment(found);
    const store = new MemoryStore();
    createWholeFile(store, 'damaged', flipped(bytes, offsets[1]! + 20));
    const file = store.createFile('mended');
    salvaged.copy(store.openFile('damaged'), file);
    const expected = segmentOf(entries[0]!, entries[2]!, entries[3]!);
    assert.deepEqual(readWholeFile(store, 'mended', 1e6), expected.bytes);
    assert.equal(salvaged.sizeBytes, expected.bytes.length);
    const moved = salvaged.moved(found).map(({ offset }) => offset);
    assert.deepEqual(moved, expected.offsets);
    assert.deepEqual(
      moved.map((offset) => salvaged.source(offset)),
      [offsets[0], offsets[2], offsets[3]],
    );
    assert.deepEqual(
      offsets.map((offset) => salvaged.keeps(offset)),
      [true, false, true, true],
    );
  });
});
