/**
 * One damaged byte anywhere in a repository's files, given to both programs: alcove's check finds what the reference's
 * finds, and after its repair the reference finds nothing any more. Needs the reference Borg; a run of its own, by hand:
 * `ALCOVE_REFERENCE_BORG=… npm run faults -- --only check --cases 2000`.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInProcess } from '../interop/in-process.ts';
import { ReferenceServer } from '../interop/reference-server.ts';
import type { Side, TwinOutcome } from '../interop/twins.ts';
import { noise } from '../noise.ts';
import { seededRandom, type Random } from '../random.ts';
import { Tally, type Campaign, type CampaignResult } from './campaign.ts';

const env = {
  PATH: process.env['PATH'] ?? '',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  BORG_EXIT_CODES: 'modern',
  BORG_SELFTEST: 'disabled',
  BORG_PASSPHRASE: 'campaign',
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES',
};

const MAKERS: readonly Side[] = ['borg', 'alcove'];
const ENCRYPTIONS = ['repokey', 'repokey-blake2', 'none'];

export const checkCampaign: Campaign = {
  name: 'check',
  title: 'damaged bytes of a repository, given to the check and repair of both programs',
  usualCases: 12,
  async run({ seed, cases, caseId }): Promise<CampaignResult> {
    const tally = new Tally('check', seed);
    using arena = new Arena();
    for (let number = 0; number < cases; number++) {
      if (caseId !== undefined && caseId !== String(number)) continue;
      const random = seededRandom(seed + number);
      const maker = MAKERS[number % MAKERS.length]!;
      const encryption = ENCRYPTIONS[random.integer(ENCRYPTIONS.length)]!;
      const base = await arena.base(maker, encryption);
      const place = arena.damage(base, random);
      await tally.try(String(number), `${place.kind}, repository made by ${maker}`, () =>
        arena.compare(place.text),
      );
    }
    return tally.result;
  },
};

class Arena implements Disposable {
  readonly #path = mkdtempSync(join(tmpdir(), 'check-campaign-'));
  readonly #reference = new ReferenceServer(env);
  readonly #bases = new Set<string>();

  constructor() {
    mkdirSync(join(this.#path, 'tree/sub'), { recursive: true });
    writeFileSync(join(this.#path, 'tree/text'), 'hello\n'.repeat(200));
    for (let i = 0; i < 6; i++) writeFileSync(join(this.#path, `tree/sub/${i}`), noise(400 + 300 * i, i + 1));
    writeFileSync(join(this.#path, 'tree/large'), noise(9000, 99));
  }

  /** A repository of three archives. */
  async base(maker: Side, encryption: string): Promise<string> {
    const name = `base-${maker}-${encryption}`;
    if (this.#bases.has(name)) return name;
    mkdirSync(join(this.#path, name, 'home'), { recursive: true });
    const run = async (...args: string[]): Promise<void> => {
      const { status, stderr } = await this.#run(maker, name, args);
      assert.equal(status, 0, stderr);
    };
    await run('init', '-e', encryption, 'REPO');
    const params = ['--chunker-params', 'fixed,1024'];
    await run('create', ...params, 'REPO::one', 'tree');
    await run('create', ...params, '-C', 'zlib', 'REPO::two', 'tree/large', 'tree/text');
    writeFileSync(join(this.#path, 'tree/new'), noise(3000, 7));
    await run('create', ...params, 'REPO::three', 'tree');
    await run('delete', 'REPO::two');
    this.#bases.add(name);
    return name;
  }

  /** A damaged copy for each program. */
  damage(base: string, random: Random): { kind: string; text: string } {
    const root = join(this.#path, base, 'repo');
    const files = globSync(['data/*/*', 'index.*', 'hints.*', 'integrity.*', 'nonce'], { cwd: root })
      .toSorted()
      .map((name) => ({ name, sizeBytes: statSync(join(root, name)).size }));
    // Half of them in segments, by size; the rest in any file.
    const segments = files.filter(({ name }) => name.startsWith('data/'));
    const file = random.integer(2) === 0 ? bySize(segments, random) : files[random.integer(files.length)]!;
    const bytes = readFileSync(join(root, file.name));
    const at = random.integer(bytes.length);
    const mask = 1 + random.integer(255);
    bytes[at]! ^= mask;
    for (const side of ['alcove', 'borg', 'third']) {
      rmSync(join(this.#path, side), { recursive: true, force: true });
      cpSync(join(this.#path, base), join(this.#path, side), { recursive: true, preserveTimestamps: true });
      writeFileSync(join(this.#path, side, 'repo', file.name), bytes);
    }
    const kind = file.name.replace(/^data\/.*/, 'segment').replace(/\.\d+$/, '');
    return { kind, text: `${base}: ${file.name}, byte ${at} of ${bytes.length} changed by ${mask}` };
  }

  async compare(where: string): Promise<void> {
    const borg = await this.#run('borg', 'borg', ['check', '--verify-data', 'REPO']);
    const alcove = await this.#run('alcove', 'alcove', ['check', '--verify-data', 'REPO']);
    assertClear(alcove, where);
    if (borg.status !== 0 && alcove.status === 0) {
      // Index and what goes with it are made again where they are damaged: then there is nothing more to find.
      const again = await this.#run('borg', 'alcove', ['check', '--verify-data', 'REPO']);
      assert.equal(again.status, 0, `${where}: only Borg finds it: ${again.stderr}`);
    }
    if (alcove.status === 0) return;
    const plan = await this.#run('alcove', 'alcove', [
      'check',
      '--verify-data',
      '--repair',
      '--dry-run',
      'REPO',
    ]);
    assertClear(plan, where);
    const repair = await this.#run('alcove', 'alcove', ['check', '--verify-data', '--repair', 'REPO']);
    assertClear(repair, where);
    assert.equal(repair.status, 0, `${where}: ${repair.stderr}`);
    for (const program of ['borg', 'alcove'] as const) {
      const again = await this.#run(program, 'alcove', ['check', '--verify-data', 'REPO']);
      assert.equal(again.status, 0, `${where}: after the repair, ${program}: ${again.stderr}`);
    }
    await this.#run('borg', 'borg', ['check', '--verify-data', '--repair', 'REPO']);
    const lists = await Promise.all([this.#list('alcove'), this.#list('borg')]);
    // That "two" was deleted may be in a transaction that one of them takes for unfinished.
    for (const name of lists[1].filter((one) => one !== 'two'))
      assert.ok(lists[0].includes(name), `${where}: only Borg saves ${name}`);
  }

  /** What can be listed after a repair; nothing where it failed. */
  async #list(side: Side): Promise<string[]> {
    const { status, stdout } = await this.#run('borg', side, ['list', '--short', 'REPO']);
    return status === 0 ? stdout.split('\n').filter(Boolean) : [];
  }

  #run(program: Side, folder: string, args: readonly string[]): Promise<TwinOutcome> {
    const home = join(this.#path, folder, 'home');
    const request = {
      args: args.map((word) => word.replace(/\bREPO\b/, join(this.#path, folder, 'repo'))),
      env: { ...env, HOME: home, BORG_BASE_DIR: home },
      cwd: this.#path,
    };
    return program === 'borg' ? this.#reference.run(request) : runInProcess(request);
  }

  [Symbol.dispose](): void {
    this.#reference[Symbol.dispose]();
    rmSync(this.#path, { recursive: true, force: true });
  }
}

function bySize<T extends { readonly sizeBytes: number }>(files: readonly T[], random: Random): T {
  let left = random.integer(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  for (const file of files) {
    if (left < file.sizeBytes) return file;
    left -= file.sizeBytes;
  }
  throw new Error('not reached');
}

/** It ends with a verdict, or with an error that says something. */
function assertClear({ status, stderr }: TwinOutcome, where: string): void {
  assert.ok(status < 100, `${where}: exit ${status}: ${stderr}`);
  if (status !== 0) assert.ok(stderr.trim() !== '', `${where}: exit ${status} without a word`);
  assert.doesNotMatch(stderr, /TypeError|RangeError|internal error|\n\s+at .*\(/i, `${where}: ${stderr}`);
}
