/**
 * Whatever was put, replaced, deleted, rolled back and compacted: the log alone gives the same objects as the index
 * does, at every commit. So losing the index and the hints at any time costs time and nothing else.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Hints } from '../../src/format/hints.ts';
import { TAG_PUT } from '../../src/format/segment.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { TransactionFiles } from '../../src/repository/transaction-files.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { toHex } from '../../src/util/bytes.ts';
import type { LogLevel } from '../../src/util/reporter.ts';
import { SilentReporter } from '../../src/util/reporter.ts';
import { CrashError, FaultyStore } from '../faults/faulty-store.ts';
import { seededRandom } from '../random.ts';
import type { Random } from '../random.ts';
import { dataOf, idOf, identity, testContext } from './fakes.ts';

const SEEDS = Number(process.env['ALCOVE_REPLAY_SEEDS'] ?? 25);
const TRANSACTIONS = 25;
const OBJECTS = 14;
/** The manifest has rules of its own. */
const IDS = [new Uint8Array(32), ...Array.from({ length: OBJECTS }, (_, i) => idOf(i))];

class Warnings extends SilentReporter {
  readonly texts: string[] = [];

  override log(level: LogLevel, message: string): void {
    if (level === 'warning' || level === 'error') this.texts.push(message);
  }
}

type Contents = Map<string, string>;

async function open(store: Store, reporter = new Warnings()): Promise<SegmentRepository> {
  return openRepositoryIn({ ...testContext(), reporter }, store, { exclusive: true, identity: identity(1) });
}

async function contentsOf(repository: SegmentRepository): Promise<Contents> {
  const contents: Contents = new Map();
  for (const id of (await repository.list()).toSorted((a, b) => Buffer.compare(a, b))) {
    contents.set(toHex(id), toHex(await repository.get(id)));
  }
  return contents;
}

function removeFiles(store: Store, pattern: RegExp): void {
  for (const { name } of store.list('')) if (pattern.test(name)) store.removeFile(name);
}

async function prepare(random: Random): Promise<MemoryStore> {
  const store = new MemoryStore();
  const made = await createRepositoryIn(testContext(), store, { identity: identity(1) });
  made.config.ini
    .get('repository')!
    .set('max_segment_size', String(100 + random.integer(600)))
    .set('segments_per_dir', String(1 + random.integer(8)));
  await made.saveKey('a key');
  await made.close();
  return store;
}

/** Changes some objects, in the repository and in the model. */
async function change(repository: SegmentRepository, model: Map<string, string>, random: Random) {
  for (let i = random.integer(8); i >= 0; i--) {
    const id = IDS[random.integer(IDS.length)]!;
    const name = toHex(id);
    if (model.has(name) && random.next() < 0.5) {
      await repository.delete(id);
      model.delete(name);
    } else {
      const data = dataOf(`version ${random.integer(1e9)}`, 1 + random.integer(150));
      await repository.put(id, data);
      model.set(name, toHex(data));
    }
  }
}

function sorted(model: Contents): Contents {
  return new Map([...model].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the hints on disk say of each segment is what the segment and the index on disk say. */
function checkHints(store: Store, repository: SegmentRepository, where: string): void {
  const files = new TransactionFiles(store, new Warnings());
  const transactionId = files.latest()!;
  const index = files.readIndex(transactionId);
  const { segments, compact } = files.readHints(transactionId) as Hints;
  const live = new Map<number, number>();
  for (const [, bucket] of index.entries()) {
    const segment = index.valueAt(bucket, 0);
    live.set(segment, (live.get(segment) ?? 0) + 1);
  }
  for (const segment of repository.log.files.ascending()) {
    // What a crash has left behind is removed by the next writer.
    if (segment > transactionId) break;
    const at = `${where}, segment ${segment} of ${transactionId}`;
    const count = live.get(segment) ?? 0;
    assert.equal(segments.get(segment) ?? 0, count, `${at}: objects`);
    const puts = [...repository.log.entries(segment)].filter(({ tag }) => tag === TAG_PUT).length;
    // Otherwise its space would never be freed.
    if (count === 0 || puts > count) assert.ok((compact.get(segment) ?? 0) > 0, `${at}: freeable`);
  }
}

/** What one process does: a transaction, which is committed, rolled back, or ended by a crash. */
class Campaign {
  readonly #random: Random;
  store: MemoryStore;
  model: Contents = new Map();
  isReplayed = false;
  #isFirst = true;

  constructor(random: Random, store: MemoryStore) {
    this.#random = random;
    this.store = store;
  }

  async run(where: string): Promise<void> {
    const random = this.#random;
    // Now and then what follows builds on what a replay has made.
    this.isReplayed = random.next() < 0.2;
    if (this.isReplayed) removeFiles(this.store, random.next() < 0.5 ? /^(?:index|hints)\./ : /^hints\./);
    const changed = new Map(this.model);
    const reporter = new Warnings();
    const faulty = new FaultyStore(this.store);
    const repository = await open(faulty, reporter);
    await change(repository, changed, random);
    // The first is always committed: without a COMMIT nothing can be told about a log.
    const fate = this.#isFirst ? 1 : random.next();
    this.#isFirst = false;
    if (fate < 0.15) {
      await repository.rollback();
      await repository.close();
    } else {
      if (fate < 0.4) faulty.fault = { at: faulty.operations.length + random.integer(30), kind: 'crash' };
      if (await this.#commit(repository)) this.model = changed;
      else await this.#afterCrash(changed, where);
    }
    if (!this.isReplayed) assert.deepEqual(reporter.texts, [], where);
  }

  /** False where the machine went down. */
  async #commit(repository: SegmentRepository): Promise<boolean> {
    const random = this.#random;
    try {
      await repository.commit({ compact: random.next() < 0.6, threshold: random.integer(10) / 10 });
      await repository.close();
      return true;
    } catch (error) {
      if (!(error instanceof CrashError)) throw error;
      return false;
    }
  }

  async #afterCrash(changed: Contents, where: string): Promise<void> {
    this.isReplayed = true;
    this.store = this.store.afterCrash(KEEP_UNSYNCED);
    removeFiles(this.store, /^lock\.roster$/);
    await using repository = await open(this.store);
    const contents = await contentsOf(repository);
    if (isDeepStrictEqual(contents, sorted(changed))) this.model = changed;
    assert.deepEqual(contents, sorted(this.model), `${where}: after the crash`);
  }
}

describe('the log without index and hints', () => {
  it(`gives what the index gives, after each of ${SEEDS * TRANSACTIONS} random transactions`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const campaign = new Campaign(random, await prepare(random));
      for (let number = 0; number < TRANSACTIONS; number++) {
        const where = `seed ${seed}, transaction ${number}`;
        await campaign.run(where);
        const { store, model } = campaign;
        const repository = await open(store);
        assert.deepEqual(await contentsOf(repository), sorted(model), `${where}: the index`);
        checkHints(store, repository, where);
        await repository.close();
        const copy = store.afterCrash(KEEP_UNSYNCED);
        removeFiles(copy, /^(?:index|hints|integrity)\./);
        const replayed = await open(copy);
        assert.deepEqual(await contentsOf(replayed), sorted(model), `${where}: the log`);
        await replayed.close();
      }
    }
  });
});
