import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LockFailed, LockTimeout, NotLocked } from '../../src/errors.ts';
import { Lock } from '../../src/repository/lock.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { PosixStore } from '../../src/store/posix-store.ts';
import { StoreError } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store.ts';
import { createWholeFile, readWholeFile } from '../../src/store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import { LoggingReporter, identity } from './fakes.ts';

interface LockSetup {
  exclusive?: boolean;
  pid?: number;
  host?: string;
  timeoutSeconds?: number;
  reporter?: LoggingReporter;
}

function lockIn(store: Store, setup: LockSetup = {}): Lock {
  const { exclusive = false, pid = 1, host, timeoutSeconds = 0, reporter = new LoggingReporter() } = setup;
  return new Lock(store, 'lock', { exclusive, timeoutSeconds, reporter, identity: identity(pid, host) });
}

const names = (store: Store) =>
  store
    .list('')
    .map(({ name }) => name)
    .toSorted();
const roster = (store: Store): unknown => JSON.parse(toUtf8Lossy(readWholeFile(store, 'lock.roster', 1000)));

describe('Lock', () => {
  it('an exclusive lock is a folder with a file of our name, and an entry in the roster', async () => {
    const store = new MemoryStore();
    const lock = await lockIn(store, { exclusive: true }).acquire();
    assert.deepEqual(names(store), ['lock.exclusive', 'lock.roster']);
    assert.deepEqual(
      store.list('lock.exclusive').map(({ name }) => name),
      ['test-host.1-0'],
    );
    assert.deepEqual(roster(store), { shared: [], exclusive: [['test-host', 1, 0]] });
    assert.equal(lock.isExclusive, true);
    await lock.release();
    assert.deepEqual(names(store), []);
  });

  it('a shared lock is only an entry in the roster', async () => {
    const store = new MemoryStore();
    const lock = await lockIn(store).acquire();
    assert.deepEqual(names(store), ['lock.roster']);
    assert.deepEqual(roster(store), { shared: [['test-host', 1, 0]], exclusive: [] });
    assert.equal(lock.isExclusive, false);
    await lock.release();
    assert.deepEqual(names(store), []);
  });

  for (const pids of [
    [1, 2],
    [1, 1],
  ] as const) {
    const who = pids[0] === pids[1] ? 'the same process' : 'another process';
    it(`readers share, and writers exclude ${who}`, async () => {
      const store = new MemoryStore();
      const [pid, other] = pids;
      const first = await lockIn(store, { pid }).acquire();
      const second = await lockIn(store, { pid: other }).acquire();
      await assert.rejects(lockIn(store, { pid: other, exclusive: true }).acquire(), LockTimeout);
      await first.release();
      await assert.rejects(lockIn(store, { pid: 3, exclusive: true }).acquire(), LockTimeout);
      await second.release();
      const writer = await lockIn(store, { pid, exclusive: true }).acquire();
      await assert.rejects(lockIn(store, { pid: other, exclusive: true }).acquire(), LockTimeout);
      await assert.rejects(lockIn(store, { pid: other }).acquire(), LockTimeout);
      await writer.release();
      assert.deepEqual(names(store), []);
    });
  }

  it('acquire() waits for a writer to finish', async () => {
    const store = new MemoryStore();
    const writer = await lockIn(store, { exclusive: true }).acquire();
    const reader = lockIn(store, { pid: 2, timeoutSeconds: 5 }).acquire();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writer.release();
    await (await reader).release();
  });

  it('upgrade() waits for other readers, downgrade() lets them in', async () => {
    const store = new MemoryStore();
    const lock = await lockIn(store).acquire();
    const other = await lockIn(store, { pid: 2 }).acquire();
    await assert.rejects(lock.upgrade(), LockTimeout);
    assert.deepEqual(roster(store), {
      shared: [
        ['test-host', 2, 0],
        ['test-host', 1, 0],
      ],
      exclusive: [],
    });
    await other.release();
    await lock.upgrade();
    assert.equal(lock.isExclusive, true);
    await assert.rejects(lockIn(store, { pid: 2 }).acquire(), LockTimeout);
    await lock.downgrade();
    assert.equal(lock.isExclusive, false);
    await (await lockIn(store, { pid: 2 }).acquire()).release();
    await lock.release();
    assert.deepEqual(names(store), []);
  });

  it('a dead process of this host loses its locks', async () => {
    const store = new MemoryStore();
    await lockIn(store, { pid: 4000, exclusive: true }).acquire();
    const crashed = store.afterCrash({ chooseKept: (limit) => limit });
    const reporter = new LoggingReporter();
    const lock = await lockIn(crashed, { exclusive: true, reporter }).acquire();
    assert.deepEqual(reporter.lines, [
      'warning: Killed stale lock test-host.4000-0.',
      'warning: Removed stale exclusive roster lock for host test-host pid 4000 thread 0.',
    ]);
    await lock.release();
    assert.deepEqual(names(crashed), []);
  });

  it('a dead reader of this host does not keep a writer out', async () => {
    const store = new MemoryStore();
    createWholeFile(store, 'lock.roster', fromUtf8('{"shared": [["test-host", 4000, 0]]}'));
    await (await lockIn(store, { exclusive: true }).acquire()).release();
  });

  it('locks of other hosts are respected', async () => {
    const store = new MemoryStore();
    createWholeFile(store, 'lock.roster', fromUtf8('{"shared": [["elsewhere", 4000, 0]]}'));
    await assert.rejects(lockIn(store, { exclusive: true }).acquire(), LockTimeout);
    await (await lockIn(store).acquire()).release();
    store.removeFile('lock.roster');
    store.createFolder('lock.exclusive');
    createWholeFile(store, 'lock.exclusive/elsewhere.4000-0');
    await assert.rejects(lockIn(store).acquire(), LockTimeout);
    assert.deepEqual(names(store), ['lock.exclusive']);
  });

  it('a file of an unknown name in the lock is left alone, and told', async () => {
    const store = new MemoryStore();
    store.createFolder('lock.exclusive');
    createWholeFile(store, 'lock.exclusive/what');
    const reporter = new LoggingReporter();
    await assert.rejects(lockIn(store, { reporter }).acquire(), LockTimeout);
    assert.match(reporter.lines[0]!, /^error: Found malformed lock what in .* Please check\/fix manually/);
  });

  it('a lock that has our name from a process before us is taken over', async () => {
    const store = new MemoryStore();
    store.createFolder('lock.exclusive');
    createWholeFile(store, 'lock.exclusive/test-host.1-0');
    await (await lockIn(store, { exclusive: true }).acquire()).release();
    assert.deepEqual(names(store), []);
  });

  it('an unreadable roster counts as empty', async () => {
    const store = new MemoryStore();
    createWholeFile(store, 'lock.roster', fromUtf8('{"sha'));
    await (await lockIn(store, { exclusive: true }).acquire()).release();
    assert.deepEqual(names(store), []);
  });

  it('break() frees the resource; the old holder finds out at release()', async () => {
    const store = new MemoryStore();
    const lock = await lockIn(store, { exclusive: true }).acquire();
    lockIn(store, { pid: 2 }).break();
    assert.equal(lock.isExclusive, false);
    const next = await lockIn(store, { pid: 2, exclusive: true }).acquire();
    await assert.rejects(lock.release(), { name: 'NotMyLock' });
    await next.release();
    const another = await lockIn(store, { exclusive: true }).acquire();
    lockIn(store, { pid: 2 }).break();
    await assert.rejects(another.release(), NotLocked);
  });

  it('a folder that can not be written gives LockFailed, one that is missing too', async () => {
    await assert.rejects(lockIn(new PosixStore('/nonexistent/folder')).acquire(), LockFailed);
  });

  it('gives up in time where the lock is free but its folder can not be renamed', async () => {
    const store = new MemoryStore();
    store.rename = () => {
      throw new StoreError('EDQUOT', 'rename', 'lock.exclusive');
    };
    await assert.rejects(lockIn(store, { exclusive: true, timeoutSeconds: 0.05 }).acquire(), LockTimeout);
    assert.deepEqual(names(store), []);
  });

  it('is free again where it could be taken but not be written into the roster', async () => {
    const store = new MemoryStore();
    const rename = store.rename.bind(store);
    store.rename = (from, to) => {
      if (to === 'lock.roster') throw new StoreError('ENOSPC', 'rename', to);
      rename(from, to);
    };
    await assert.rejects(lockIn(store, { exclusive: true }).acquire(), { code: 'ENOSPC' });
    store.rename = rename;
    // From another machine nobody could tell that the owner is gone.
    const lock = await lockIn(store, { exclusive: true, host: 'another' }).acquire();
    assert.ok(lock.isExclusive);
    await lock.release();
  });

  it('refuses a negative timeout', () => {
    assert.throws(() => lockIn(new MemoryStore(), { timeoutSeconds: -1 }), RangeError);
  });
});

describe('Lock among processes', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'alcove-lock-'));
  after(() => rmSync(scratch, { recursive: true }));

  it('a counter that writers raise in turn misses none', async () => {
    const counter = join(scratch, 'counter');
    writeFileSync(counter, '0');
    const worker = fileURLToPath(new URL('lock-worker.ts', import.meta.url));
    const codes = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, [worker, scratch, counter, '12'], { stdio: 'inherit' });
        return new Promise((resolve) => {
          child.on('exit', resolve);
        });
      }),
    );
    assert.deepEqual(codes, [0, 0, 0, 0]);
    assert.equal(readFileSync(counter, 'utf8'), '48');
  });
});
