/**
 * Whatever was put, replaced, deleted, rolled back and compacted: the log alone gives the same objects as the index
 * does, at every commit. So losing the index and the hints at any time costs time and nothing else.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { toHex } from '../../src/util/bytes.ts';
import type { LogLevel } from '../../src/util/reporter.ts';
import { SilentReporter } from '../../src/util/reporter.ts';
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

describe('the log without index and hints', () => {
  it(`gives what the index gives, after each of ${SEEDS * TRANSACTIONS} random transactions`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const store = await prepare(random);
      let model: Contents = new Map();
      for (let number = 0; number < TRANSACTIONS; number++) {
        const where = `seed ${seed}, transaction ${number}`;
        // Now and then what follows builds on what a replay has made.
        const isReplayed = random.next() < 0.2;
        if (isReplayed) removeFiles(store, random.next() < 0.5 ? /^(?:index|hints)\./ : /^hints\./);
        const reporter = new Warnings();
        const repository = await open(store, reporter);
        const changed = new Map(model);
        await change(repository, changed, random);
        // The first is always committed: without a COMMIT nothing can be told about a log.
        if (number > 0 && random.next() < 0.15) await repository.rollback();
        else {
          await repository.commit({ compact: random.next() < 0.6, threshold: random.integer(4) / 10 });
          model = changed;
        }
        assert.deepEqual(await contentsOf(repository), sorted(model), `${where}: the index`);
        await repository.close();
        if (!isReplayed) assert.deepEqual(reporter.texts, [], where);
        const copy = store.afterCrash(KEEP_UNSYNCED);
        removeFiles(copy, /^(?:index|hints|integrity)\./);
        const replayed = await open(copy);
        assert.deepEqual(await contentsOf(replayed), sorted(model), `${where}: the log`);
        await replayed.close();
      }
    }
  });
});
