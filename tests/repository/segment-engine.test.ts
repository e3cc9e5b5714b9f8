/** What the segment engine does beyond what any repository must do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AtticRepository,
  CheckNeeded,
  InsufficientFreeSpaceError,
  IntegrityError,
  LockTimeout,
  StorageQuotaExceeded,
} from '../../src/errors.ts';
import type { LockOwner } from '../../src/format/lock-roster.ts';
import { COMMIT_ENTRY, SEGMENT_MAGIC, encodePut } from '../../src/format/segment.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import type { StoreOptions } from '../../src/repository/open-repository.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { scanEntries, type ScanLimits } from '../../src/repository/scan.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createWholeFile, readWholeFile } from '../../src/store/whole-file.ts';
import { concatBytes, fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import { FaultyStore } from '../faults/faulty-store.ts';
import { dataOf, idOf, identity, testContext } from './fakes.ts';
import type { TestContext } from './fakes.ts';

function open(store: Store, options: StoreOptions = {}, context: TestContext = testContext()) {
  return openRepositoryIn(context, store, { exclusive: true, identity: identity(), ...options });
}

function create(store: Store, options: StoreOptions = {}, context: TestContext = testContext()) {
  return createRepositoryIn(context, store, { identity: identity(), ...options });
}

async function putAll(repository: SegmentRepository, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await repository.put(idOf(i), dataOf(i));
}

const names = (store: Store, folder = '') =>
  store
    .list(folder)
    .map(({ name }) => name)
    .toSorted();

describe('files of a repository', () => {
  it('a new one has README, config and data, and nothing else once closed', async () => {
    const store = new MemoryStore();
    await (await create(store)).close();
    assert.deepEqual(names(store), ['README', 'config', 'data']);
    assert.match(toUtf8Lossy(readWholeFile(store, 'README', 1000)), /^This is a Borg Backup repository\.\n/);
  });

  it('a commit writes its own segment, index, hints and integrity, and removes those before', async () => {
    const store = new MemoryStore();
    await using repository = await create(store);
    await putAll(repository, 0, 3);
    await repository.commit();
    await putAll(repository, 3, 5);
    await repository.commit();
    assert.deepEqual(names(store, 'data/0'), ['0', '1', '2', '3']);
    assert.equal(store.stat('data/0/3')?.sizeBytes, 17);
    const files = names(store).filter((name) => /\.\d+/.test(name));
    assert.deepEqual(files, ['hints.3', 'index.3', 'integrity.3']);
  });

  it('the manifest starts a segment', async () => {
    const store = new MemoryStore();
    await using repository = await create(store);
    await putAll(repository, 0, 3);
    await repository.put(MANIFEST_ID, dataOf('manifest'));
    await repository.commit();
    assert.deepEqual(names(store, 'data/0'), ['0', '1', '2']);
  });

  it('a commit of nothing writes nothing', async () => {
    const store = new MemoryStore();
    await using repository = await create(store);
    await repository.commit();
    assert.deepEqual(names(store, 'data'), []);
  });

  it('saveKey() erases the old config, unless it has another name', async () => {
    const store = new MemoryStore();
    const repository = await create(store);
    await repository.saveKey('first key');
    store.link('config', 'copy');
    const faulty = new FaultyStore(store);
    await repository.close();
    const again = await open(faulty);
    await again.saveKey('second key');
    assert.ok(!faulty.operations.includes('overwrite config.old'));
    assert.match(toUtf8Lossy(readWholeFile(store, 'copy', 1000)), /first key/);
    await again.saveKey('third key');
    assert.ok(faulty.operations.includes('overwrite config.old'));
    assert.deepEqual(
      names(store).filter((name) => name.startsWith('config')),
      ['config'],
    );
    await again.close();
  });
});

describe('append-only mode', () => {
  it('is kept in the config, never removes, and logs its transactions', async () => {
    const store = new MemoryStore();
    const repository = await create(store, { appendOnly: true });
    await putAll(repository, 0, 3);
    await repository.commit();
    await repository.delete(idOf(1));
    await repository.commit({ compact: true, threshold: 0 });
    await repository.close();
    assert.deepEqual(names(store, 'data/0'), ['0', '1', '2', '3']);
    assert.equal(
      toUtf8Lossy(readWholeFile(store, 'transactions', 1000)),
      'transaction 1, UTC time 2026-01-02T03:04:05.678901\ntransaction 3, UTC time 2026-01-02T03:04:05.678901\n',
    );
    await using again = await open(store);
    assert.equal(again.appendOnly, true);
    await assert.rejects(again.destroy(), /append-only mode/);
  });
});

describe('the storage quota', () => {
  it('stops a put beyond it; the transaction can only be rolled back', async () => {
    const store = new MemoryStore();
    await using repository = await create(store, { storageQuotaBytes: 500 });
    await putAll(repository, 0, 5);
    await repository.commit();
    await assert.rejects(
      async () => repository.put(idOf(5), dataOf(5)),
      (error) => {
        assert.ok(error instanceof StorageQuotaExceeded);
        assert.match(error.message, /\(500 B\) has been exceeded \(546 B\)/);
        return true;
      },
    );
    await assert.rejects(async () => repository.put(idOf(6), new Uint8Array(0)), StorageQuotaExceeded);
    await assert.rejects(repository.commit(), StorageQuotaExceeded);
    assert.equal(await repository.count(), 5);
    await repository.put(idOf(6), new Uint8Array(0));
    await repository.commit();
  });

  it('counts what compaction has not freed', async () => {
    const store = new MemoryStore();
    const repository = await create(store, { storageQuotaBytes: 300 });
    await putAll(repository, 0, 3);
    await repository.delete(idOf(0));
    await assert.rejects(async () => repository.put(idOf(7), dataOf(7)), StorageQuotaExceeded);
    await repository.rollback();
    await putAll(repository, 0, 3);
    await repository.delete(idOf(0));
    await repository.commit({ compact: true, threshold: 0 });
    await repository.put(idOf(7), dataOf(7));
    await repository.commit();
    await repository.close();
    const context = testContext();
    await using again = await open(store, { storageQuotaBytes: 1000 }, context);
    await again.put(idOf(8), dataOf(8));
    assert.deepEqual(context.reporter.lines, ['info: Storage quota: 273 B out of 1.00 kB used.']);
  });
});

describe('a full disk', () => {
  it('stops a commit before it starts', async () => {
    const store = new MemoryStore();
    await using repository = await create(store);
    await putAll(repository, 0, 3);
    await repository.commit();
    await repository.close();
    await using again = await open(store);
    await again.put(idOf(3), dataOf(3));
    store.freeBytes = 100_000;
    await assert.rejects(again.commit(), InsufficientFreeSpaceError);
    assert.deepEqual(names(store, 'data/0'), ['0', '1']);
    assert.equal(await again.count(), 3);
  });

  it('removes a repository that was just made', async () => {
    const store = new MemoryStore();
    const repository = await create(store);
    await repository.put(idOf(1), dataOf(1));
    store.freeBytes = 100_000;
    await assert.rejects(repository.commit(), InsufficientFreeSpaceError);
    assert.deepEqual(names(store), []);
  });

  it('at any write leaves the last commit, and no partial transaction in the way', async () => {
    const base = new MemoryStore();
    const made = await create(base);
    await putAll(made, 0, 3);
    await made.commit();
    await made.close();
    let failures = 0;
    for (let at = 0; ; at++) {
      const memory = base.afterCrash(KEEP_UNSYNCED);
      const store = new FaultyStore(memory);
      const repository = await open(store);
      store.fault = { at: store.operations.length + at, kind: 'ENOSPC' };
      let failed = false;
      try {
        await putAll(repository, 3, 6);
        await repository.commit({ compact: true, threshold: 0 });
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ENOSPC', String(error));
        failed = true;
      }
      await repository.close().catch(() => {});
      if (store.operations.length <= store.fault.at) break;
      failures += Number(failed);
      const { owner } = identity(2);
      const survivor = { owner, isAlive: ({ pid }: LockOwner) => pid === owner.pid };
      const reader = await openRepositoryIn(testContext(), memory, { identity: survivor });
      const count = await reader.count();
      assert.ok(count === 3 || count === 6, `${count} objects after a fault at ${at}`);
      for (let i = 0; i < count; i++) assert.deepEqual(await reader.get(idOf(i)), dataOf(i));
      await reader.close();
    }
    assert.ok(failures > 8, `${failures} failures`);
  });

  it('in the middle of a transaction dooms it: nothing is committed without what was lost', async () => {
    const memory = new MemoryStore();
    const store = new FaultyStore(memory);
    await using repository = await create(store);
    await repository.put(idOf(1), dataOf(1, 300_000));
    store.fault = { at: store.operations.length, kind: 'ENOSPC' };
    await assert.rejects(async () => repository.put(idOf(2), dataOf(2, 300_000)), { code: 'ENOSPC' });
    await assert.rejects(async () => repository.put(idOf(3), dataOf(3)), { code: 'ENOSPC' });
    assert.deepEqual(names(memory, 'data/0'), []);
    await assert.rejects(repository.commit(), { code: 'ENOSPC' });
    await repository.put(idOf(4), dataOf(4));
    await repository.commit();
    assert.deepEqual(await repository.list(), [idOf(4)]);
  });
});

describe('opening', () => {
  it('tells a repository of Attic', async () => {
    const store = new MemoryStore();
    await (await create(store)).close();
    store.createFolder('data/0');
    createWholeFile(store, 'data/0/0', fromUtf8('ATTICSEG'));
    await assert.rejects(open(store), AtticRepository);
    await assert.rejects(open(store), AtticRepository, 'the lock was released');
  });

  it('without a lock reads, and refuses to write', async () => {
    const store = new MemoryStore();
    const writer = await create(store);
    await putAll(writer, 0, 2);
    await writer.commit();
    await using reader = await open(store, { lock: false });
    assert.deepEqual(await reader.get(idOf(1)), dataOf(1));
    await assert.rejects(async () => reader.put(idOf(5), dataOf(5)), /opened without a lock/);
    await writer.close();
  });

  it('shared, it upgrades its lock to write, if no one else reads', async () => {
    const store = new MemoryStore();
    await (await create(store)).close();
    const first = await open(store, { exclusive: false, lockWaitSeconds: 0 });
    const second = await open(store, { exclusive: false, lockWaitSeconds: 0, identity: identity(2) });
    await assert.rejects(async () => first.put(idOf(1), dataOf(1)), LockTimeout);
    await second.close();
    await first.put(idOf(1), dataOf(1));
    await first.commit();
    await assert.rejects(
      open(store, { exclusive: false, lockWaitSeconds: 0, identity: identity(2) }),
      LockTimeout,
    );
    await first.close();
  });

  it('without a lock breaks those of others', async () => {
    const store = new MemoryStore();
    const writer = await create(store);
    await using reader = await open(store, { lock: false });
    await reader.breakLock();
    await assert.rejects(writer.close(), { name: 'NotLocked' });
    await (await open(store, { lockWaitSeconds: 0 })).close();
  });

  it('refuses to commit when someone has broken its lock', async () => {
    const store = new MemoryStore();
    const repository = await create(store);
    await repository.put(idOf(1), dataOf(1));
    await repository.breakLock();
    await assert.rejects(repository.commit(), /someone has broken it/);
    await assert.rejects(repository.close(), { name: 'NotLocked' });
  });

  for (const how of ['rolls back', 'runs out of space']) {
    it(`leaves the work of another alone that broke its lock, when it ${how}`, async () => {
      const inner = new MemoryStore();
      const store = new FaultyStore(inner);
      const repository = await create(store);
      await repository.put(idOf('base'), dataOf('base'));
      await repository.commit();
      await repository.put(idOf('ours'), dataOf('ours', 400_000));
      const otherStore = inner.forOtherProcess();
      const other = { owner: identity(2).owner, isAlive: ({ pid }: LockOwner) => pid === 2 };
      await repository.breakLock();
      await using second = await openRepositoryIn(testContext(), otherStore, {
        exclusive: true,
        identity: other,
      });
      await second.put(idOf('theirs'), dataOf('theirs', 400_000));
      if (how === 'rolls back') await repository.rollback();
      else {
        store.fault = { at: store.operations.length, kind: 'ENOSPC' };
        await assert.rejects(async () => repository.put(idOf('more'), dataOf('more', 400_000)), {
          code: 'ENOSPC',
        });
      }
      await second.commit();
      await repository.close().catch(() => {});
      const third = await openRepositoryIn(testContext(), inner.afterCrash(), { identity: identity(3) });
      assert.deepEqual(await third.get(idOf('theirs')), dataOf('theirs', 400_000));
      await third.close();
    });
  }

  it('takes a COMMIT for the last word only at the end of a segment', async () => {
    const store = new MemoryStore();
    const repository = await create(store);
    await repository.put(idOf(1), dataOf(1));
    await repository.commit();
    await repository.close();
    const rest = [COMMIT_ENTRY, encodePut(idOf(2), dataOf(2)), COMMIT_ENTRY];
    createWholeFile(store, 'data/0/2', concatBytes([SEGMENT_MAGIC, ...rest]));
    await using again = await open(store);
    assert.equal(await again.count(), 1);
  });

  it('does not write over the remains of an unknown first transaction', async () => {
    const store = new MemoryStore();
    await (await create(store)).close();
    store.createFolder('data/0');
    createWholeFile(store, 'data/0/0', concatBytes([SEGMENT_MAGIC, encodePut(idOf(1), dataOf(1))]));
    await using repository = await open(store);
    assert.equal(await repository.count(), 0);
    await assert.rejects(async () => repository.put(idOf(2), dataOf(2)), CheckNeeded);
    assert.ok(store.stat('data/0/0'));
  });

  it('reads hints of version 1, counting anew what can be freed', async () => {
    const store = new MemoryStore();
    const repository = await create(store);
    await putAll(repository, 0, 4);
    await repository.commit();
    await repository.delete(idOf(1));
    await repository.commit();
    await repository.close();
    const segments = new Map([0, 1, 2, 3].map((segment) => [segment, segment === 0 ? 3 : 0]));
    store.removeFile('hints.3');
    store.removeFile('integrity.3');
    createWholeFile(store, 'hints.3', encode({ version: 1, segments, compact: [0, 1, 2, 3] }));
    await using again = await open(store);
    await again.put(idOf(9), dataOf(9));
    await again.commit({ compact: true, threshold: 0 });
    assert.equal(await again.count(), 4);
    assert.equal(store.stat('data/0/0'), undefined);
    for (const i of [0, 2, 3, 9]) assert.deepEqual(await again.get(idOf(i)), dataOf(i));
  });
});

async function prepare(): Promise<{ store: MemoryStore; repository: SegmentRepository }> {
  const store = new MemoryStore();
  const repository = await create(store);
  await putAll(repository, 0, 6);
  await repository.commit();
  await repository.delete(idOf(2));
  await repository.put(idOf(0), dataOf('new'));
  await repository.commit();
  return { store, repository };
}

describe('scanning', () => {
  it('scan() gives live objects in the order of the log, in pieces too', async () => {
    const { repository } = await prepare();
    await using _ = repository;
    const order = [1, 3, 4, 5, 0].map((i) => idOf(i));
    assert.deepEqual(await repository.scan(), order);
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = await repository.scan(2, pieces.at(-1));
      if (piece.length === 0) break;
      pieces.push(...piece);
    }
    assert.deepEqual(pieces, order);
    await assert.rejects(repository.scan(0), RangeError);
    await assert.rejects(repository.scan(1, idOf(2)), RangeError);
  });

  it('scanEntries() gives every entry, live or void, and goes on behind a damaged one', async () => {
    const { repository, store } = await prepare();
    await repository.close();
    const bytes = Uint8Array.from(readWholeFile(store, 'data/0/0', 1e6));
    bytes[8 + 91 + 60]! ^= 1;
    store.removeFile('data/0/0');
    createWholeFile(store, 'data/0/0', bytes);
    createWholeFile(store, 'data/0/4', concatBytes([SEGMENT_MAGIC, COMMIT_ENTRY.subarray(0, 5)]));
    await using reader = await open(store, { lock: false });
    const seen = [...scanEntries(reader.log)].map((item) =>
      'tag' in item
        ? `${item.segment}/${item.offset}:${item.tag}${item.damage === undefined ? '' : '!'}`
        : `${item.segment}!`,
    );
    assert.deepEqual(seen, [
      '0/8:0',
      '0/99:0!',
      '0/190:0',
      '0/281:0',
      '0/372:0',
      '0/463:0',
      '1/8:2',
      '2/8:1',
      '2/49:1',
      '2/90:0',
      '3/8:2',
      '4!',
    ]);
    await assert.rejects(reader.get(idOf(1)), IntegrityError);
  });

  it('scanEntries() gives what stands at one offset, in one segment or in all', async () => {
    const { repository } = await prepare();
    const places = (limits: ScanLimits) =>
      [...repository.scanLog(limits)].map(
        ({ segment, ...item }) => `${segment}/${'tag' in item ? item.offset : '!'}`,
      );
    assert.deepEqual(places({ segment: 0, offset: 99 }), ['0/99']);
    assert.deepEqual(places({ offset: 8 }), ['0/8', '1/8', '2/8', '3/8']);
    assert.deepEqual(places({ segment: 0, offset: 100 }), ['0/!']);
    await repository.close();
  });

  it('readHints() gives what the last commit left, and removes what came after it', async () => {
    const { repository, store } = await prepare();
    await repository.close();
    createWholeFile(store, 'data/0/4', SEGMENT_MAGIC);
    await using reader = await open(store, { exclusive: true });
    const { segments, shadowIndex } = await reader.readHints();
    assert.deepEqual(new Set(segments.keys()), new Set([0, 1, 2, 3]));
    assert.equal(shadowIndex.size, 2);
    assert.equal(store.stat('data/0/4'), undefined);
  });
});

describe('compaction', () => {
  it('leaves segments alone in which too little can be freed', async () => {
    const store = new MemoryStore();
    await using repository = await create(store);
    await putAll(repository, 0, 10);
    await repository.commit();
    await repository.delete(idOf(3));
    await repository.commit({ compact: true, threshold: 0.2 });
    assert.ok(store.stat('data/0/0'));
    await repository.commit({ compact: true, threshold: 0.05 });
    assert.equal(store.stat('data/0/0'), undefined);
    assert.equal(await repository.count(), 9);
  });

  it('keeps a DELETE as long as the PUT that it is about lies in an older segment', async () => {
    const store = new MemoryStore();
    const repository = await create(store);
    await putAll(repository, 0, 10);
    await repository.commit();
    await repository.delete(idOf(3));
    await repository.commit();
    for (let i = 0; i < 3; i++) await repository.commit({ compact: true, threshold: 0.5 });
    await repository.close();
    assert.ok(store.stat('data/0/0'), 'the PUT is still there');
    for (const { name } of store.list('')) if (name.startsWith('index.')) store.removeFile(name);
    await using rebuilt = await open(store);
    assert.equal(await rebuilt.count(), 9);
    assert.equal(await rebuilt.has(idOf(3)), false);
  });

  it('drops a DELETE together with its PUT', async () => {
    const store = new MemoryStore();
    await using repository = await create(store);
    await repository.put(idOf(3), dataOf(3));
    await repository.commit();
    await repository.delete(idOf(3));
    await repository.commit();
    for (let i = 0; i < 2; i++) await repository.commit({ compact: true, threshold: 0 });
    const entries = [...scanEntries(repository.log)].map((item) => ('tag' in item ? item.tag : 'damage'));
    assert.deepEqual(entries, [2]);
  });

  it('ends early, in good order, when it is aborted', async () => {
    const store = new MemoryStore();
    const abort = new AbortController();
    const context = { ...testContext(), signal: abort.signal };
    await using repository = await createRepositoryIn(context, store, { identity: identity() });
    await putAll(repository, 0, 10);
    await repository.commit();
    await repository.delete(idOf(3));
    abort.abort();
    await repository.commit({ compact: true, threshold: 0 });
    assert.ok(store.stat('data/0/0'));
    assert.equal(await repository.count(), 9);
  });

  it('says what it freed, and goes on where a segment is gone', async () => {
    const store = new MemoryStore();
    const context = testContext();
    await using repository = await create(store, {}, context);
    await putAll(repository, 0, 10);
    await repository.commit();
    for (let i = 0; i < 10; i++) await repository.delete(idOf(i));
    await repository.commit();
    store.removeFile('data/0/1');
    await repository.commit({ compact: true, threshold: 0 });
    assert.deepEqual(context.reporter.lines, [
      'warning: segment 1 not found, but listed in compaction data',
      'info: compaction freed about 910 B repository space.',
    ]);
  });
});
