/** Signals to the client of a server: it ends as one of a local repository does, and leaves nobody behind. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { noise } from '../noise.ts';
import { ALCOVE_SERVER, FAKE_SSH } from '../remote/remote-place.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';

const patienceMs = 120_000;

const servers: readonly [string, string][] = [
  ["this project's server", ALCOVE_SERVER],
  ["the reference's server", process.env['ALCOVE_REFERENCE_BORG'] ?? ''],
];

/** What tests/interop/signals.test.ts finds with both programs on local repositories. */
const ends: readonly [NodeJS.Signals, number, string][] = [
  ['SIGINT', 2, 'Error: Got Ctrl-C / SIGINT.'],
  ['SIGTERM', 143, 'Received SIGTERM'],
  ['SIGHUP', 129, 'Received SIGHUP.'],
];

/**
 * As ssh: Ctrl-C at the terminal reaches it, but not the server, which is in another session. Both note who they are, the
 * server last.
 */
const NOTING_SSH = `#!/bin/sh
echo $$ >> "$SSH_PIDS"
setsid sh -c 'echo $$ >> "$SSH_PIDS"; exec "$0" "$@"' '${FAKE_SSH}' "$@"
`;

/** A client under way. */
class Client implements AsyncDisposable {
  readonly #child;
  readonly #pids: string;
  stderr = '';
  closed = false;

  constructor(space: Workspace, server: string, args: readonly string[]) {
    this.#pids = space.join('pids');
    rmSync(this.#pids, { force: true });
    this.#child = spawn(process.execPath, [alcoveCommand, ...args], {
      cwd: space.path,
      env: {
        ...space.env,
        BORG_RSH: space.join('ssh'),
        BORG_REMOTE_PATH: `exec ${server}`,
        SSH_PIDS: this.#pids,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.once('close', () => (this.closed = true));
    this.#child.stderr.setEncoding('utf8').on('data', (part: string) => (this.stderr += part));
  }

  async says(wanted: RegExp): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!wanted.test(this.stderr)) {
      assert.ok(!this.closed && Date.now() < deadline, `no ${wanted.source} in time:\n${this.stderr}`);
      await sleep(10);
    }
  }

  /** Ctrl-C is for all processes of the terminal. */
  signal(name: NodeJS.Signals): void {
    process.kill(name === 'SIGINT' ? -this.#child.pid! : this.#child.pid!, name);
  }

  /** Until it ends by itself; the server goes on then. */
  async interruptWithStoppedServer(): Promise<void> {
    const server = Number(this.#noted().at(-1));
    this.#child.stdout.resume();
    process.kill(server, 'SIGSTOP');
    const deadline = Date.now() + patienceMs;
    try {
      // What comes soon after the first one counts as the same.
      for (; !this.closed && Date.now() < deadline; await sleep(300)) this.signal('SIGINT');
    } finally {
      process.kill(server, 'SIGCONT');
    }
    assert.equal((await this.end())[0], 130);
  }

  /** Its first bytes; then it has to wait. */
  async writes(): Promise<void> {
    const { stdout } = this.#child;
    await once(stdout, 'data', { signal: AbortSignal.timeout(patienceMs) });
    stdout.pause();
  }

  /** Gives the code and the last line, when the client has ended and nobody is left of those it started. */
  async end(): Promise<[number | null, string]> {
    this.#child.stdout.resume();
    if (!this.closed) await once(this.#child, 'close', { signal: AbortSignal.timeout(patienceMs) });
    const deadline = Date.now() + patienceMs;
    for (const pid of this.#noted()) {
      for (; isRunning(pid); await sleep(10)) assert.ok(Date.now() < deadline, `process ${pid} is left`);
    }
    return [this.#child.exitCode, this.stderr.trim().split('\n').at(-1)!];
  }

  #noted(): string[] {
    return readFileSync(this.#pids, 'utf8').trim().split('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed) this.#child.kill('SIGKILL');
  }
}

function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('signals to the client of a server', () => {
  const space = new Workspace({ BORG_SELFTEST: 'disabled', BORG_HOST_ID: 'one-host' });
  const local = space.join('repo');
  const remote = `ssh://host${local}`;
  let seed = 0;

  before(() => {
    writeFileSync(space.join('ssh'), NOTING_SSH, { mode: 0o755 });
    mkdirSync(space.join('many'));
    for (const name of 'abcd') writeFileSync(space.join('many', name), noise(3 << 20, name.charCodeAt(0)));
    space.alcove(['init', '--encryption', 'repokey', local]);
    space.alcove(['create', `${local}::many`, 'many']);
  });
  after(() => space[Symbol.dispose]());

  const isLocked = () => existsSync(`${local}/lock.exclusive`);
  const archives = () => space.alcove(['list', '--short', '--consider-checkpoints', local]).stdout;

  /** A backup that has stored one file, and reads from a pipe that `feed` fills until nobody reads any more. */
  async function backup(
    server: string,
    name: string,
  ): Promise<{ client: Client; feed: () => Promise<void> }> {
    const [file, fifo] = [`${name}-file`, `${name}-fifo`];
    writeFileSync(space.join(file), noise(100_000, ++seed));
    execFileSync('mkfifo', [space.join(fifo)]);
    const options = ['-v', '--list', '--read-special', '--chunker-params', '12,18,15,4095'];
    const client = new Client(space, server, ['create', ...options, `${remote}::${name}`, file, fifo]);
    const pipe = await open(space.join(fifo), 'w');
    await client.says(new RegExp(`^A ${file}$`, 'm'));
    const feed = async () => {
      try {
        while (!client.closed) {
          await pipe.write(noise(65_536, ++seed));
          await sleep(5);
        }
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'EPIPE');
      }
      await pipe.close();
    };
    return { client, feed };
  }

  /** Its reader takes no more for now. */
  async function restore(server: string): Promise<Client> {
    const client = new Client(space, server, ['extract', '--stdout', `${remote}::many`]);
    await client.writes();
    return client;
  }

  for (const [title, server] of servers) {
    // The client is the same; it is about the server's end.
    for (const [signal, code, words] of server === ALCOVE_SERVER ? ends : ends.slice(0, 1)) {
      it(`${signal} ends a backup with a checkpoint, and the connection to ${title}`, async () => {
        const name = `${signal}-${++seed}`;
        const { client, feed } = await backup(server, name);
        await using _client = client;
        client.signal(signal);
        await feed();
        assert.deepEqual(await client.end(), [code, words]);
        assert.ok(!isLocked());
        assert.match(archives(), new RegExp(`^${name}\\.checkpoint$`, 'm'));
      });
    }

    it(`signals end an extraction, and the connection to ${title}`, async () => {
      for (const [signal, code, words] of ends) {
        await using client = await restore(server);
        client.signal(signal);
        const interrupted = signal === 'SIGINT';
        assert.deepEqual(await client.end(), interrupted ? [130, 'Keyboard interrupt'] : [code, words]);
        assert.ok(!isLocked());
      }
    });
  }

  it('a second SIGINT ends it where the server does not answer any more', async () => {
    const { client, feed } = await backup(ALCOVE_SERVER, 'second');
    await using saving = client;
    await saving.interruptWithStoppedServer();
    assert.ok(!isLocked());
    await feed();
    await using restoring = await restore(ALCOVE_SERVER);
    await restoring.interruptWithStoppedServer();
    assert.ok(!isLocked());
    space.alcove(['check', '--verify-data', local]);
    space.borg(['check', local]);
  });
});
