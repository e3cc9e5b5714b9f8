/** The history of a repository, and going back in it: also where that is interrupted at any operation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GeneralError, InvalidRepositoryConfig } from '../../src/errors.ts';
import { COMMIT_ENTRY, SEGMENT_MAGIC, encodePut } from '../../src/format/segment.ts';
import { readHistory, readManifest, type LoggedTransaction } from '../../src/repository/history.ts';
import { planUndo } from '../../src/repository/plan-undo.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import { readWholeFile } from '../../src/store/whole-file.ts';
import { toUtf8Lossy } from '../../src/util/bytes.ts';
import { FaultyStore } from '../faults/faulty-store.ts';
import {
  allPoints,
  assertCommitted,
  assertGoesOn,
  contentsOf,
  crashes,
  POLICY_NAMES,
  recordHistory,
  reopen,
  sameContents,
  type Contents,
} from '../faults/power-failure.ts';
import { dataOf, idOf, identity, LoggingReporter, testContext } from './fakes.ts';

const exclusive = { exclusive: true, identity: identity(5) };

/** A transaction that writes a manifest, as all commands do. */
async function commit(
  repository: SegmentRepository,
  name: string,
  work: () => Promise<void> = async () => {},
  compact = false,
): Promise<Contents> {
  await work();
  await repository.put(MANIFEST_ID, dataOf(`manifest ${name}`));
  await repository.commit(compact ? { compact, threshold: 0 } : {});
  return contentsOf(repository);
}

interface Made {
  readonly store: MemoryStore;
  /** After each transaction. */
  readonly states: readonly Contents[];
}

/** Four transactions in small segments: objects come, are replaced and go. */
async function make(appendOnly = true): Promise<Made> {
  const store = new MemoryStore();
  const made = await createRepositoryIn(testContext(), store, { identity: identity(5), appendOnly });
  made.config.ini.get('repository')!.set('max_segment_size', '300').set('segments_per_dir', '4');
  await made.saveKey('a key');
  await made.close();
  const repository = await openRepositoryIn(testContext(), store, exclusive);
  const states = [
    await commit(repository, '1', async () => {
      for (let i = 0; i < 10; i++) await repository.put(idOf(i), dataOf(i));
    }),
    await commit(repository, '2', async () => {
      for (let i = 10; i < 15; i++) await repository.put(idOf(i), dataOf(i));
      await repository.put(idOf(3), dataOf('new 3'));
    }),
    await commit(repository, '3', async () => {
      for (let i = 0; i < 15; i += 2) await repository.delete(idOf(i));
    }),
    await commit(repository, '4'),
  ];
  await repository.close();
  return { store: store.afterCrash(KEEP_UNSYNCED), states };
}

async function historyOf(store: MemoryStore): Promise<LoggedTransaction[]> {
  await using repository = await reopen(store);
  return readHistory(repository.log, new LoggingReporter());
}

async function goBack(store: MemoryStore, transactionId: number): Promise<void> {
  await using repository = await openRepositoryIn(testContext(), store, exclusive);
  await (await planUndo(testContext(), repository, transactionId)).run();
}

const names = (store: MemoryStore, folder = ''): string[] =>
  store
    .list(folder)
    .map(({ name }) => name)
    .toSorted();

