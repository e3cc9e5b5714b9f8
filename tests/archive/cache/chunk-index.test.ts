import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChunkIndex, MAX_REFCOUNT } from '../../../src/archive/cache/chunk-index.ts';

const id = new Uint8Array(32).fill(7);

function indexWith(refcount: number): ChunkIndex {
  const index = new ChunkIndex();
  index.set(id, { refcount, sizeBytes: 10, csizeBytes: 5 });
  return index;
}

describe('ChunkIndex', () => {
  // A count that wrapped around would have the chunk deleted while thousands refer to it.
  const additions: Record<string, (index: ChunkIndex) => void> = {
    'incref()': (index) => index.incref(id),
    'add() of one': (index) => index.add(id, 1, 10, 5),
    'add() of many': (index) => index.add(id, MAX_REFCOUNT, 10, 5),
    'countReference()': (index) => index.countReference(id, 10, 5),
    'merge()': (index) => index.merge(indexWith(MAX_REFCOUNT - 1)),
  };
  for (const [name, add] of Object.entries(additions)) {
    it(`${name} stops at the highest count, which nothing takes away from`, () => {
      const index = indexWith(MAX_REFCOUNT - 1);
      add(index);
      assert.equal(index.get(id)!.refcount, MAX_REFCOUNT);
      add(index);
      assert.equal(index.get(id)!.refcount, MAX_REFCOUNT);
      assert.equal(index.decref(id)!.refcount, MAX_REFCOUNT);
    });
  }

  it('decref() refuses to go below zero, and knows no chunk that is not there', () => {
    const index = indexWith(1);
    assert.equal(index.decref(id)!.refcount, 0);
    assert.throws(() => index.decref(id), /no reference to take away/);
    assert.equal(index.decref(new Uint8Array(32)), undefined);
  });
});
