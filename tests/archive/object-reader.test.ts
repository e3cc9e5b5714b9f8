import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IntegrityError, ObjectNotFound } from '../../src/errors.ts';
import { toHex } from '../../src/util/bytes.ts';
import { ArchiveCrafter, type Crafted, testContext } from './crafted-archive.ts';

const SIZE_BYTES = 400_000;

/** An archive beside 40 objects of other contents and sizes: more than is read on one thread. */
async function sample(): Promise<Crafted & { ids: Uint8Array[] }> {
  const crafter = await ArchiveCrafter.create(testContext('/'));
  const ids: Uint8Array[] = [];
  for (let i = 0; i < 40; i++) ids.push((await crafter.chunk(new Uint8Array(SIZE_BYTES + i).fill(i))).id);
  for (let i = 0; i < 500; i++) ids.push((await crafter.chunk(Uint8Array.of(i, i >> 8))).id);
  return { ...(await crafter.finish()), ids };
}

async function firstBytes(contents: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const data of contents) bytes.push(data[0]!);
  return bytes;
}

for (const threads of [1, 3]) {
  test(`readMany() keeps the order with ${threads} threads`, async () => {
    const { archive, ids } = await sample();
    await using opener = archive.reader.createOpener(threads);
    const bytes = await firstBytes(archive.reader.withOpener(opener).readMany(ids));
    assert.deepEqual(
      bytes.slice(0, 40),
      Array.from({ length: 40 }, (_, i) => i),
    );
    assert.deepEqual(
      bytes.slice(40),
      Array.from({ length: 500 }, (_, i) => i & 0xff),
    );
  });
}

test('readMany() gives what comes before a missing object', async () => {
  const { archive, ids, objects } = await sample();
  objects.delete(toHex(ids[30]!));
  await using opener = archive.reader.createOpener(2);
  let count = 0;
  await assert.rejects(async () => {
    for await (const data of archive.reader.withOpener(opener).readMany(ids))
      count += Math.min(1, data.length);
  }, ObjectNotFound);
  assert.equal(count, 30);
});

test('readMany() refuses an object whose contents are not those of its id', async () => {
  const { archive, ids, objects } = await sample();
  const id = toHex(ids[25]!);
  objects.set(id, objects.get(id)!.with(1000, 99));
  await using opener = archive.reader.createOpener(2);
  const reading = firstBytes(archive.reader.withOpener(opener).readMany(ids));
  await assert.rejects(reading, (error) => error instanceof IntegrityError && error.message.includes(id));
});

test('readMany() can be left before its end', async () => {
  const { archive, ids } = await sample();
  await using opener = archive.reader.createOpener(2);
  let count = 0;
  for await (const data of archive.reader.withOpener(opener).readMany(ids)) {
    count += Math.min(1, data.length);
    if (count === 20) break;
  }
  assert.equal(count, 20);
});
