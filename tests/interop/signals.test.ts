/** What both programs say and leave when they are interrupted, asked, or no longer read. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';

import { noise } from '../noise.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';

type Side = 'alcove' | 'borg';

const sides: readonly Side[] = ['alcove', 'borg'];
const MEBIBYTE = 1 << 20;
const patienceMs = 60_000;
const size = String.raw`[\d.]+ \w?B`;

/** A program under way, and what it has said. */
class Running {
  readonly child: ChildProcess;
  stderr = '';
  closed = false;

  constructor(space: Workspace, side: Side, args: readonly string[], env: Record<string, string> = {}) {
    const reference = process.env['ALCOVE_REFERENCE_BORG']!;
    const [command, first] = side === 'borg' ? [reference, []] : [process.execPath, [alcoveCommand]];
    this.child = spawn(command, [...first, ...args], {
      cwd: space.path,
      env: { ...space.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    });
    this.child.stdout!.resume();
    this.child.once('close', () => (this.closed = true));
    this.child.stderr!.setEncoding('utf8').on('data', (part: string) => (this.stderr += part));
  }

  async says(wanted: RegExp): Promise<void> {
    while (!wanted.test(this.stderr)) {
      if (this.closed) throw new Error(`ended without ${wanted.source}:\n${this.stderr}`);
      await sleep(10);
    }
  }

  async end(): Promise<{ status: number | null; lines: string[] }> {
    if (!this.closed) await once(this.child, 'close');
    const lines = this.stderr.split('\n').filter((line) => line !== '');
    return { status: this.child.exitCode, lines };
  }
}

/**
 * Asks until the answer is the one wanted, or the program has ended. Once is not enough for Borg: a signal that comes
 * just before it begins to wait for data is answered only when there is some.
 */
async function asked(
  running: Running,
  wanted: RegExp,
  signal: NodeJS.Signals = 'SIGUSR1',
  everyMs = 5,
): Promise<void> {
  while (!running.closed && !wanted.test(running.stderr)) {
    running.child.kill(signal);
    await sleep(everyMs);
  }
  await running.says(wanted);
}

/** Tries again with Borg, whose reading a signal may break off: then it goes on without the file. */
async function patiently(side: Side, work: (attempt: number) => Promise<void>): Promise<void> {
  const attempts = side === 'borg' ? 5 : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

describe('signals', () => {
  const space = new Workspace();
  let seed = 0;
  before(() => {
    mkdirSync(space.join('many'));
    for (const name of 'abcd') writeFileSync(space.join(`many/${name}`), Buffer.alloc(24 * MEBIBYTE));
    for (const side of sides) {
      space.borg(['init', '-e', 'repokey', side]);
      space.borg(['create', `${side}::many`, 'many']);
    }
  });
  after(() => space[Symbol.dispose]());

  /** A backup that reads from a pipe, of which it has had some mebibytes. */
  async function backupOf(side: Side, name: string): Promise<{ running: Running; pipe: FileHandle }> {
    const path = space.join(`${side}-${name}`);
    execFileSync('mkfifo', [path]);
    const options = ['--read-special', '--chunker-params', '12,18,15,4095'];
    const running = new Running(space, side, ['create', '-v', ...options, `${side}::${name}`, path]);
    const pipe = await open(path, 'w');
    // Nothing that the repository has: what is known is told late.
    await pipe.write(noise(8 * MEBIBYTE, (seed += 100)));
    return { running, pipe };
  }

  /** Writes on until nobody reads any more: without a limit the backup can't come to its own end before. */
  async function feed(running: Running, pipe: FileHandle, pieces = Infinity): Promise<void> {
    try {
      for (let index = 0; index < pieces && !running.closed; index++) {
        await pipe.write(noise(65536, seed + 1 + index));
        await sleep(2);
      }
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EPIPE');
    }
    await pipe.close();
  }

  const archives = (side: Side) => space.borg(['list', '--short', '--consider-checkpoints', side]).stdout;

  for (const side of sides) {
    it(`SIGUSR1 makes ${side} say which file it reads`, async () => {
      const { running, pipe } = await backupOf(side, 'asked');
      await asked(running, new RegExp(`${side}-asked ${size}/${size}\n`), 'SIGUSR1', 500);
      await pipe.close();
      // A signal may break off Borg's reading.
      const { status } = await running.end();
      assert.ok(status === 0 || (side === 'borg' && status === 1), running.stderr);
    });

    it(`SIGUSR1 makes ${side} say which file it extracts`, async () => {
      const running = new Running(space, side, ['extract', '-v', '--list', `${side}::many`], {
        BORG_REPO: space.join(side),
      });
      await running.says(/many\n/);
      await asked(running, /\/\?\?\?/);
      const { status } = await running.end();
      assert.equal(status, 0);
      assert.match(running.stderr, new RegExp(`^many/\\w ${size}/\\?\\?\\?$`, 'm'));
    });

    it(`SIGUSR2 makes ${side} tell where it stands, and go on`, async () => {
      const { running, pipe } = await backupOf(side, 'traced');
      const words = /^Received SIGUSR2 at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, dumping trace\.\.\.$/m;
      await asked(running, words, 'SIGUSR2', 500);
      await pipe.close();
      const { status } = await running.end();
      assert.ok(status === 0 || (side === 'borg' && status === 1), running.stderr);
    });

    it(`SIGINT makes ${side} save a checkpoint and end`, () =>
      patiently(side, async (attempt) => {
        const name = `interrupted-${attempt}`;
        const { running, pipe } = await backupOf(side, name);
        // Reading is ahead of storing, but in Borg, which does one after the other.
        if (side === 'alcove') await asked(running, / [1-9][\d.]* [kM]B\//);
        running.stderr = '';
        running.child.kill('SIGINT');
        // Borg ends where the file does.
        await feed(running, pipe, 16);
        const { status, lines } = await running.end();
        assert.deepEqual(
          lines.filter((line) => /^(?:checkpoint|Error)/.test(line)),
          [
            'checkpoint requested: starting checkpoint creation...',
            'checkpoint requested: finished checkpoint creation!',
            'Error: Got Ctrl-C / SIGINT.',
          ],
        );
        assert.equal(status, 2);
        assert.match(archives(side), new RegExp(`^${name}\\.checkpoint$`, 'm'));
      }));

    for (const [signal, code, words] of [
      ['SIGTERM', 143, 'Received SIGTERM'],
      ['SIGHUP', 129, 'Received SIGHUP.'],
    ] as const) {
      it(`${signal} ends ${side}`, () =>
        patiently(side, async (attempt) => {
          const { running, pipe } = await backupOf(side, `${signal}-${attempt}`);
          running.child.kill(signal);
          await feed(running, pipe);
          const { status, lines } = await running.end();
          assert.deepEqual([status, lines.at(-1)], [code, words]);
          assert.doesNotMatch(archives(side), new RegExp(`^${signal}-${attempt}$`, 'm'));
        }));
    }

    it(`a reader that has seen enough is no error to ${side}`, () => {
      const words = side === 'borg' ? ['"$ALCOVE_REFERENCE_BORG"'] : [process.execPath, alcoveCommand];
      const script = `{ ${words.join(' ')} list ${side}::many; echo "status $?" >&2; } | head -n 1`;
      const env = { ...space.env, ALCOVE_REFERENCE_BORG: process.env['ALCOVE_REFERENCE_BORG'] };
      const stdio = ['ignore', 'pipe', 'pipe'] as const;
      const child = spawn('sh', ['-c', script], { cwd: space.path, env, stdio: [...stdio] });
      let stderr = '';
      child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
      return once(child, 'close').then(() => assert.equal(stderr, 'status 0\n'));
    });
  }

  it('signals are heard while nobody reads what extract writes', async () => {
    const running = new Running(space, 'alcove', ['extract', '--stdout', 'alcove::many']);
    const { child } = running;
    // Asked before anybody waits for it: it comes although its pipe is not read to the end.
    const exited = once(child, 'exit');
    await once(child.stdout!, 'data');
    child.stdout!.pause();
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [143, null]);
    child.stdout!.destroy();
    assert.equal((await running.end()).lines.at(-1), 'Received SIGTERM');
  });

  it('a second SIGINT ends it at once', async () => {
    const { running, pipe } = await backupOf('alcove', 'impatient');
    running.child.kill('SIGINT');
    await sleep(300);
    running.child.kill('SIGINT');
    const { status } = await running.end();
    await pipe.close();
    assert.ok(status === 2 || status === 130, `${status}`);
  });
});
