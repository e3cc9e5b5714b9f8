/** Checksums that come with objects: kept beside segments, carried along, compared by a check, and never in the way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodePut, PUT_HEADER_SIZE_BYTES } from '../../src/format/segment.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { readHistory } from '../../src/repository/history.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import { planUndo } from '../../src/repository/plan-undo.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { readWholeFile } from '../../src/store/whole-file.ts';
import { toHex } from '../../src/util/bytes.ts';
import { strongChecksum } from '../../src/util/strong-checksum.ts';
import { FaultyStore } from '../faults/faulty-store.ts';
import {
  allPoints,
  assertCommitted,
  crashes,
  POLICY_NAMES,
  recordHistory,
  reopen,
} from '../faults/power-failure.ts';
import { check, copyOf, edit, flip, placesOf, type Checked, type Place } from './check/sample.ts';
import { dataOf, idOf, identity, testContext } from './fakes.ts';

const CHECKSUMS = { checksums: true };
const exclusive = { exclusive: true, identity: identity(5) };

const put = (repository: SegmentRepository, id: Uint8Array, data: Uint8Array) =>
  repository.put(id, data, strongChecksum(data));

/** Three transactions in segments of about seven objects; each writes a manifest. All have checksums. */
async function prepare({ appendOnly = false } = {}): Promise<MemoryStore> {
  const store = new MemoryStore();
  const made = await createRepositoryIn(testContext(), store, { identity: identity(5), appendOnly });
  made.config.ini.get('repository')!.set('max_segment_size', '600');
  await made.saveKey('');
  await made.close();
  const repository = await openRepositoryIn(testContext(), store, exclusive);
  for (const [round, count] of [10, 5, 3].entries()) {
    for (let i = 0; i < count; i++) await put(repository, idOf(i), dataOf(`${round} ${i}`));
    await put(repository, MANIFEST_ID, dataOf(`manifest ${round}`));
    await repository.commit();
  }
  await repository.close();
  return store;
}

const base = await prepare();
const OBJECTS = 11;

const checksumFiles = (store: Store, folder = 'data/0') =>
  store
    .list(folder)
    .map(({ name }) => name)
    .filter((name) => name.includes('sums'))
    .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));

const pathOf = ({ segment }: Place) => `data/0/${segment}`;

/** Changes the object's data; its CRC is then wrong, or computed anew. */
function rot(store: Store, place: Place, crc: 'kept' | 'anew'): void {
  const at = place.offset + PUT_HEADER_SIZE_BYTES + 5;
  edit(store, pathOf(place), (bytes) => {
    bytes[at]! ^= 0x10;
    if (crc === 'kept') return bytes;
    const entry = bytes.subarray(place.offset, place.offset + place.sizeBytes);
    entry.set(encodePut(entry.slice(9, PUT_HEADER_SIZE_BYTES), entry.slice(PUT_HEADER_SIZE_BYTES)));
    return bytes;
  });
}

/** Changes the object's data so that its CRC stays. */
function changeUnderSameCrc(store: Store, place: Place): void {
  edit(store, pathOf(place), (bytes) => {
    // The polynomial of CRC-32 itself, reflected, with its bits in the order of the bytes: 33 bits that leave no remainder.
    const poly = [0x41, 0x06, 0x71, 0xdb, 0x01];
    const at = place.offset + PUT_HEADER_SIZE_BYTES + 5;
    for (const [index, byte] of poly.entries()) bytes[at + index]! ^= byte;
    return bytes;
  });
}

async function placeOf(store: Store, id: Uint8Array): Promise<Place> {
  return (await placesOf(store)).find((place) => place.id === toHex(id))!;
}

const checksumDamage = ({ damage }: Checked) => damage!.filter(({ kind }) => kind === 'checksum');

function assertFine(checked: Checked, verified: number, uncovered = 0): void {
  assert.deepEqual(
    checked.lines.filter((line) => !line.startsWith('info')),
    [],
  );
  assert.equal(checked.ok, true);
  const counts = { objects: verified + uncovered, verified, changed: 0, uncovered };
  assert.deepEqual(checked.checksums, counts);
}

