/**
 * Breaks the connection between a client and a server at random points, by the number of bytes that went over it: the
 * line is cut, or stalls, or either side gets SIGKILL. The client ends by itself and says what happened; the lock goes;
 * archives are those from before the command or from after it; both programs' checks find nothing wrong; and the next
 * backup works.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkRepository, createContext, listArchives, Location, openRepository } from '../../src/index.ts';
import { noise } from '../noise.ts';
import { seededRandom } from '../random.ts';
import { ALCOVE_SERVER, FAKE_SSH } from '../remote/remote-place.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';
import type { Campaign, CampaignResult } from './campaign.ts';
import { Tally } from './campaign.ts';
import {
  caseId,
  drawCase,
  parseCaseId,
  type Command,
  type ConnectionCase,
  type Pair,
  type Program,
} from './connection-cases.ts';

const BREAKING_SSH = fileURLToPath(new URL('../remote/breaking-ssh.mjs', import.meta.url));
/** A client that needs longer hangs, on a machine however busy. */
const LONGEST_MS = 120_000;
/** How often the reference's check looks, too: where the number of bytes is a multiple of it. */
const BORG_CHECK_EVERY = 8;
const CONNECTION_LOST = /Connection closed by remote host|Connection to remote host is broken/;
/** What a server says that was left before it opened a repository. */
const LEFT_EARLY = /Got unexpected RPC data format from server:\n.*Got connection close before/;

export const OWN_PAIR: Pair = ['alcove', 'alcove'];
export const ALL_PAIRS: readonly Pair[] = [OWN_PAIR, ['alcove', 'borg'], ['borg', 'alcove']];

export function connectionCampaign(pairs: readonly Pair[], usualCases: number): Campaign {
  return {
    name: 'connection',
    title: 'connections cut or stalled, clients and servers killed, at random points',
    usualCases,
    async run({ seed, cases, caseId: only }): Promise<CampaignResult> {
      const tally = new Tally('connection', seed);
      using scene = new Scene();
      const random = seededRandom(seed);
      const drawn = Array.from({ length: cases }, (_, n) => drawCase(pairs[n % pairs.length]!, random));
      for (const each of only === undefined ? drawn : [parseCaseId(only)]) {
        const about = `${each.pair.join(' client, ')} server: ${each.command}`;
        await tally.try(caseId(each), about, () => scene.try(each));
      }
      return tally.result;
    },
  };
}

