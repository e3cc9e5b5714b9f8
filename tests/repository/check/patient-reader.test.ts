import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { PatientReader } from '../../../src/repository/check/patient-reader.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { StoreError } from '../../../src/store/store.ts';
import type { ReadHandle } from '../../../src/store/store.ts';
import { createWholeFile } from '../../../src/store/whole-file.ts';
import { ByteRanges } from '../../../src/util/byte-ranges.ts';
import type { ByteRange } from '../../../src/util/byte-ranges.ts';
import { noise } from '../../noise.ts';
import { withBadSectors } from './sample.ts';

const SIZE_BYTES = 300_000;
const content = new Uint8Array(noise(SIZE_BYTES));

/** A disk of these sectors, some of them bad; `blockSizeBytes` is what it reads at once. */
function disk(
  bad: readonly ByteRange[],
  blockSizeBytes = 512,
): ReadHandle & { readonly failedReads: number } {
  const store = new MemoryStore();
  createWholeFile(store, 'file', content);
  const blocks = bad.map(({ offset, sizeBytes }) => {
    const start = offset - (offset % blockSizeBytes);
    return {
      offset: start,
      sizeBytes: Math.ceil((offset + sizeBytes - start) / blockSizeBytes) * blockSizeBytes,
    };
  });
  const faulty = withBadSectors(store, new Map([['file', blocks]]));
  const handle = faulty.openFile('file');
  return {
    read: (into, position) => handle.read(into, position),
    sizeBytes: () => handle.sizeBytes(),
    close: () => handle.close(),
    get failedReads() {
      return faulty.failedReads;
    },
  };
}

function readAll(reader: PatientReader): Uint8Array {
  const bytes = new Uint8Array(SIZE_BYTES);
  assert.equal(reader.read(bytes, 0), SIZE_BYTES);
  return bytes;
}

function zeroed(bad: Iterable<ByteRange>): Uint8Array {
  const expected = Uint8Array.from(content);
  for (const { offset, sizeBytes } of bad) expected.fill(0, offset, offset + sizeBytes);
  return expected;
}

describe('PatientReader', () => {
  it('loses only the sectors that are bad', () => {
    const bad = [
      { offset: 512, sizeBytes: 512 },
      { offset: 65536, sizeBytes: 1024 },
      { offset: 299_520, sizeBytes: 480 },
    ];
    const reader = new PatientReader(disk(bad));
    assert.deepEqual(readAll(reader), zeroed(bad));
    assert.deepEqual([...reader.bad], bad);
  });

  it('loses only the pages that are bad, where the disk reads pages', () => {
    const reader = new PatientReader(disk([{ offset: 5000, sizeBytes: 1 }], 4096));
    const page = { offset: 4096, sizeBytes: 4096 };
    assert.deepEqual(readAll(reader), zeroed([page]));
    assert.deepEqual([...reader.bad], [page]);
  });

  it('gives up on sectors where none of a page can ever be read', () => {
    const handle = disk([{ offset: 0, sizeBytes: 64 * 1024 }], 4096);
    const reader = new PatientReader(handle);
    readAll(reader);
    assert.deepEqual([...reader.bad], [{ offset: 0, sizeBytes: 64 * 1024 }]);
    assert.ok(handle.failedReads < 64, `${handle.failedReads} reads of 16 pages`);
  });

  it('does not try again what was bad, nor what it was told is bad', () => {
    const handle = disk([{ offset: 8192, sizeBytes: 4096 }]);
    const reader = new PatientReader(handle, [{ offset: 100, sizeBytes: 50 }]);
    readAll(reader);
    const { failedReads } = handle;
    assert.deepEqual(
      readAll(reader),
      zeroed([
        { offset: 100, sizeBytes: 50 },
        { offset: 8192, sizeBytes: 4096 },
      ]),
    );
    assert.equal(handle.failedReads, failedReads);
  });

  it('ignores what it was told of bytes behind the end', () => {
    const reader = new PatientReader(disk([]), [{ offset: SIZE_BYTES - 1, sizeBytes: 2 ** 40 }]);
    assert.deepEqual([...reader.bad], [{ offset: SIZE_BYTES - 1, sizeBytes: 1 }]);
    assert.equal(reader.read(new Uint8Array(10), SIZE_BYTES), 0);
    assert.equal(reader.read(new Uint8Array(10), SIZE_BYTES + 5), 0);
  });

  it('hands on errors that are not about reading', () => {
    const handle = { ...disk([]), sizeBytes: () => 10 };
    handle.read = () => {
      throw new StoreError('EISDIR', 'read', 'file');
    };
    assert.throws(() => new PatientReader(handle).read(new Uint8Array(10), 0), { code: 'EISDIR' });
  });

  it('gives the bytes outside the bad sectors, wherever one reads', () => {
    const sector = fc.record({
      offset: fc.nat(585).map((n) => n * 512),
      sizeBytes: fc.constantFrom(512, 1024),
    });
    fc.assert(
      fc.property(
        fc.array(sector, { maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(SIZE_BYTES), fc.nat(70_000)), { minLength: 1, maxLength: 5 }),
        (bad, reads) => {
          const reader = new PatientReader(disk(bad));
          const truth = new ByteRanges(bad);
          for (const [position, sizeBytes] of reads) {
            const got = new Uint8Array(sizeBytes);
            const done = reader.read(got, position);
            assert.equal(done, Math.min(sizeBytes, SIZE_BYTES - position));
            assert.deepEqual(got.subarray(0, done), zeroed(truth).subarray(position, position + done));
          }
          for (const range of reader.bad) {
            assert.ok(truth.firstIn(range.offset, 1) !== undefined);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