describe('objects that come with checksums', () => {
  it('have them beside their segments; those that come without have none', async () => {
    const store = copyOf(base);
    assertFine(await check(store, CHECKSUMS), OBJECTS);
    assert.equal((await check(store)).checksums, undefined);
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    await writer.put(idOf('plain'), dataOf('plain'));
    await put(writer, idOf('large'), dataOf('large', 300_000));
    await writer.commit();
    await writer.close();
    assertFine(await check(store, CHECKSUMS), OBJECTS + 1, 1);
  });

  it('put() writes nothing of them before the commit, and nothing is left of those that were rolled back', async () => {
    const store = copyOf(base);
    const before = checksumFiles(store);
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    for (let i = 0; i < 20; i++) await put(writer, idOf(i), dataOf(`x ${i}`));
    const during = checksumFiles(store).filter((name) => !before.includes(name));
    assert.ok(during.length > 0 && during.every((name) => name.endsWith('.sums.tmp')), String(during));
    await writer.rollback();
    await writer.close();
    assert.deepEqual(checksumFiles(store), before);
    assertFine(await check(store, CHECKSUMS), OBJECTS);
  });

  it('delete(), and compaction by one who knows them, carry them along and leave no other files', async () => {
    const store = copyOf(base);
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    await writer.delete(idOf(0));
    await writer.commit({ compact: true, threshold: 0 });
    await writer.close();
    const segments = new Set((await placesOf(store)).map(({ segment }) => `${segment}.sums`));
    assertFine(await check(store, CHECKSUMS), OBJECTS - 1);
    assert.deepEqual(new Set(checksumFiles(store)), segments);
  });

  it('a compaction that finds another object than the checksum was made for goes on without it', async () => {
    const store = copyOf(base);
    const place = await placeOf(store, idOf(7));
    rot(store, place, 'anew');
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    await writer.delete(idOf(8));
    await writer.commit({ compact: true, threshold: 0 });
    await writer.close();
    assertFine(await check(store, CHECKSUMS), OBJECTS - 2, 1);
  });

  it('a compaction carries what shows a change along', async () => {
    const store = copyOf(base);
    changeUnderSameCrc(store, await placeOf(store, idOf(7)));
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    await writer.delete(idOf(8));
    await writer.commit({ compact: true, threshold: 0 });
    await writer.close();
    assert.equal((await check(store)).ok, true);
    const checked = await check(store, CHECKSUMS);
    assert.equal(checked.checksums!.changed, 1);
  });

  it('removes checksums of segments that Borg has removed, with the next compaction', async () => {
    const store = copyOf(base);
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    await writer.delete(idOf(0));
    await writer.commit({ compact: true, threshold: 0 });
    await writer.close();
    const kept = checksumFiles(store);
    const [gone, other] = [...Array(20).keys()].filter((n) => store.stat(`data/0/${n}`) === undefined);
    store.createFile(`data/0/${gone}.sums`).close();
    store.createFile(`data/0/${other}.sums.tmp`).close();
    store.createFolder('data/5');
    store.createFile('data/5/5001.sums').close();
    assertFine(await check(store, CHECKSUMS), OBJECTS - 1);
    const again = await openRepositoryIn(testContext(), store, exclusive);
    await again.delete(idOf(1));
    await again.commit({ compact: true, threshold: 1 });
    await again.close();
    assert.deepEqual(checksumFiles(store), kept);
    assert.equal(store.stat('data/5'), undefined);
  });
});

