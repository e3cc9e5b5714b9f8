/**
 * Whatever backups, interruptions, deletions and odd caches come one after the other: the chunks cache counts the
 * references that there are. A count too low would in the end delete what an archive still needs.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { deleteArchives } from '../../../src/archive/delete.ts';
import type { Random } from '../../random.ts';
import { seededRandom } from '../../random.ts';
import { Scratch } from '../scratch.ts';
import { checkReferences } from './reference-model.ts';
import { noise } from '../../noise.ts';

const STEPS = Number(process.env['ALCOVE_REFERENCE_STEPS'] ?? 14);
const SEEDS = Number(process.env['ALCOVE_REFERENCE_SEEDS'] ?? 2);
/** So that files have several chunks, and several files the same ones. */
const CHUNKER_PARAMS = ['buzhash', 10, 14, 12, 63] as const;

class Model {
  readonly scratch = new Scratch();
  readonly random: Random;
  #names = 0;
  /** Since then there may be objects that nothing refers to. */
  orphans = false;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  get cachePath(): string {
    return this.scratch.join('.cache', 'borg');
  }

  /** Files of few contents, so that most contents are in several files. */
  changeTree(): void {
    const { random, scratch } = this;
    for (let i = random.integer(12); i >= 0; i--) {
      const path = `source/d${random.integer(3)}/f${random.integer(20)}`;
      if (random.next() < 0.2) rmSync(scratch.join(path), { force: true });
      else scratch.write(path, noise([0, 10, 3000, 60_000, 400_000][random.integer(5)]!, random.integer(4)));
    }
  }

  async create(
    options: { checkpoints?: boolean; adHoc?: boolean; abortAfterMs?: number } = {},
  ): Promise<void> {
    const { random, scratch } = this;
    this.changeTree();
    const controller = new AbortController();
    const ctx = scratch.context({ signal: controller.signal });
    const { abortAfterMs } = options;
    if (abortAfterMs !== undefined) void sleep(abortAfterMs).then(() => controller.abort());
    try {
      await scratch.create(`archive-${++this.#names}`, ctx, {
        chunkerParams: CHUNKER_PARAMS,
        threads: 1 + random.integer(2),
        checkpointIntervalSeconds: options.checkpoints === true ? 0.001 : 0,
        permitAdHocCache: options.adHoc ?? false,
        filesCacheMode: ['cis', 'ctime', 'd', 'mis'][random.integer(4)]!,
      });
    } catch (error) {
      if (abortAfterMs === undefined || !(error instanceof Error && /SIGINT|abort/i.test(error.message))) {
        throw error;
      }
    }
  }

  async delete(listOnly: boolean): Promise<void> {
    const { random, scratch } = this;
    await using session = await scratch.open();
    const names = [...session.manifest.archives.keys()].filter(() => random.next() < 0.4);
    if (listOnly && names.length > 0) this.orphans = true;
    await deleteArchives(session, names, {
      listOnly,
      force: random.next() < 0.5,
      checkpointIntervalSeconds: random.integer(2) * 0.000_001,
    });
  }

  async compact(): Promise<void> {
    await using session = await this.scratch.open();
    await session.repository.commit({ compact: true, threshold: 0 });
  }

  /** What a user may do to the cache: go without, or bring back an older one. */
  tamperWithCache(): void {
    const { random, scratch } = this;
    const copy = scratch.join('old-cache');
    const choice = random.integer(4);
    if (choice === 1) cpSync(this.cachePath, copy, { recursive: true });
    else if (choice === 2) {
      for (const id of this.#caches()) writeFileSync(`${this.cachePath}/${id}/chunks`, noise(5000, 1));
    } else {
      rmSync(this.cachePath, { recursive: true, force: true });
      if (choice === 3 && existsSync(copy)) cpSync(copy, this.cachePath, { recursive: true });
    }
  }

  #caches(): string[] {
    return readdirSync(this.cachePath).filter((name) => /^[0-9a-f]{64}$/.test(name));
  }

  async step(): Promise<string> {
    const { random } = this;
    const abortAfterMs = random.integer(150);
    const steps: Record<string, () => Promise<void> | void> = {
      create: () => this.create(),
      'create with checkpoints': () => this.create({ checkpoints: true }),
      'create without cache': () => this.create({ adHoc: true, checkpoints: random.next() < 0.5 }),
      'interrupted create': () => this.create({ abortAfterMs, checkpoints: random.next() < 0.5 }),
      delete: () => this.delete(false),
      'delete again': () => this.delete(false),
      'delete from the list': () => this.delete(true),
      compact: () => this.compact(),
      cache: () => this.tamperWithCache(),
    };
    const names = Object.keys(steps);
    const name = names[random.integer(names.length)]!;
    await steps[name]!();
    return name;
  }
}

describe('references', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`are counted right in the cache after each of ${STEPS} random steps, seed ${seed}`, async () => {
      const model = new Model(seed);
      using scratch = model.scratch;
      await scratch.init();
      mkdirSync(scratch.join('source'));
      const done: string[] = [];
      for (let step = 0; step < STEPS; step++) {
        done.push(await model.step());
        await using session = await scratch.open();
        await checkReferences(session, done.join(', '), { orphans: model.orphans });
      }
    });
  }
});
