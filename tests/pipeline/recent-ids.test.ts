import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentIds } from '../../src/pipeline/recent-ids.ts';

function idOf(first: number, last: number): Uint8Array {
  const id = new Uint8Array(32);
  id[0] = first;
  id[31] = last;
  return id;
}

test('remember() knows an id from its second time on, also one of zeros', () => {
  const ids = new RecentIds();
  for (const id of [idOf(0, 0), idOf(1, 2), idOf(255, 255)]) {
    assert.equal(ids.remember(id), false);
    assert.equal(ids.remember(id.slice()), true);
  }
});

test('remember() takes no id for another that differs in its last byte alone', () => {
  const ids = new RecentIds();
  ids.remember(idOf(7, 1));
  assert.equal(ids.remember(idOf(7, 2)), false);
  assert.equal(ids.remember(idOf(7, 2)), true);
  // Forgotten for the sake of the other: it is sealed once more, which does no harm.
  assert.equal(ids.remember(idOf(7, 1)), false);
});
