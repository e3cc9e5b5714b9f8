/**
 * A power failure at every operation of a transaction: what is found afterwards is the state before the commit or the
 * one after it, whole, and the repository goes on working.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidRepository } from '../../src/errors.ts';
import type { LockOwner } from '../../src/format/lock-roster.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import { toHex } from '../../src/util/bytes.ts';
import { CrashError, FaultyStore } from '../faults/faulty-store.ts';
import {
  allPoints,
  assertCommitted,
  assertGoesOn,
  contentsOf,
  crashes,
  POLICIES,
  POLICY_NAMES,
  recordHistory,
  recordStates,
  reopen,
  sameContents,
  type Contents,
  type History,
} from '../faults/power-failure.ts';
import { seededRandom } from '../random.ts';
import { dataOf, idOf, identity, testContext } from './fakes.ts';

/** A repository with small segments: 30 objects in the first transaction, in several segments, some replaced since. */
async function prepare(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const made = await createRepositoryIn(testContext(), store, { identity: identity(5) });
  made.config.ini.get('repository')!.set('max_segment_size', '500').set('segments_per_dir', '5');
  await made.saveKey('a key');
  await made.close();
  const repository = await openRepositoryIn(testContext(), store, { exclusive: true, identity: identity(5) });
  for (let i = 0; i < 30; i++) await repository.put(idOf(i), dataOf(i));
  await repository.commit();
  for (let i = 0; i < 30; i += 4) await repository.put(idOf(i), dataOf(`new ${i}`));
  for (let i = 1; i < 30; i += 7) await repository.delete(idOf(i));
  await repository.commit();
  await repository.close();
  return store.afterCrash(KEEP_UNSYNCED);
}

/** The transactions under test; each starts from what prepare() makes. */
const transactions: Record<string, (repository: SegmentRepository) => Promise<void>> = {
  'put and commit': async (repository) => {
    for (let i = 100; i < 115; i++) await repository.put(idOf(i), dataOf(i));
    await repository.commit();
  },
  'replace, delete and commit': async (repository) => {
    for (let i = 0; i < 30; i += 8) await repository.put(idOf(i), dataOf(`newer ${i}`));
    for (let i = 2; i < 30; i += 8) await repository.delete(idOf(i));
    await repository.commit();
  },
  'delete and compact': async (repository) => {
    for (let i = 2; i < 20; i += 4) await repository.delete(idOf(i));
    await repository.commit({ compact: true, threshold: 0.1 });
  },
  'compact twice': async (repository) => {
    await repository.delete(idOf(3));
    await repository.commit({ compact: true, threshold: 0.5 });
    await repository.put(idOf(3), dataOf(3));
    await repository.delete(idOf(7));
    await repository.commit({ compact: true, threshold: 0 });
  },
};

/** The states that a transaction passes through: before it, and after each of its commits. */
async function historyOf(run: (repository: SegmentRepository) => Promise<void>): Promise<History> {
  return recordHistory(await prepare(), async (store, reached) => {
    const options = { exclusive: true, identity: identity(3) };
    const repository = await openRepositoryIn(testContext(), store, options);
    await run(recordStates(repository, reached));
    await repository.close();
  });
}

describe('a power failure in the middle of', () => {
  for (const [name, run] of Object.entries(transactions)) {
    for (const policy of POLICY_NAMES) {
      it(`"${name}" that ${policy} leaves the state before or after`, async () => {
        const history = await historyOf(run);
        const wanted = allPoints(history).map((point) => ({ point, policy }));
        for (const { crash, store } of crashes(history, wanted)) {
          await assertCommitted(history, crash, store).catch((error: unknown) => {
            throw new Error(`crash at ${crash.point}`, { cause: error });
          });
        }
      });
    }
  }
});

describe('a power failure after', () => {
  for (const [name, run] of Object.entries(transactions)) {
    it(`"${name}" was killed, and others have read, leaves the state that they have read`, async () => {
      const base = await prepare();
      for (let at = 0; ; at++) {
        const memory = base.afterCrash(KEEP_UNSYNCED);
        const random = seededRandom(at);
        const chooseWritten = (limit: number) => random.integer(limit + 1);
        const store = new FaultyStore(memory, { at, kind: 'crash', chooseWritten });
        if ((await crashDuring(store, run)) === undefined) break;
        const where = `killed at ${at}: ${store.operations.at(-1)}`;
        // The process is gone, the machine goes on.
        const reader = await reopen(memory.forOtherProcess());
        const seen = await contentsOf(reader);
        await reader.close();
        await checkAfterCrash(memory.afterCrash(), [seen], where);
      }
    });

    it(`"${name}" was committed finds all in place: index, hints, and what checks them`, async () => {
      const memory = (await prepare()).afterCrash(KEEP_UNSYNCED);
      const repository = await openRepositoryIn(testContext(), memory, { exclusive: true });
      await run(repository);
      const contents = await contentsOf(repository);
      const store = memory.afterCrash();
      await repository.close();
      const context = testContext();
      const { owner } = identity(2);
      const survivor = { owner, isAlive: ({ pid }: LockOwner) => pid === owner.pid };
      const found = await openRepositoryIn(context, store, { identity: survivor });
      assert.deepEqual(await contentsOf(found), contents);
      const lines = context.reporter.lines.filter((line) => !line.includes('stale'));
      assert.deepEqual(lines, [], 'nothing had to be replayed');
      assert.ok(store.list('').some(({ name: file }) => file.startsWith('integrity.')));
      await found.close();
    });
  }
});

