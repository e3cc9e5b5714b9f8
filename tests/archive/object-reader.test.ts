import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealObject } from '../../src/archive/repo-object.ts';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { createCompressor } from '../../src/compress/compressor.ts';
import { IntegrityError, ObjectNotFound } from '../../src/errors.ts';
import { ObjectOpener } from '../../src/pipeline/object-opener.ts';
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

const MEGABYTE = 2 ** 20;

/** Objects of a megabyte of which hundreds fit into what is opened at once. */
async function bombs({ source }: Crafted, count: number): Promise<{ id: Uint8Array; sealed: Uint8Array }[]> {
  const compressor = createCompressor(parseCompression('zstd'));
  const made = Array.from({ length: count }, (_, i) =>
    sealObject(source.key, compressor, new Uint8Array(MEGABYTE).fill(i)),
  );
  return Promise.all(made);
}

test('open() goes on with a batch that opens to much only when there is room for it', async () => {
  const crafted = await sample();
  const objects = await bombs(crafted, 100);
  await using opener = new ObjectOpener(crafted.source.key.material, 1);
  const marks: (number | undefined)[] = [];
  let part = await opener.open(objects);
  for (;;) {
    assert.ok(part.plaintexts.length < 10);
    marks.push(...part.plaintexts.map((one) => one?.[0]));
    const late = part.next?.then(() => 'opened');
    if (marks.length < 20) await late;
    part.release();
    if (part.next === undefined) break;
    part = await part.next;
  }
  assert.deepEqual(marks, [...Array(100).keys()]);
});

test('open() waits for the parts before, in whichever order parts are released', async () => {
  const crafted = await sample();
  await using opener = new ObjectOpener(crafted.source.key.material, 1);
  const first = await opener.open(await bombs(crafted, 1));
  const second = await opener.open(await bombs(crafted, 1));
  second.release();
  for (let batch = 0; batch < 5; batch++) (await opener.open(await bombs(crafted, 1))).release();
  assert.equal(first.plaintexts[0]?.length, MEGABYTE);
  assert.ok(first.plaintexts[0]?.every((byte) => byte === 0));
  first.release();
});

test('readMany() gives all of what opens to much more than it takes in the repository', async () => {
  const crafted = await sample();
  const { archive, ids, objects } = crafted;
  const small = await bombs(crafted, 50);
  for (const { id, sealed } of small) objects.set(toHex(id), sealed);
  await using opener = archive.reader.createOpener(2);
  const reader = archive.reader.withOpener(opener, { recycles: true });
  const wanted = [...ids.slice(0, 40), ...small.map(({ id }) => id)];
  const expected = [...Array(40).keys(), ...Array(50).keys()];
  assert.deepEqual(await firstBytes(reader.readMany(wanted)), expected);
});

for (const threads of [0, 1]) {
  const by = threads === 0 ? 'this thread' : 'another thread';
  test(`openInto() fills its part of the memory by ${by}, for any compression, and says where it can't`, async () => {
    const { archive, ids, objects, source } = await sample();
    const memory = new SharedArrayBuffer(2 * SIZE_BYTES + 3);
    await using threaded = archive.reader.createOpener(1, memory);
    const opener = threads === 0 ? undefined : threaded;
    for (const compression of ['none', 'lz4', 'zlib', 'zstd', 'obfuscate,110,lz4']) {
      for (const size of [0, 10, 5000, SIZE_BYTES]) {
        const compressor = createCompressor(parseCompression(compression));
        const { id, sealed } = await sealObject(source.key, compressor, new Uint8Array(size).fill(7));
        objects.set(toHex(id), sealed);
        const all = new Uint8Array(memory).fill(1);
        const [one, two] = [new Uint8Array(memory, 1, size), new Uint8Array(memory, size + 2, size)];
        const opened = await Promise.all([one, two].map((into) => archive.reader.openInto(id, into, opener)));
        assert.deepEqual(opened, [true, true], `${compression} ${size}`);
        assert.ok(
          one.every((byte) => byte === 7) && two.every((byte) => byte === 7),
          `${compression} ${size}`,
        );
        assert.deepEqual([all[0], all[size + 1], all[2 * size + 2]], [1, 1, 1]);
        const longer = new Uint8Array(memory, 0, size + 1);
        assert.equal(await archive.reader.openInto(id, longer, opener), false);
      }
    }
    const into = new Uint8Array(memory, 0, SIZE_BYTES);
    const damaged = toHex(ids[25]!);
    objects.set(damaged, objects.get(damaged)!.with(1000, 99));
    assert.equal(await archive.reader.openInto(ids[25]!, into, opener), false);
    objects.delete(damaged);
    await assert.rejects(archive.reader.openInto(ids[25]!, into, opener), ObjectNotFound);
  });
}
