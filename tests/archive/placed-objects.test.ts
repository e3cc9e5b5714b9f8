/** Large objects that other threads read where they lie. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import { fetchUnread } from '../../src/archive/object-pages.ts';
import { IntegrityError, ObjectNotFound } from '../../src/errors.ts';
import { PUT_HEADER_SIZE_BYTES } from '../../src/format/segment.ts';
import { ObjectOpener, type OpenedPart } from '../../src/pipeline/object-opener.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { PosixStore } from '../../src/store/posix-store.ts';
import { isPlace, releaseSealed, type Sealed, type Unread } from '../../src/util/sealed.ts';
import { noise } from '../noise.ts';
import { material } from '../pipeline/setup.ts';
import { identity, testContext } from '../repository/fakes.ts';

const STORED = Uint8Array.of(0, 0);
/** Around the size from which on an object is given by its place. */
const SIZES = [10, 300_000, 2_000_000, 500, 65_000, 70_000];

interface Sample {
  readonly root: string;
  readonly repository: SegmentRepository;
  readonly ids: readonly Uint8Array[];
  readonly contents: readonly Uint8Array[];
}

async function sample(t: TestContext): Promise<Sample> {
  const root = mkdtempSync(join(tmpdir(), 'alcove-placed-'));
  const repository = await createRepositoryIn(testContext(), new PosixStore(root), { identity: identity() });
  t.after(async () => {
    await repository.close();
    rmSync(root, { recursive: true });
  });
  const contents = SIZES.map((size, seed) => noise(size, seed + 1));
  const ids = contents.map((bytes) => idHash(material, bytes));
  for (const [index, id] of ids.entries()) {
    const payload = Buffer.concat([STORED, contents[index]!]);
    await repository.put(id, sealEnvelope(material, BigInt(index) << 32n, payload));
  }
  await repository.commit();
  return { root, repository, ids, contents };
}

async function sealedOf({ repository, ids }: Sample): Promise<Sealed[]> {
  const all: Sealed[] = [];
  for await (const sealed of repository.getPlaces(ids)) all.push(sealed);
  return all;
}

async function openAll({ ids }: Sample, sealed: readonly Unread[]): Promise<(Uint8Array | undefined)[]> {
  await using opener = new ObjectOpener(material, 1);
  const opened: (Uint8Array | undefined)[] = [];
  const objects = ids.map((id, index) => ({ id, sealed: sealed[index]! }));
  for (let next: Promise<OpenedPart> | undefined = opener.open(objects); next !== undefined;) {
    const part: OpenedPart = await next;
    opened.push(...part.plaintexts.map((bytes) => bytes?.slice()));
    part.release();
    ({ next } = part);
  }
  return opened;
}