describe('history()', () => {
  it('lists each transaction with its segments, its manifest, and the time in the log of transactions', async () => {
    const { store } = await make();
    const history = await historyOf(store);
    assert.equal(history.length, 4);
    const last = history.at(-1)!;
    assert.equal(
      history.reduce((sum, { segmentCount }) => sum + segmentCount, 0),
      last.transactionId + 1,
    );
    assert.ok(history.every(({ isComplete }) => isComplete));
    assert.ok(history.every(({ loggedNs }) => loggedNs === 1_767_323_045_678_901_000n));
    await using repository = await reopen(store);
    assert.deepEqual(readManifest(repository.log, history[1]!.manifest!), dataOf('manifest 2'));
  });

  it('leaves out what no COMMIT follows, and takes what looks like one at the end of data for data', async () => {
    const { store } = await make();
    const ids = (await historyOf(store)).map(({ transactionId }) => transactionId);
    const last = ids.at(-1)!;
    const file = store.createFile(`data/${Math.floor((last + 1) / 4)}/${last + 1}`);
    file.write(SEGMENT_MAGIC, encodePut(idOf('fake'), COMMIT_ENTRY));
    file.close();
    assert.deepEqual(
      (await historyOf(store)).map(({ transactionId }) => transactionId),
      ids,
    );
  });

  it('says of a COMMIT that is damaged that a transaction is not known', async () => {
    const { store } = await make();
    const [first, second, ...others] = await historyOf(store);
    const path = `data/${Math.floor(second!.transactionId / 4)}/${second!.transactionId}`;
    const bytes = readWholeFile(store, path, 17);
    bytes[9]! ^= 1;
    store.overwriteFile(path, bytes);
    const context = testContext();
    await using repository = await openRepositoryIn(context, store, { identity: identity(6) });
    const ids = readHistory(repository.log, context.reporter).map(({ transactionId }) => transactionId);
    assert.deepEqual(
      ids,
      [first!, ...others].map(({ transactionId }) => transactionId),
    );
    const text = `Segment ${second!.transactionId} is damaged: a transaction that ended there is not known.`;
    assert.deepEqual(context.reporter.lines, [`warning: ${text}`]);
  });

  it('does not offer what compaction took away, and offers what came after', async () => {
    const { store, states } = await make(false);
    const writer = await openRepositoryIn(testContext(), store, exclusive);
    const compacted = await commit(writer, '5', async () => {}, true);
    const after = await commit(writer, '6', () => writer.delete(idOf(1)));
    await writer.close();
    const history = await historyOf(store);
    const offered = history.filter(({ isComplete }) => isComplete).map(({ transactionId }) => transactionId);
    assert.ok(offered.length >= 2 && offered.length < history.length, String(offered));
    for (const { transactionId, isComplete } of history.toReversed()) {
      if (!isComplete) {
        await assert.rejects(goBack(store.afterCrash(KEEP_UNSYNCED), transactionId), GeneralError);
        continue;
      }
      const copy = store.afterCrash(KEEP_UNSYNCED);
      await goBack(copy, transactionId);
      await using reader = await reopen(copy);
      const contents = await contentsOf(reader);
      assert.ok([...states, compacted, after].some((state) => sameContents(state, contents)));
    }
  });
});

describe('planUndo()', () => {
  it('changes nothing; run() goes back, and keeps what it took out', async () => {
    for (const number of [0, 1, 2, 3]) {
      const { store, states } = await make();
      const { transactionId } = (await historyOf(store))[number]!;
      const repository = await openRepositoryIn(testContext(), store, exclusive);
      const before = names(store);
      const plan = await planUndo(testContext(), repository, transactionId);
      assert.deepEqual(names(store), before);
      assert.deepEqual(await contentsOf(repository), states[3]);
      await plan.run();
      assert.deepEqual(await contentsOf(repository), states[number]);
      const [kept] = repository.listQuarantine();
      const moved = plan.steps.flatMap(({ to }) => to ?? []);
      assert.deepEqual(
        kept?.files.map(({ path }) => path) ?? [],
        number === 3 ? [] : [...moved, `${plan.folder}/README`].toSorted(),
      );
      await repository.close();
      const context = testContext();
      const reader = await openRepositoryIn(context, store, { identity: identity(6) });
      assert.deepEqual(await contentsOf(reader), states[number]);
      assert.deepEqual(context.reporter.lines, [], 'nothing had to be replayed');
      assert.equal(readHistory(reader.log, new LoggingReporter()).length, number + 1);
      await reader.close();
      assert.equal(toUtf8Lossy(readWholeFile(store, 'transactions', 10_000)).split('\n').length, number + 2);
      await assertGoesOn(store, states[number]!);
    }
  });

  it('refuses a number that is no transaction, and one whose segments are damaged', async () => {
    const { store } = await make();
    const [first, second] = await historyOf(store);
    await assert.rejects(goBack(store, first!.transactionId - 1), /is not in the log/);
    store.overwriteFile(
      'data/0/1',
      readWholeFile(store, 'data/0/1', 1000).map((byte, at) => (at === 60 ? byte ^ 1 : byte)),
    );
    await assert.rejects(goBack(store, second!.transactionId), /CRC|checksum/i);
    assert.ok(!names(store).includes('quarantine'));
  });

  it('refuses to run where something was written since', async () => {
    const { store } = await make();
    const [first] = await historyOf(store);
    await using repository = await openRepositoryIn(testContext(), store, exclusive);
    const plan = await planUndo(testContext(), repository, first!.transactionId);
    await commit(repository, '5');
    await assert.rejects(plan.run(), /was written to since/);
  });

  it('is refused without the exclusive lock', async () => {
    const { store } = await make();
    const [first] = await historyOf(store);
    await using repository = await openRepositoryIn(testContext(), store, { identity: identity(6) });
    const plan = await planUndo(testContext(), repository, first!.transactionId);
    await assert.rejects(plan.run(), /exclusive lock/);
  });
});