/** Which archives there are before the command, and after it. */
const ARCHIVES: Readonly<Record<Command, readonly [before: string, after: string]>> = {
  init: ['', ''],
  create: ['first second', 'first second new'],
  extract: ['first second', 'first second'],
  delete: ['first second', 'second'],
  prune: ['first second', 'second'],
  compact: ['first second', 'first second'],
  check: ['first second', 'first second'],
  repair: ['first second', 'first second'],
};

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** A repository with a client's home, made once, and copied for each case. */
class Scene implements Disposable {
  readonly #space = new Workspace({
    BORG_EXIT_CODES: 'modern',
    BORG_SELFTEST: 'disabled',
    BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES',
    // Borg knows machines by their network cards, if they have one.
    BORG_HOST_ID: 'one-host',
  });
  readonly #local = this.#space.join('run/repo');
  readonly #remote = `ssh://host${this.#local}`;
  readonly #record = this.#space.join('record');

  constructor() {
    const { alcove } = this.#space;
    const tree = this.#space.join('tree');
    for (const folder of [tree, this.#space.join('run')]) mkdirSync(folder);
    this.#space.env['BORG_BASE_DIR'] = this.#space.join('run/home');
    for (let n = 0; n < 20; n++) writeFileSync(join(tree, `small-${n}`), noise(2000, n + 1));
    writeFileSync(join(tree, 'large'), noise(1_000_000, 100));
    alcove(['init', '--encryption', 'repokey', this.#local]);
    writeFileSync(
      join(this.#local, 'config'),
      readFileSync(join(this.#local, 'config'), 'utf8').replace(
        /^max_segment_size = .*$/m,
        'max_segment_size = 400000',
      ),
    );
    // What is deleted leaves something to compact.
    for (const [n, name] of ['gone', 'first', 'second'].entries()) {
      writeFileSync(join(tree, 'changing'), noise(400_000, 200 + n));
      alcove(['create', `${this.#local}::${name}`, 'tree']);
    }
    alcove(['delete', `${this.#local}::gone`]);
    cpSync(this.#space.join('run'), this.#space.join('model'), { recursive: true, preserveTimestamps: true });
    writeFileSync(join(tree, 'new'), noise(600_000, 300));
  }

  [Symbol.dispose](): void {
    this.#space[Symbol.dispose]();
  }

  async try(each: ConnectionCase): Promise<void> {
    const { pair, command } = each;
    for (const folder of ['run', 'out']) rmSync(this.#space.join(folder), { recursive: true, force: true });
    rmSync(this.#record, { force: true });
    mkdirSync(this.#space.join('out'));
    if (command === 'init') mkdirSync(this.#space.join('run'));
    else cpSync(this.#space.join('model'), this.#space.join('run'), { recursive: true });
    const ended = await this.#run(pair, this.#args(command), {
      BORG_RSH: BREAKING_SSH,
      BREAK_FAULT: each.fault,
      BREAK_DIRECTION: each.direction,
      BREAK_AFTER_BYTES: String(each.afterBytes),
      BREAK_DELAY_MS: String(each.delayMs),
      BREAK_RECORD: this.#record,
    });
    await this.#serverEnded();
    const isDone = ended.code === 0;
    this.#assertEnded(each, ended);
    const isServerKilled = each.fault === 'kill-server' && this.#isStruck;
    // What is not removed then is, by the next one.
    if (!isServerKilled) assert.ok(!existsSync(join(this.#local, 'lock.exclusive')), 'the lock is left');
    if (command === 'init' && !isDone) await this.#initAgain(pair, isServerKilled);
    const names = await this.#archivesOfWhole(each);
    const [before, after] = ARCHIVES[command];
    assert.ok((isDone ? [after] : [before, after]).includes(names), `archives: ${names}`);
    if (command === 'extract') this.#assertExtracted();
    await this.#succeed(pair, ['create', `${this.#remote}::next`, 'tree']);
    assert.equal(await this.#archivesOfWhole(each), `${names} next`.trim());
  }

  #args(command: Command): string[] {
    const { [command]: args } = {
      init: ['init', '--encryption', 'repokey', this.#remote],
      create: ['create', `${this.#remote}::new`, 'tree'],
      extract: ['extract', `${this.#remote}::second`],
      delete: ['delete', `${this.#remote}::first`],
      prune: ['prune', '--keep-last', '1', this.#remote],
      compact: ['compact', '--threshold', '0', this.#remote],
      check: ['check', this.#remote],
      repair: ['check', '--repair', this.#remote],
    };
    return args;
  }

  #run([client, server]: Pair, args: readonly string[], env: Record<string, string>): Promise<Ended> {
    const [program, first] = client === 'borg' ? [referenceBorg(), []] : [process.execPath, [alcoveCommand]];
    const child = spawn(program, [...first, ...args], {
      cwd: args[0] === 'extract' ? this.#space.join('out') : this.#space.path,
      env: { ...this.#space.env, BORG_REMOTE_PATH: serverCommand(server), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const { promise, resolve, reject } = Promise.withResolvers<Ended>();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`no end after ${LONGEST_MS} ms\n${stderr}`));
    }, LONGEST_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stderr }));
    return promise.finally(() => clearTimeout(timer));
  }

  async #succeed(pair: Pair, args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#run(pair, args, { BORG_RSH: FAKE_SSH });
    assert.equal(code, 0, `${args.join(' ')}\n${stderr}`);
  }

  #assertEnded({ pair, fault }: ConnectionCase, { code, signal, stderr }: Ended): void {
    const said = `exit ${code ?? signal}\n${stderr}`;
    if (fault === 'kill-client' && signal === 'SIGKILL') return;
    assert.equal(signal, null, said);
    if (code === 0) return;
    assert.ok(this.#isStruck, said);
    // What the reference's client says is its own affair.
    if (pair[0] === 'borg') return;
    assert.doesNotMatch(stderr, /\n\s+at .*:\d+:\d+/, said);
    if (code === 86) assert.match(stderr, LEFT_EARLY);
    else {
      assert.ok([80, 81, 87].includes(code!), said);
      assert.match(stderr, CONNECTION_LOST, said);
    }
  }

  get #isStruck(): boolean {
    return /^struck$/m.test(readFileSync(this.#record, 'utf8'));
  }

  /** It sees the end of the line by itself, whatever became of the client. */
  async #serverEnded(): Promise<void> {
    const pid = /^server (\d+)$/m.exec(readFileSync(this.#record, 'utf8'))![1]!;
    const deadline = Date.now() + LONGEST_MS;
    while (isRunning(Number(pid))) {
      assert.ok(Date.now() < deadline, 'the server does not end');
      await sleep(5);
    }
  }

  /** A server takes back what it made, unless it is killed, or Borg's; then it is for the user to remove it. */
  async #initAgain(pair: Pair, isServerKilled: boolean): Promise<void> {
    const mayBeHalf = isServerKilled || pair[1] === 'borg';
    if (mayBeHalf) rmSync(this.#local, { recursive: true, force: true });
    if (!existsSync(this.#local)) await this.#succeed(pair, this.#args('init'));
  }

  /** Checks all of it, with the reference now and then, and gives the names. */
  async #archivesOfWhole({ afterBytes }: ConnectionCase): Promise<string> {
    const ctx = createContext({ cwd: this.#space.path, env: this.#space.env });
    await using session = await openRepository(ctx, Location.parse(this.#local), {
      operations: ['check'],
      exclusive: true,
      secure: false,
    });
    const { ok } = await checkRepository(ctx, session.repository, { verifyData: true });
    assert.ok(ok, 'the check finds damage');
    const archives = listArchives(session.manifest.archives, { sortBy: ['ts'] });
    await session.close();
    const isSample = process.env['ALCOVE_REFERENCE_BORG'] && afterBytes % BORG_CHECK_EVERY === 0;
    if (isSample) this.#space.borg(['check', '--verify-data', this.#local]);
    return archives.map(({ name }) => name).join(' ');
  }

  /** What a broken connection left behind is no obstacle for another try. */
  #assertExtracted(): void {
    this.#space.alcove(['extract', `${this.#local}::second`], { cwd: this.#space.join('out') });
    for (const name of readdirSync(this.#space.join('out/tree'))) {
      const restored = readFileSync(this.#space.join('out/tree', name));
      assert.ok(restored.equals(readFileSync(this.#space.join('tree', name))), name);
    }
  }
}

function referenceBorg(): string {
  const command = process.env['ALCOVE_REFERENCE_BORG'];
  if (!command) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
  return command;
}

/** The shell becomes the server, so that one that is killed is seen to be gone by whoever started it. */
function serverCommand(server: Program): string {
  return `exec ${server === 'borg' ? referenceBorg() : ALCOVE_SERVER}`;
}

/** One that has ended and that nobody has asked about runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // Where there is no /proc, the signal has told.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self/stat');
  }
}
