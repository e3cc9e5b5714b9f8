import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, it, after } from 'node:test';
import { ArchivesBeside } from '../../../src/archive/check/archives-beside.ts';
import { checkArchives } from '../../../src/archive/check/check-archives.ts';
import { checkRepository, type CheckOptions } from '../../../src/archive/check/check.ts';
import { openLocalRepository } from '../../../src/archive/session.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Context } from '../../../src/util/context.ts';
import type { LogLevel, PercentProgress } from '../../../src/util/reporter.ts';
import { noise } from '../../noise.ts';
import { RecordingReporter, Scratch } from '../scratch.ts';

/** Tells all that it is told, also of progress. */
class TellingReporter extends RecordingReporter {
  override log(level: LogLevel, message: string): void {
    this.logged.push(`${level}: ${message}`);
  }

  override percent(msgid: string, _text: string, total: number): PercentProgress {
    const tell = (text: string): void => void this.logged.push(`${msgid}: ${text}`);
    tell(`of ${total}`);
    return {
      advance: ({ steps = 1, current } = {}) => tell(current === undefined ? `+${steps}` : `at ${current}`),
      say: tell,
      setTotal: (count) => tell(`of ${count}`),
      finish: () => tell('finished'),
    };
  }
}

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
await scratch.init();
scratch.write('source/large', noise(300_000, 1));
scratch.write('source/small', 'hello');
await scratch.create('one');
scratch.write('source/more', noise(5000, 2));
await scratch.create('two');
cpSync(scratch.join('repository'), scratch.join('sound'), { recursive: true });

const restore = (): void => {
  rmSync(scratch.join('repository'), { recursive: true });
  cpSync(scratch.join('sound'), scratch.join('repository'), { recursive: true });
};
const segments = (): string[] =>
  readdirSync(scratch.join('repository/data/0'))
    .toSorted((a, b) => Number(a) - Number(b))
    .map((name) => scratch.join('repository/data/0', name));
const largest = (): string => segments().toSorted((a, b) => statSync(b).size - statSync(a).size)[0]!;
const change = (path: string, work: (bytes: Buffer) => Uint8Array | undefined): void => {
  const bytes = readFileSync(path);
  writeFileSync(path, work(bytes) ?? bytes);
};

interface Told {
  readonly ok: boolean | string;
  readonly said: readonly string[];
  /** What the check of the archives asked for, and the end of the other check. */
  readonly calls: readonly string[];
}

