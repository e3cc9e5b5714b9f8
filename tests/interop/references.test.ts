/**
 * Both programs in turn on one repository and one cache, with interruptions and odd caches: the references that the
 * cache counts are those that there are, whoever counted them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openSession } from '../../src/archive/session.ts';
import { Location } from '../../src/format/location.ts';
import { checkReferences } from '../archive/cache/reference-model.ts';
import { RecordingReporter } from '../archive/scratch.ts';
import { seededRandom } from '../random.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';
import { noise } from '../noise.ts';

const STEPS = Number(process.env['ALCOVE_REFERENCE_STEPS'] ?? 12);
const SEEDS = Number(process.env['ALCOVE_REFERENCE_SEEDS'] ?? 1);
/** So that files have several chunks, and several files the same ones. */
const CHUNKER_PARAMS = '10,14,12,63';

type ProgramName = 'alcove' | 'borg';

class Model {
  readonly space = new Workspace();
  readonly repository = this.space.join('repo');
  readonly random: ReturnType<typeof seededRandom>;
  readonly names: string[] = [];
  orphans = false;
  #created = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  pick(): ProgramName {
    return this.random.next() < 0.5 ? 'alcove' : 'borg';
  }

  changeTree(): void {
    const { random, space } = this;
    for (let i = random.integer(10); i >= 0; i--) {
      const folder = space.join('tree', `d${random.integer(3)}`);
      mkdirSync(folder, { recursive: true });
      const path = `${folder}/f${random.integer(15)}`;
      if (random.next() < 0.2) rmSync(path, { force: true });
      else writeFileSync(path, noise([0, 10, 3000, 60_000, 300_000][random.integer(5)]!, random.integer(4)));
    }
  }

  createArguments(): string[] {
    this.changeTree();
    const archive = `${this.repository}::archive-${++this.#created}`;
    return ['create', '--chunker-params', CHUNKER_PARAMS, archive, 'tree'];
  }

  create(program: ProgramName, ...options: string[]): string {
    const [command, ...rest] = this.createArguments();
    this.space[program]([command!, ...options, ...rest]);
    return `create by ${program} ${options.join(' ')}`;
  }

  /** Ends the process some time after it began. */
  async interrupt(program: ProgramName, signal: 'SIGINT' | 'SIGKILL'): Promise<string> {
    const { random, space } = this;
    const args = this.createArguments();
    writeFileSync(space.join('tree', 'large'), noise(6_000_000, 100 + this.#created));
    const [command, prefix] =
      program === 'alcove'
        ? [process.execPath, [alcoveCommand]]
        : [process.env['ALCOVE_REFERENCE_BORG']!, []];
    const child = spawn(command, [...prefix, ...args], { cwd: space.path, env: space.env, stdio: 'ignore' });
    const startMs = program === 'alcove' ? 150 : 500;
    setTimeout(() => child.kill(signal), startMs + random.integer(1500));
    await new Promise((resolve) => child.on('close', resolve));
    // A killed process took its children with it, or will notice that it is alone; its locks are stale.
    space.alcove(['break-lock', this.repository]);
    rmSync(space.join('tree', 'large'));
    // Borg's checkpoint may have chunks that no item refers to.
    if (program === 'borg') this.orphans = true;
    return `create by ${program}, ${signal}`;
  }

  delete(program: ProgramName): string {
    const { random, space } = this;
    const names = space.alcove(['list', '--short', '--consider-checkpoints', this.repository]).stdout;
    const chosen = names.split('\n').filter((name) => name !== '' && random.next() < 0.4);
    if (chosen.length === 0) return 'nothing';
    const force = random.next() < 0.3 ? ['--force'] : [];
    space[program](['delete', ...force, this.repository, ...chosen]);
    return `delete ${chosen.join(' ')} by ${program}`;
  }

  /** Leaves a file out of all archives, with what remains compressed anew or not. */
  recreate(program: ProgramName): string {
    const { random, space } = this;
    const compression = random.next() < 0.5 ? [] : ['-C', 'zlib,1', '--recompress', 'always'];
    space[program](['recreate', '--exclude', `*/f${random.integer(15)}`, ...compression, this.repository]);
    return `recreate by ${program} ${compression.join(' ')}`;
  }

  compact(program: ProgramName): string {
    this.space[program](['compact', '--threshold', '0', this.repository]);
    return `compact by ${program}`;
  }

  tamperWithCache(): string {
    const { random, space } = this;
    const cache = space.join('home', '.cache', 'borg');
    const copy = space.join('old-cache');
    if (!existsSync(cache)) return 'nothing';
    if (random.next() < 0.3) {
      cpSync(cache, copy, { recursive: true });
      return 'copy the cache';
    }
    rmSync(cache, { recursive: true, force: true });
    if (random.next() < 0.3 || !existsSync(copy)) return 'remove the cache';
    cpSync(copy, cache, { recursive: true });
    return 'bring back the cache';
  }

  async step(): Promise<string> {
    const { random } = this;
    const program = this.pick();
    switch (random.integer(10)) {
      case 0:
      case 1:
        return this.create(program);
      case 2:
        return this.create(program, '--no-cache-sync');
      case 3:
        return this.create(program, '--files-cache', 'mtime,size');
      case 4:
        return await this.interrupt(program, random.next() < 0.5 ? 'SIGINT' : 'SIGKILL');
      case 5:
      case 6:
        return this.delete(program);
      case 7:
        return this.compact(program);
      case 8:
        return this.recreate(program);
      default:
        return this.tamperWithCache();
    }
  }

  async check(where: string): Promise<void> {
    const { space } = this;
    const ctx = {
      env: space.env,
      cwd: space.path,
      reporter: new RecordingReporter(),
      signal: new AbortController().signal,
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
      readPassphrase: () => Promise.resolve(undefined),
    };
    const location = Location.parse(this.repository);
    const operations = ['read', 'write'] as const;
    await using session = await openSession(ctx, location, { operations, exclusive: true });
    await checkReferences(session, where, { orphans: this.orphans });
  }
}

describe('references, with both programs at work', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`are counted right after each of ${STEPS} random steps, seed ${seed}`, async () => {
      const model = new Model(seed);
      using space = model.space;
      mkdirSync(space.join('tree'));
      space[model.pick()](['init', '--encryption', 'repokey-blake2', model.repository]);
      const done: string[] = [];
      for (let step = 0; step < STEPS; step++) {
        done.push(await model.step());
        // Not always: the next program is to find the cache as the one before left it.
        if (model.random.next() < 0.6) await model.check(done.join('; '));
      }
      await model.check(done.join('; '));
      const { stderr } = space.borg(['check', '--verify-data', model.repository], {
        accept: model.orphans ? [0, 1] : [0],
      });
      assert.doesNotMatch(stderr, /missing|integrity error|corrupt/i, `${done.join('; ')}: ${stderr}`);
    });
  }
});