describe('check() with checksums', () => {
  it('finds a change that the CRC does not show', async () => {
    for (const change of [changeUnderSameCrc, (store: Store, place: Place) => rot(store, place, 'anew')]) {
      const store = copyOf(base);
      const place = await placeOf(store, idOf(8));
      change(store, place);
      assert.equal((await check(store)).ok, true);
      const checked = await check(store, CHECKSUMS);
      assert.equal(checked.ok, false);
      const { segment, offset, sizeBytes } = place;
      const text = `Object ${place.id} is not what was sent: its checksum does not match [segment ${segment}, offset ${offset}]`;
      assert.deepEqual(checked.damage, [{ kind: 'checksum', segment, offset, sizeBytes, id: idOf(8), text }]);
      assert.deepEqual([...checked.lostIds!].map(toHex), [place.id]);
      assert.deepEqual(checked.checksums, {
        objects: OBJECTS,
        verified: OBJECTS - 1,
        changed: 1,
        uncovered: 0,
      });
      assert.ok(checked.lines.includes(`error: ${text}`));
    }
  });

  it('finds an object under the key of another one', async () => {
    const store = copyOf(base);
    const place = await placeOf(store, idOf(8));
    edit(store, pathOf(place), (bytes) => {
      const entry = bytes.subarray(place.offset, place.offset + place.sizeBytes);
      entry.set(encodePut(idOf('other'), entry.slice(PUT_HEADER_SIZE_BYTES)));
      return bytes;
    });
    assert.deepEqual(
      checksumDamage(await check(store, CHECKSUMS)).map(({ id }) => id),
      [idOf(8)],
    );
  });

  it('finds a void object changed as well, of which nothing is lost', async () => {
    const store = copyOf(base);
    changeUnderSameCrc(store, { id: '', segment: 0, offset: 8, sizeBytes: 91 });
    const checked = await check(store, CHECKSUMS);
    assert.equal(checksumDamage(checked).length, 1);
    assert.deepEqual([...checked.lostIds!], []);
    assert.deepEqual(checked.checksums, { objects: OBJECTS, verified: OBJECTS, changed: 0, uncovered: 0 });
  });

  it('says of a segment whose CRC is wrong what it says without, and counts nothing of it', async () => {
    const store = copyOf(base);
    rot(store, await placeOf(store, idOf(8)), 'kept');
    const plain = await check(copyOf(store));
    const checked = await check(store, CHECKSUMS);
    assert.deepEqual(checked.damage, plain.damage);
    assert.ok(checked.checksums!.objects < OBJECTS);
    assert.equal(checked.checksums!.uncovered, 0);
  });

  it('takes nothing for damage that is wrong with the files of checksums themselves', async () => {
    for (const [name, bytes] of [
      ['nothing in it', () => new Uint8Array(0)],
      ['another magic', flip(3)],
      ['zeros', (all: Uint8Array) => all.fill(0)],
      ['far too much in it', (all: Uint8Array) => Buffer.concat([all, Buffer.alloc(100_000)])],
    ] as const) {
      const store = copyOf(base);
      const place = await placeOf(store, idOf(8));
      edit(store, `${pathOf(place)}.sums`, bytes);
      const checked = await check(store, CHECKSUMS);
      assert.equal(checked.ok, true, name);
      assert.ok(checked.checksums!.uncovered > 0, name);
    }
  });

  it('warns of records that are damaged or torn, and counts them as missing', async () => {
    for (const change of [flip(8 + 64 + 5), (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 10)]) {
      const store = copyOf(base);
      const place = await placeOf(store, idOf(8));
      edit(store, `${pathOf(place)}.sums`, change);
      const checked = await check(store, CHECKSUMS);
      assert.equal(checked.ok, true);
      assert.equal(checked.checksums!.verified + checked.checksums!.uncovered, OBJECTS);
      const text = `warning: 1 checksums of segment ${place.segment} are damaged: they count as missing`;
      assert.ok(checked.lines.includes(text), String(checked.lines));
    }
  });

  it('goes by what there is where the index is gone, and in parts', async () => {
    const store = copyOf(base);
    const { ok, checksums } = await check(store, { ...CHECKSUMS, maxDurationSeconds: 1e-9 });
    assert.equal(ok, true);
    assert.ok(checksums!.objects < OBJECTS);
    for (const { name } of store.list('')) if (/^(?:index|hints)/.test(name)) store.removeFile(name);
    assertFine({ ...(await check(store, CHECKSUMS)), lines: [] }, OBJECTS);
  });

  it('is refused together with a repair', async () => {
    await assert.rejects(check(copyOf(base), { repair: true, ...CHECKSUMS }), /mend nothing/);
  });
});