describe('an operation that fails in the middle of', () => {
  for (const [name, run] of Object.entries(transactions)) {
    for (const kind of ['EIO', 'ENOSPC'] as const) {
      it(`"${name}" by ${kind} is told; what was committed stays, also after a power failure`, async () => {
        const base = await prepare();
        const states = (await historyOf(run)).states.map((state) => state.contents);
        for (let at = 0; ; at++) {
          const memory = base.afterCrash(KEEP_UNSYNCED);
          const store = new FaultyStore(memory, { at, kind });
          const repository = await openRepositoryIn(testContext(), store, {
            exclusive: true,
            identity: identity(3),
          }).catch(() => undefined);
          // The lock, of which other tests are.
          if (repository === undefined) continue;
          let error: unknown;
          await run(repository).catch((reason: unknown) => (error = reason));
          const where = `${kind} at ${at}: ${store.operations[at]}`;
          const isLast = store.operations.length <= at;
          store.fault = undefined;
          if (error === undefined) assert.deepEqual(await contentsOf(repository), states.at(-1), where);
          await checkAfterCrash(memory.afterCrash(), states, where);
          // The same process goes on, too, from one of the states.
          await repository.rollback();
          const contents = new Map(await contentsOf(repository));
          assert.ok(
            states.some((state) => sameContents(state, contents)),
            `${where}: the process that goes on`,
          );
          await repository.put(idOf('on'), dataOf('on'));
          await repository.commit();
          contents.set(toHex(idOf('on')), toHex(dataOf('on')));
          await checkAfterCrash(memory.afterCrash(), [contents], `${where}: going on`);
          await repository.close();
          if (isLast) break;
        }
      });
    }
  }
});

describe('a power failure while the key is replaced, or nonces are reserved,', () => {
  for (const policy of POLICY_NAMES) {
    it(`that ${policy} leaves the old one or the new one`, async () => {
      const base = await prepare();
      for (let at = 0; ; at++) {
        const memory = base.afterCrash(KEEP_UNSYNCED);
        const store = new FaultyStore(memory, { at, kind: 'crash' });
        const error = await crashDuring(store, async (repository) => {
          await repository.saveKey('another key');
          await repository.commitNonceReservation(7n, undefined);
          await repository.saveKey('a third key');
          await repository.commitNonceReservation(9n, 7n);
        });
        const repository = await reopen(memory.afterCrash(POLICIES[policy](at)), { exclusive: true });
        const found = `${await repository.loadKey()}, ${await repository.getFreeNonce()}`;
        const states = ['a key, undefined', 'another key, undefined', 'another key, 7', 'a third key, 7'];
        assert.ok([...states, 'a third key, 9'].includes(found), `crash at ${at}: ${found}`);
        if (error === undefined) {
          assert.equal(found, 'a third key, 9');
          break;
        }
        await repository.saveKey('the last key');
        assert.equal(await repository.loadKey(), 'the last key');
        await repository.close();
      }
    });
  }
});

describe('a power failure while a repository is made', () => {
  it('leaves none, one without objects, or one with the first transaction', async () => {
    let outcomes = '';
    for (let at = 0; ; at++) {
      const memory = new MemoryStore();
      const store = new FaultyStore(memory, { at, kind: 'crash' });
      const error = await crashDuringCreation(store);
      if (error !== undefined && !(error instanceof CrashError)) throw error;
      outcomes += await stateAfterCreation(memory.afterCrash(KEEP_UNSYNCED));
      if (error === undefined) break;
    }
    assert.match(outcomes, /^-+0+1+$/);
  });
});

async function crashDuringCreation(store: FaultyStore): Promise<unknown> {
  try {
    const repository = await createRepositoryIn(testContext(), store, { identity: identity(3) });
    await repository.put(idOf(1), dataOf(1));
    await repository.commit();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `-`: can't be opened. Otherwise the number of objects. */
async function stateAfterCreation(store: MemoryStore): Promise<string> {
  let repository: SegmentRepository;
  try {
    repository = await reopen(store);
  } catch (error) {
    assert.ok(error instanceof InvalidRepository, String(error));
    return '-';
  }
  const count = await repository.count();
  if (count > 0) assert.deepEqual(await repository.get(idOf(1)), dataOf(1));
  await repository.close();
  return String(count);
}

/** Runs the transaction; returns what ended it. */
async function crashDuring(store: FaultyStore, run: (repository: SegmentRepository) => Promise<void>) {
  try {
    const repository = await openRepositoryIn(testContext(), store, {
      exclusive: true,
      identity: identity(3),
    });
    await run(repository);
    await repository.close();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Asserts that one of the states is found, and goes on writing and compacting. */
async function checkAfterCrash(
  store: MemoryStore,
  states: readonly Contents[],
  where: string,
): Promise<void> {
  const reader = await reopen(store);
  const contents = await contentsOf(reader);
  await reader.close();
  assert.ok(
    states.some((state) => sameContents(state, contents)),
    `${where}: neither the old state nor the new`,
  );
  await assertGoesOn(store, contents);
}