async function check(options: CheckOptions, env?: Record<string, string>): Promise<Told> {
  const ctx = { ...scratch.context({ env: env ?? {} }), reporter: new TellingReporter() };
  const calls: string[] = [];
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const watched = new Proxy(repository, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'readTable') calls.push('archives');
      if (name === 'check') {
        const asked = repository.check.bind(repository);
        return (...args: Parameters<Repository['check']>) =>
          asked(...args).finally(() => calls.push('checked'));
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  let ok: boolean | string;
  try {
    ({ ok } = await checkRepository(ctx, watched, options, 0));
  } catch (error) {
    ok = String(error);
  }
  return { ok, said: ctx.reporter.logged, calls };
}

interface Case {
  readonly name: string;
  readonly damage?: () => void;
  readonly env?: Record<string, string>;
  readonly options?: CheckOptions;
  readonly ok: boolean | RegExp;
  /** The archives are not looked at before the repository's files are known to be sound. */
  readonly isNotBeside?: true;
}

const CASES: readonly Case[] = [
  { name: 'nothing', ok: true },
  { name: 'nothing, of one archive', options: { archive: 'one' }, ok: true },
  { name: 'a changed bit', damage: () => change(largest(), (b) => void (b[b.length >> 1]! ^= 1)), ok: false },
  { name: 'a lost end', damage: () => change(largest(), (bytes) => bytes.subarray(0, -100)), ok: false },
  { name: 'a segment that is gone', damage: () => rmSync(largest()), ok: false },
  {
    name: 'a changed bit in every segment',
    damage: () => segments().forEach((path) => change(path, (bytes) => void (bytes[30]! ^= 8))),
    ok: false,
  },
  {
    name: 'a damaged last COMMIT',
    damage: () => change(segments().at(-1)!, (bytes) => bytes.subarray(0, -1)),
    ok: false,
  },
  {
    name: 'a damaged index',
    damage: () => {
      const index = readdirSync(scratch.join('repository')).find((name) => name.startsWith('index.'))!;
      change(scratch.join('repository', index), (bytes) => void (bytes[500]! ^= 1));
    },
    ok: true,
  },
  { name: 'an archive that is not there', options: { archive: 'three' }, ok: false },
  { name: 'a wrong passphrase', env: { BORG_PASSPHRASE: 'wrong' }, ok: /PassphraseWrong/ },
  {
    name: 'a passphrase that a command tells',
    env: { BORG_PASSPHRASE: undefined!, BORG_PASSCOMMAND: 'echo scratch' },
    ok: true,
    isNotBeside: true,
  },
  { name: 'the plan of a repair', options: { repair: true, dryRun: true }, ok: true, isNotBeside: true },
];

describe('checkRepository() says the same, in the same order, with and without threads, where is wrong', () => {
  for (const { name, damage, env, options, ok, isNotBeside } of CASES) {
    it(name, async () => {
      restore();
      damage?.();
      const expected = await check({ ...options, threads: 1 }, env);
      restore();
      damage?.();
      const found = await check({ ...options, threads: 2 }, env);
      assert.deepEqual(found.said, expected.said);
      assert.deepEqual(found.ok, expected.ok);
      if (typeof ok === 'boolean') assert.equal(found.ok, ok);
      else assert.match(String(found.ok), ok);
      if (ok === true) assert.equal(found.calls[0], isNotBeside === true ? 'checked' : 'archives');
    });
  }
});

function contextOf() {
  return { ...scratch.context(), reporter: new TellingReporter() };
}

describe('ArchivesBeside', () => {
  const limits = { threads: 1, fromBytes: 0 };
  const RESULT = {} as Awaited<ReturnType<typeof checkArchives>>;

  it('says nothing before the result is asked for, and then everything at once', async () => {
    const ctx = contextOf();
    const goOn = Promise.withResolvers<void>();
    const beside = new ArchivesBeside(ctx, limits, async ({ reporter }) => {
      reporter.log('info', 'before');
      await goOn.promise;
      reporter.log('info', 'after');
      return RESULT;
    });
    beside.begin();
    assert.deepEqual(ctx.reporter.logged, []);
    const result = beside.result();
    assert.deepEqual(ctx.reporter.logged, ['info: before']);
    goOn.resolve();
    assert.equal(await result, RESULT);
    assert.deepEqual(ctx.reporter.logged, ['info: before', 'info: after']);
  });

  it('asks only when it may speak', async () => {
    const asked: string[] = [];
    const readPassphrase = async (prompt: string): Promise<undefined> => void asked.push(prompt);
    const ctx = { ...contextOf(), readPassphrase };
    const run = async (held: Context) => {
      await held.readPassphrase('passphrase');
      await held.reporter.ask({ text: 'question', env: '' });
      return RESULT;
    };
    const beside = new ArchivesBeside(ctx, limits, run);
    beside.begin();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(asked, []);
    assert.equal(await beside.result(), RESULT);
    assert.deepEqual(asked, ['passphrase']);
    // Who waits to be heard does not wait for ever.
    const other = new ArchivesBeside(ctx, limits, run);
    other.begin();
    await other.end();
    assert.deepEqual(asked, ['passphrase']);
  });

  it('has no result where it was ended, or has too much to say', async () => {
    const ctx = contextOf();
    const ended = new ArchivesBeside(ctx, limits, async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
      return RESULT;
    });
    ended.begin();
    await ended.end();
    assert.equal(await ended.result(), undefined);
    const tooMuch = new ArchivesBeside(ctx, limits, async ({ reporter, signal }) => {
      for (let line = 0; line < 10_001; line++) reporter.log('error', 'damage');
      signal.throwIfAborted();
      return RESULT;
    });
    tooMuch.begin();
    assert.equal(await tooMuch.result(), undefined);
    assert.equal(await new ArchivesBeside(ctx, limits, async () => RESULT).result(), undefined);
    assert.deepEqual(ctx.reporter.logged, []);
  });

  it('throws what stops the check, when its result is asked for', async () => {
    const beside = new ArchivesBeside(contextOf(), limits, async () => {
      throw new Error('stopped');
    });
    beside.begin();
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(beside.result(), /stopped/);
  });

  it('ends with everything else when the user interrupts', async () => {
    restore();
    const interrupt = new AbortController();
    const ctx = { ...scratch.context({ signal: interrupt.signal }), reporter: new TellingReporter() };
    await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
    const beside = new ArchivesBeside(ctx, limits, async (held) => {
      interrupt.abort();
      return checkArchives(held, repository);
    });
    await assert.rejects(repository.check({}, beside), { name: 'AbortError' });
    assert.equal(ctx.reporter.logged.includes('info: Starting archive consistency check...'), false);
  });
});