/** How many of its segments the process has open. */
function openSegments(root: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${root}/data/`);
    } catch {
      return false;
    }
  }).length;
}

test('getPlaces() says of large objects where they are, and gives the bytes of small ones', async (t) => {
  const all = await sample(t);
  const { root, repository, ids } = all;
  const sealed = await sealedOf(all);
  assert.deepEqual(sealed.map(isPlace), [false, true, true, false, false, true]);
  const segment = readFileSync(join(root, 'data/0/0'));
  for (const [index, object] of sealed.entries()) {
    const bytes = await repository.get(ids[index]!);
    if (!isPlace(object)) {
      assert.ok(sameBytes(object, bytes));
      continue;
    }
    const { offsetBytes, sizeBytes, head } = object;
    const dataAt = offsetBytes + PUT_HEADER_SIZE_BYTES;
    assert.ok(segment.subarray(dataAt, dataAt + sizeBytes).equals(bytes));
    assert.ok(sameBytes(head, bytes.subarray(0, 64)));
    object.release();
  }
});

test('locate() says where objects are, up to the first that is missing', async (t) => {
  const all = await sample(t);
  const wanted = all.ids.map((id) => ({ id, sizeBytes: 1 }));
  const places = await all.repository.locate(wanted);
  const opened = await openAll(all, places!);
  assert.ok(opened.every((bytes, index) => sameBytes(bytes, all.contents[index])));
  const some = await all.repository.locate([...wanted.slice(0, 2), { id: new Uint8Array(32) }, ...wanted]);
  assert.equal(some?.length, 2);
  for (const place of some) place.release();
});

test('a place that locate() gave is good until it is released', { skip: !isLinux() }, async (t) => {
  const all = await sample(t);
  const places = await all.repository.locate(all.ids.map((id) => ({ id })));
  await all.repository.close();
  assert.equal(openSegments(all.root), 1);
  const opened = await openAll(all, places!);
  assert.ok(opened.every((bytes, index) => sameBytes(bytes, all.contents[index])));
  assert.equal(openSegments(all.root), 0);
});

test('fetchUnread() gives what can be located, then what is wrong with the next', async (t) => {
  const { repository, ids } = await sample(t);
  const missing = new Uint8Array(32);
  const page = [{ about: 'a' }, ...[...ids, missing, ...ids].map((id) => ({ about: 'o', id }))];
  const source = fetchUnread(repository, [[{ about: 'none' }], page]);
  assert.deepEqual((await source.next()).value, [{ about: 'none' }]);
  const located = (await source.next()).value!;
  assert.deepEqual(
    located.map(({ sealed }) => sealed !== undefined && isPlace(sealed)),
    [false, ...ids.map(() => true)],
  );
  for (const { sealed } of located) releaseSealed(sealed);
  await assert.rejects(source.next(), ObjectNotFound);
});

test('fetchUnread() gives objects one by one where no other thread can read them', async () => {
  const repository = await createRepositoryIn(testContext(), new MemoryStore(), { identity: identity() });
  const ids = [1, 2, 3].map((number) => noise(32, number));
  for (const id of ids) await repository.put(id, id);
  await repository.commit();
  const found: unknown[] = [];
  for await (const entries of fetchUnread(repository, [ids.map((id) => ({ about: 0, id }))])) {
    for (const { sealed } of entries) found.push(sealed);
  }
  assert.deepEqual(
    found.map((sealed) => new Uint8Array(sealed as Uint8Array)),
    ids,
  );
  await repository.close();
});

test('a thread opens objects where they are as it opens their bytes, in their order', async (t) => {
  const all = await sample(t);
  const opened = await openAll(all, await sealedOf(all));
  assert.ok(opened.every((bytes, index) => sameBytes(bytes, all.contents[index])));
});

test('a place is good until it is released, and its file open no longer', { skip: !isLinux() }, async (t) => {
  const all = await sample(t);
  const sealed = await sealedOf(all);
  await all.repository.close();
  assert.equal(openSegments(all.root), 1);
  const opened = await openAll(all, sealed);
  assert.ok(opened.every((bytes, index) => sameBytes(bytes, all.contents[index])));
  assert.equal(openSegments(all.root), 0);
});

for (const [title, damage] of [
  ['a byte of its contents', (segment: Buffer, offset: number) => (segment[offset + 1000]! ^= 1)],
  ['its CRC', (segment: Buffer, offset: number) => (segment[offset - 41]! ^= 1)],
  ['its MAC', (segment: Buffer, offset: number) => (segment[offset + 5]! ^= 1)],
] as const) {
  test(`a thread does not open an object when ${title} is damaged; the others it does`, async (t) => {
    const all = await sample(t);
    const path = join(all.root, 'data/0/0');
    const before = await sealedOf(all);
    const [, , place] = before;
    assert.ok(place !== undefined && isPlace(place));
    const segment = readFileSync(path);
    damage(segment, place.offsetBytes + PUT_HEADER_SIZE_BYTES);
    writeFileSync(path, segment);
    for (const sealed of before) releaseSealed(sealed);
    const opened = await openAll(all, await sealedOf(all));
    assert.ok(opened[2] === undefined);
    assert.ok(opened.every((bytes, index) => index === 2 || sameBytes(bytes, all.contents[index])));
    await assert.rejects(all.repository.get(all.ids[2]!), IntegrityError);
  });
}

test('a thread does not open an object whose file has become shorter', async (t) => {
  const all = await sample(t);
  const sealed = await sealedOf(all);
  const path = join(all.root, 'data/0/0');
  writeFileSync(path, readFileSync(path).subarray(0, 1_000_000));
  const opened = await openAll(all, sealed);
  assert.deepEqual(
    opened.map((bytes) => bytes !== undefined),
    [true, true, false, true, true, false],
  );
});

function sameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}

function isLinux(): boolean {
  return process.platform === 'linux';
}
