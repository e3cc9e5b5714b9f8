import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TAG_COMMIT, TAG_DELETE, TAG_PUT } from '../../../src/format/segment.ts';
import { EntryList } from '../../../src/repository/check/entry-list.ts';
import { placesIn } from '../../../src/repository/check/indexed-places.ts';
import { HashIndex } from '../../../src/util/hash-index.ts';

test('EntryList gives the entries that it was given, however many, in their order', () => {
  const entries = Array.from({ length: 1000 }, (_, number) => ({
    tag: number % 3 === 0 ? TAG_DELETE : TAG_PUT,
    key: new Uint8Array(32).fill(number),
    offset: 2 ** 33 + number * 50,
    sizeBytes: 41 + number,
  }));
  const commit = { tag: TAG_COMMIT, key: new Uint8Array(0), offset: 2 ** 34, sizeBytes: 9 };
  const list = new EntryList();
  for (const entry of [...entries, commit]) list.push(entry);
  assert.deepEqual([...list], [...entries, commit]);
  assert.equal(list.lastTag, TAG_COMMIT);
});

test('EntryList.push() copies the key', () => {
  const list = new EntryList();
  const key = new Uint8Array(32).fill(1);
  list.push({ tag: TAG_PUT, key, offset: 8, sizeBytes: 41 });
  key.fill(2);
  assert.deepEqual([...list][0]!.key, new Uint8Array(32).fill(1));
});

test('EntryList only counts objects that lie where the index says', () => {
  const index = new HashIndex({ valueWords: 2, shared: true });
  const key = new Uint8Array(32).fill(1);
  index.set(key, 3, 100);
  const entries = [
    { tag: TAG_PUT, key, offset: 8, sizeBytes: 41 },
    { tag: TAG_PUT, key: new Uint8Array(32).fill(2), offset: 100, sizeBytes: 41 },
    { tag: TAG_DELETE, key, offset: 100, sizeBytes: 41 },
  ];
  const list = new EntryList(placesIn(index, 3));
  for (const entry of [...entries, { tag: TAG_PUT, key, offset: 100, sizeBytes: 41 }]) list.push(entry);
  const received = EntryList.of(structuredClone(list.parts));
  assert.deepEqual([...received], entries);
  assert.equal(received.indexedCount, 1);
  assert.equal(received.lastTag, TAG_PUT);
  const elsewhere = new EntryList(placesIn(index, 4));
  elsewhere.push({ tag: TAG_PUT, key, offset: 100, sizeBytes: 41 });
  assert.equal(elsewhere.indexedCount, 0);
});

test('EntryList.lastTag is undefined where there are no entries', () => {
  assert.equal(new EntryList().lastTag, undefined);
});