describe('a power failure during a rollback', () => {
  for (const policy of POLICY_NAMES) {
    it(`that ${policy} leaves the state before or after, whoever opens it next`, async () => {
      const { store: base } = await make();
      const [, target] = await historyOf(base);
      const history = await recordHistory(base, async (store, reached) => {
        const repository = await openRepositoryIn(testContext(), store, exclusive);
        await (await planUndo(testContext(), repository, target!.transactionId)).run();
        await reached(repository);
        await repository.close();
      });
      let interrupted = 0;
      const wanted = allPoints(history).map((point) => ({ point, policy }));
      for (const { crash, store } of crashes(history, wanted)) {
        if (toUtf8Lossy(readWholeFile(store, 'config', 10_000)).includes('version = 0')) interrupted++;
        await assertCommitted(history, crash, store).catch((error: unknown) => {
          throw new Error(`crash at ${crash.point}`, { cause: error });
        });
      }
      assert.ok(interrupted > 5);
    });
  }

  it('keeps all out who take no lock, and who read only versions that they know, until one has finished it', async () => {
    const { store: base, states } = await make();
    const [, target] = await historyOf(base);
    let seen = 0;
    for (let at = 0; ; at++) {
      const memory = base.afterCrash(KEEP_UNSYNCED);
      const store = new FaultyStore(memory, { at, kind: 'crash' });
      const ended = await (async () => {
        const repository = await openRepositoryIn(testContext(), store, exclusive);
        await (await planUndo(testContext(), repository, target!.transactionId)).run();
        await repository.close();
      })().then(
        () => true,
        () => false,
      );
      if (ended) break;
      // The process is gone, the machine goes on.
      const left = memory.forOtherProcess();
      const isUnderWay = toUtf8Lossy(readWholeFile(left, 'config', 10_000)).includes('version = 0');
      const bypass = openRepositoryIn(testContext(), left, { lock: false });
      if (isUnderWay) {
        seen++;
        await assert.rejects(bypass, /a rollback of .* was interrupted/);
      } else await (await bypass).close();
      const reader = await reopen(left);
      const contents = await contentsOf(reader);
      await reader.close();
      const expected = isUnderWay ? [states[1]!] : [states[1]!, states[3]!];
      assert.ok(
        expected.some((state) => sameContents(state, contents)),
        `killed at ${at}`,
      );
    }
    assert.ok(seen > 5);
  });

  it('leaves a config that is refused where it says something impossible', async () => {
    for (const [transaction, quarantine] of [
      ['x', 'quarantine/2026-01-01T00-00-00Z'],
      ['3', '../elsewhere'],
      ['3', 'data/0'],
    ]) {
      const { store } = await make();
      const repository = await openRepositoryIn(testContext(), store, exclusive);
      repository.config.ini.get('repository')!.set('version', '0');
      repository.config.ini.set(
        'rollback',
        new Map([
          ['transaction', transaction!],
          ['quarantine', quarantine!],
        ]),
      );
      await repository.saveKey('');
      await repository.close();
      await assert.rejects(reopen(store), InvalidRepositoryConfig);
    }
  });
});
