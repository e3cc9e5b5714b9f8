import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ObjectReferences } from '../../../src/archive/check/object-references.ts';
import { ChunkIndex } from '../../../src/archive/cache/chunk-index.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { toHex } from '../../../src/util/bytes.ts';
import { HashIndex } from '../../../src/util/hash-index.ts';

const OBJECTS = 1500;

/** Scattered, but for some that collide. */
function idOf(number: number): Uint8Array {
  const id = new Uint8Array(32).fill(number);
  new DataView(id.buffer).setUint32(0, number % 5 === 0 ? 7 : Math.imul(number, 0x9e3779b1));
  return id;
}

/** A repository that has its table here, or has not. */
function repositoryOf(index: HashIndex, hasTable: boolean): Repository {
  const ids = [...index.keys()];
  const repository = {
    count: async () => ids.length,
    list: async (limit: number, marker?: Uint8Array) => {
      const from = marker === undefined ? 0 : ids.indexOf(marker) + 1;
      return ids.slice(from, from + limit);
    },
    ...(hasTable && { readTable: async () => index }),
  };
  return repository as unknown as Repository;
}

function sorted(ids: Iterable<Uint8Array>): string[] {
  return Array.from(ids, toHex).toSorted();
}

/** With deleted entries, too. */
function indexOf(numbers: Iterable<number>, deleted: Iterable<number> = []): HashIndex {
  const index = new HashIndex({ valueWords: 2, capacity: 3000 });
  for (const number of [...numbers, ...deleted]) index.set(idOf(number), 1, number);
  for (const number of deleted) index.delete(idOf(number));
  return index;
}

const KINDS = [
  { hasTable: true, changes: false, hasDeleted: false },
  { hasTable: true, changes: false, hasDeleted: true },
  { hasTable: true, changes: true, hasDeleted: false },
  { hasTable: false, changes: false, hasDeleted: false },
];

for (const { hasTable, changes, hasDeleted } of KINDS) {
  const kind = JSON.stringify({ hasTable, changes, hasDeleted });

  test(`ObjectReferences counts as a Map does, ${kind}`, async () => {
    const anyStep = fc.tuple(fc.constantFrom('reference', 'add', 'delete'), fc.integer({ min: 0, max: 30 }));
    const anyNumbers = fc.uniqueArray(fc.integer({ min: 0, max: 20 }));
    await fc.assert(
      fc.asyncProperty(anyNumbers, fc.array(anyStep), async (there, steps) => {
        const index = indexOf(there, hasDeleted ? [40, 45] : []);
        const before = index.buckets.slice();
        const references = await ObjectReferences.of(repositoryOf(index, hasTable), changes);
        const model = new Map(there.map((number) => [number, 0]));
        for (const [step, number] of steps) {
          const count = model.get(number);
          if (step === 'add') {
            references.add(idOf(number));
            model.set(number, 1);
          } else if (step === 'delete') {
            references.delete(idOf(number));
            model.delete(number);
          } else {
            assert.equal(references.addTo(idOf(number)), count !== undefined);
            if (count !== undefined) model.set(number, count + 1);
          }
        }
        assert.equal(references.size, model.size);
        for (let number = 0; number <= 30; number++) {
          assert.equal(references.count(idOf(number)), model.get(number));
          assert.equal(references.has(idOf(number)), model.has(number));
        }
        assert.deepEqual(sorted(references.ids()), sorted([...model.keys()].map(idOf)));
        const unused = [...model].filter(([, count]) => count === 0).map(([number]) => number);
        assert.deepEqual(sorted(references.unreferencedIds()), sorted(unused.map(idOf)));
        assert.ok(Buffer.from(before).equals(index.buckets), 'the index stays as it is');
      }),
      { numRuns: 60 },
    );
  });

  test(`ObjectReferences gives ids in the order of Borg's index of chunks, ${kind}`, async () => {
    const numbers = Array.from({ length: OBJECTS }, (_, number) => number);
    const index = indexOf(numbers, hasDeleted ? [OBJECTS, OBJECTS + 1] : []);
    const chunks = ChunkIndex.withUsable(index.size * 1.1);
    for (const id of index.keys()) chunks.set(id, { refcount: 0, sizeBytes: 0, csizeBytes: 0 });
    const references = await ObjectReferences.of(repositoryOf(index, hasTable), changes);
    for (const some of [0, 1]) {
      if (some === 1) for (const number of numbers) if (number % 3 > 0) references.addTo(idOf(number));
      const expected = [...chunks.table.keys()].filter((id) => some === 0 || references.count(id) === 0);
      assert.deepEqual(Array.from(references.unreferencedIds(), toHex), expected.map(toHex));
    }
    assert.deepEqual(Array.from(references.ids(), toHex), Array.from(chunks.table.keys(), toHex));
  });
}