/** Goes back by hand, as Borg's manual says, and writes the same again with other contents, without checksums. */
async function rewrite(store: MemoryStore, sealed: (round: string, i: number) => Uint8Array): Promise<void> {
  const reader = await openRepositoryIn(testContext(), store, exclusive);
  const [, second] = readHistory(reader.log, testContext().reporter);
  await reader.close();
  for (const { name } of store.list('')) if (/^(?:index|hints|integrity)/.test(name)) store.removeFile(name);
  const stale = new Map<string, Uint8Array>();
  for (const { name } of store.list('data/0')) {
    if (Number.parseInt(name, 10) <= second!.transactionId) continue;
    if (name.endsWith('.sums')) stale.set(name, readWholeFile(store, `data/0/${name}`, 1e6));
    else store.removeFile(`data/0/${name}`);
  }
  const writer = await openRepositoryIn(testContext(), store, exclusive);
  for (let i = 0; i < 3; i++) await writer.put(idOf(i), sealed('2', i));
  await writer.put(MANIFEST_ID, dataOf('a manifest of the same size'));
  await writer.commit();
  await writer.close();
  // Borg would not have touched them.
  for (const [name, bytes] of stale) {
    const file = store.createFile(`data/0/${name}`);
    file.write(bytes);
    file.close();
  }
}

describe('checksums of segments that others have replaced', () => {
  it('count as missing: ids, places and sizes are the same, contents are not', async () => {
    const store = copyOf(base);
    await rewrite(store, (_, i) => dataOf(`sealed anew ${i}`));
    assertFine(await check(store, CHECKSUMS), OBJECTS - 4, 4);
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    await put(writer, idOf('after'), dataOf('after'));
    await writer.commit();
    await writer.close();
    assertFine(await check(store, CHECKSUMS), OBJECTS - 3, 4);
  });

  it('count as missing where some objects are the same, if others are in other places', async () => {
    const store = copyOf(base);
    await rewrite(store, (round, i) => (i < 2 ? dataOf(`${round} ${i}`) : dataOf('archive', 51)));
    assertFine(await check(store, CHECKSUMS), OBJECTS - 2, 2);
  });
});

describe('repairs and rollbacks', () => {
  it('a repair keeps the checksums of sound entries, and those of damaged ones in the quarantine', async () => {
    const store = copyOf(base);
    const place = await placeOf(store, idOf(6));
    rot(store, place, 'kept');
    const { plan } = await check(store, { repair: true });
    const sums = `${pathOf(place)}.sums`;
    assert.deepEqual(
      plan!.filter(({ path }) => path === sums).map(({ action }) => action),
      ['keep', 'replace'],
    );
    for (const { action, to } of plan!) if (action === 'keep') assert.ok(store.stat(to!) !== undefined, to);
    assertFine(await check(store, CHECKSUMS), OBJECTS - 1);
  });

  it('a repair moves those of uncommitted segments along', async () => {
    const store = copyOf(base);
    const last = Math.max(...store.list('data/0').map(({ name }) => Number.parseInt(name, 10)));
    store.removeFile(`data/0/${last}`);
    for (const { name } of store.list(''))
      if (/^(?:index|hints|integrity)/.test(name)) store.removeFile(name);
    const { plan } = await check(store, { repair: true });
    const moved = plan!.flatMap(({ to }) => to ?? []).filter((to) => to.endsWith('.sums'));
    assert.ok(moved.length > 0);
    for (const to of moved) assert.ok(store.stat(to) !== undefined);
    assertFine(await check(store, CHECKSUMS), OBJECTS);
  });

  it('a rollback takes them out with their segments', async () => {
    const store = await prepare({ appendOnly: true });
    const repository = await openRepositoryIn(testContext(), store, exclusive);
    const [first] = readHistory(repository.log, testContext().reporter);
    const plan = await planUndo(testContext(), repository, first!.transactionId);
    await plan.run();
    const moved = plan.steps.flatMap(({ to }) => to ?? []).filter((to) => to.endsWith('.sums'));
    assert.ok(moved.length >= 2);
    for (const to of moved) assert.ok(store.stat(to) !== undefined);
    await repository.close();
    assert.ok(checksumFiles(store).every((name) => Number.parseInt(name, 10) <= first!.transactionId));
    assertFine(await check(store, CHECKSUMS), OBJECTS);
  });
});

