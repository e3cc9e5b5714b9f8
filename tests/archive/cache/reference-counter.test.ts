import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { ChunkIndex, MAX_REFCOUNT } from '../../../src/archive/cache/chunk-index.ts';
import { ReferenceCounter } from '../../../src/archive/cache/reference-counter.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { encodeItem, type Item } from '../../../src/format/item.ts';
import { encode } from '../../../src/msgpack/encode.ts';
import { concatBytes, fromHex, fromUtf8, toHex } from '../../../src/util/bytes.ts';

const id = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const file = (name: string, chunks: number[], part?: number): Item => ({
  path: fromUtf8(name),
  mode: 0o100644,
  mtimeNs: 1_700_000_000_000_000_000n,
  xattrs: new Map([['user.chunks', fromUtf8('chunks')]]),
  chunks: chunks.map((n) => ({ id: id(n), size: 1000 + n, csize: 70_000 + n })),
  ...(part === undefined ? {} : { part }),
});

describe('ReferenceCounter', () => {
  const items = [
    file('a', [1, 2, 1]),
    { path: fromUtf8('dir'), mode: 0o040755, mtimeNs: 0n },
    file('empty', []),
    file('b.borg_part_1', [3], 1),
    file('b', [3, 4]),
  ];
  const stream = concatBytes(items.map(encodeItem));

  function assertCounted(index: ChunkIndex, counter: ReferenceCounter): void {
    const counts = [...index.entries()].map(([key, entry]) => [key[0], entry.refcount]);
    assert.deepEqual(
      counts.toSorted(([a = 0], [b = 0]) => a - b),
      [
        [1, 2],
        [2, 1],
        [3, 2],
        [4, 1],
      ],
    );
    assert.deepEqual(index.get(id(2)), { refcount: 1, sizeBytes: 1002, csizeBytes: 70_002 });
    assert.deepEqual([counter.totalFiles, counter.partFiles], [4, 1]);
    assert.deepEqual([counter.totalSizeBytes, counter.partSizeBytes], [6014, 1003]);
  }

  it('counts the chunks of a stream', () => {
    const index = new ChunkIndex();
    const counter = new ReferenceCounter(index);
    counter.feed(stream);
    assertCounted(index, counter);
  });

  it('counts the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 30 }), (cuts) => {
        const index = new ChunkIndex();
        const counter = new ReferenceCounter(index);
        let start = 0;
        for (const end of [...cuts.toSorted((a, b) => a - b), stream.length]) {
          const piece = stream.slice(start, end);
          counter.feed(piece);
          // The caller may use its buffer again.
          piece.fill(0xc1);
          start = end;
        }
        assertCounted(index, counter);
      }),
      { numRuns: 100 },
    );
  });

  it('does not count past the largest count', () => {
    const index = new ChunkIndex();
    index.add(id(1), MAX_REFCOUNT, 1001, 70_001);
    new ReferenceCounter(index).feed(stream);
    assert.equal(index.get(id(1))?.refcount, MAX_REFCOUNT);
  });

  const damaged: [what: string, bytes: Uint8Array][] = [
    ['something else than a map', encode([1, 2])],
    ['chunks that are no list', encode(new Map([['chunks', 1]]))],
    ['a chunk of two fields', encode(new Map([['chunks', [[id(1), 2]]]]))],
    ['an id of 31 bytes', encode(new Map([['chunks', [[new Uint8Array(31), 2, 100_000]]]]))],
    ['a negative size', encode(new Map([['chunks', [[id(1), -2, 3]]]]))],
    ['a type that msgpack does not have', fromHex('81a161c1')],
    [
      'lists in lists without end',
      new Uint8Array(1000).fill(0x91, 3).map((b, i) => [0x81, 0xa1, 0x61][i] ?? b),
    ],
  ];
  for (const [what, bytes] of damaged) {
    it(`feed() rejects ${what}`, () => {
      assert.throws(() => new ReferenceCounter(new ChunkIndex()).feed(bytes), IntegrityError);
    });
  }
});

describe('ChunkIndex', () => {
  it('merge() adds counts and takes the other’s sizes', () => {
    const index = new ChunkIndex();
    index.add(id(1), 2, 10, 0);
    const other = new ChunkIndex();
    other.add(id(1), 3, 10, 7);
    other.add(id(2), 1, 20, 8);
    other.table.compact();
    index.merge(other);
    assert.deepEqual(index.get(id(1)), { refcount: 5, sizeBytes: 10, csizeBytes: 7 });
    assert.deepEqual(index.get(id(2)), { refcount: 1, sizeBytes: 20, csizeBytes: 8 });
  });

  it('statsAgainst() takes a chunk as unique where all references are its own', () => {
    const master = new ChunkIndex();
    master.add(id(1), 2, 10, 5);
    master.add(id(2), 3, 100, 50);
    const own = new ChunkIndex();
    own.add(id(1), 2, 10, 5);
    own.add(id(2), 1, 100, 50);
    const { uniqueCsizeBytes, csizeBytes, uniqueChunks, chunks } = own.statsAgainst(master);
    assert.deepEqual([uniqueCsizeBytes, csizeBytes, uniqueChunks, chunks], [5, 60, 1, 3]);
  });

  it('decref() refuses to go below zero', () => {
    const index = new ChunkIndex();
    index.add(id(1), 1, 10, 5);
    assert.equal(index.decref(id(1))?.refcount, 0);
    assert.throws(() => index.decref(id(1)), new RegExp(toHex(id(1))));
  });

  it('never deletes what sticks at the largest count', () => {
    const index = new ChunkIndex();
    index.add(id(1), MAX_REFCOUNT, 10, 5);
    assert.equal(index.decref(id(1))?.refcount, MAX_REFCOUNT);
    assert.equal(index.incref(id(1))?.refcount, MAX_REFCOUNT);
  });
});