const work = async (store: Store, reached: (repository: SegmentRepository) => Promise<void>) => {
  const repository = await openRepositoryIn(testContext(), store, exclusive);
  for (let i = 0; i < 9; i++) await put(repository, idOf(i), dataOf(`again ${i}`));
  await put(repository, MANIFEST_ID, dataOf('manifest again'));
  await repository.commit();
  await reached(repository);
  await repository.delete(idOf(1));
  await repository.commit({ compact: true, threshold: 0 });
  await reached(repository);
  await repository.close();
};

/** Whoever comes next may give the numbers of other segments to new ones. */
async function assertOfCommitted(store: Store): Promise<void> {
  await using repository = await reopen(store);
  const last = repository.log.lastCommitted()!;
  for (const name of checksumFiles(store)) {
    if (name.endsWith('.sums')) assert.ok(Number.parseInt(name, 10) <= last, `${name} behind ${last}`);
  }
}

async function assertRight(store: Store): Promise<void> {
  await using repository = await reopen(store, { exclusive: true });
  await repository.count();
  const { ok, damage } = await repository.check(CHECKSUMS);
  assert.ok(ok, JSON.stringify(damage));
}

describe('failures while checksums are written', () => {
  for (const [number, policy] of POLICY_NAMES.entries()) {
    it(`a power failure that ${policy} gives no false alarm`, async () => {
      const history = await recordHistory(base, work);
      // Other points each time, so that all are tried.
      const points = allPoints(history).filter((_, at) => at % 4 === number % 4);
      const wanted = points.map((point) => ({ point, policy }));
      for (const { crash, store } of crashes(history, wanted)) {
        try {
          await assertOfCommitted(copyOf(store));
          await assertCommitted(history, crash, store);
          await assertRight(store);
        } catch (error) {
          throw new Error(`crash at ${crash.point}`, { cause: error });
        }
      }
    });
  }

  it('a disk that refuses their files keeps the objects, and a warning says so', async () => {
    const memory = copyOf(base);
    const store = new Proxy(memory, {
      get(target, name) {
        if (name === 'createFile') {
          return (path: string) => {
            if (path.includes('.sums'))
              throw Object.assign(new Error('no'), { code: 'EIO', syscall: 'open' });
            return target.createFile(path);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const context = testContext();
    const repository = await openRepositoryIn(context, store, exclusive);
    await put(repository, idOf('late'), dataOf('late'));
    await repository.commit();
    await repository.close();
    assert.match(
      context.reporter.lines.join('\n'),
      /^warning: The checksums of segment \d+ can't be kept: no$/,
    );
    assertFine(await check(memory, CHECKSUMS), OBJECTS, 1);
  });

  it('a full disk at any operation leaves a committed state, whose checksums are right', async () => {
    let failures = 0;
    for (let at = 0; ; at++) {
      const memory = base.afterCrash(KEEP_UNSYNCED);
      const store = new FaultyStore(memory, { at, kind: 'ENOSPC' });
      await work(store, async () => {}).catch(() => failures++);
      if (store.operations.length <= at) break;
      await assertRight(copyOf(memory));
    }
    assert.ok(failures > 10, String(failures));
  });
});
