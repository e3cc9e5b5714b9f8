/** One damaged repository, twice: what each program says of it, what it makes of it, and what can be had from it then. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { listTree } from '../tree-listing.ts';
import { comparable } from './comparable.ts';
import { runInProcess } from './in-process.ts';
import { ReferenceServer } from './reference-server.ts';
import { PASSPHRASE, Surgery } from './surgery.ts';
import type { Side, TwinOutcome } from './twins.ts';

export const SIDES: readonly Side[] = ['alcove', 'borg'];

const CONFIRMED = { BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES' };

const env = {
  PATH: process.env['PATH'] ?? '',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  BORG_EXIT_CODES: 'modern',
  BORG_SELFTEST: 'disabled',
  BORG_PASSPHRASE: PASSPHRASE,
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
};

/** A program, and the side whose repository it works on. */
export interface Place {
  readonly program: Side;
  readonly side: Side;
}

interface Comparable {
  readonly status: number;
  readonly lines: readonly string[];
}

export class RepairTwins implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'repair-twins-'));
  readonly #reference = new ReferenceServer(env);

  constructor() {
    for (const name of ['base/home', 'work']) mkdirSync(join(this.path, name), { recursive: true });
  }

  /** Where both programs run, and the trees are. */
  get work(): string {
    return join(this.path, 'work');
  }

  folder(side: Side | 'base' | 'damaged'): string {
    return join(this.path, side);
  }

  /** Runs the reference on the repository that all others are copies of. */
  async make(...args: string[]): Promise<void> {
    const { status, stderr } = await this.#reference.run(this.#request('base', args));
    assert.equal(status, 0, stderr);
  }

  /** Copies of the repository, damaged alike, for both sides. */
  async damage(work: (surgery: Surgery) => Promise<void>): Promise<void> {
    for (const side of ['damaged', ...SIDES] as const)
      rmSync(this.folder(side), { recursive: true, force: true });
    cpSync(this.folder('base'), this.folder('damaged'), { recursive: true, preserveTimestamps: true });
    await Surgery.on(this.folder('damaged'), work);
    for (const side of SIDES) {
      cpSync(this.folder('damaged'), this.folder(side), { recursive: true, preserveTimestamps: true });
    }
  }

  run(
    { program, side }: Place,
    args: readonly string[],
    more: Record<string, string> = {},
  ): Promise<TwinOutcome> {
    const request = this.#request(side, args, more);
    return program === 'borg' ? this.#reference.run(request) : runInProcess(request);
  }

  /** Both programs, each on its side: they must end alike, but for what alcove tells beyond Borg on stdout. */
  async alike(...args: string[]): Promise<number> {
    const ends = await Promise.all(
      SIDES.map(async (side) => this.#comparable(await this.run({ program: side, side }, args, CONFIRMED))),
    );
    const [ours, theirs] = ends as [Comparable, Comparable];
    // Whole outputs would hide what differs.
    const difference = {
      onlyAlcove: ours.lines.filter((line) => !theirs.lines.includes(line)),
      onlyBorg: theirs.lines.filter((line) => !ours.lines.includes(line)),
    };
    assert.deepEqual(difference, { onlyAlcove: [], onlyBorg: [] }, args.join(' '));
    assert.deepEqual(ours, theirs, args.join(' '));
    return ours.status;
  }

  /** After each repaired its side: both find both sides whole, and the archives the same. */
  async sameContents(checkStatus = 0): Promise<void> {
    for (const side of SIDES) {
      for (const program of SIDES) {
        const { status, stderr } = await this.run({ program, side }, [
          'check',
          '-v',
          '--verify-data',
          'REPO',
        ]);
        assert.equal(status, checkStatus, `${program} on what ${side} repaired: ${stderr}`);
      }
    }
    const [first, second] = await Promise.all([
      this.#contents({ program: 'alcove', side: 'borg' }),
      this.#contents({ program: 'borg', side: 'alcove' }),
    ]);
    assert.deepEqual(first, second);
  }

  async #contents(place: Place): Promise<unknown> {
    const list = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await this.run(place, ['list', ...args]);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const names = (await list('--short', 'REPO')).split('\n').filter(Boolean);
    const archives: unknown[] = [];
    for (const name of names) {
      const lines = await list('--format', '{mode} {size} {health} {path}{NL}', `REPO::${name}`);
      const out = join(this.path, `out-${place.program}`);
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out);
      const extracted = await this.run(place, ['extract', `REPO::${name}`], { TEST_CWD: out });
      // Borg 1.4.5 says "backup error" of what has zeros in place of its contents; alcove says what is wrong with it.
      archives.push({ name, lines, status: extracted.status, tree: filesOf(out) });
    }
    return archives;
  }

  #comparable({ status, stdout, stderr }: TwinOutcome): Comparable {
    // The question is in each program's own words.
    const said = stderr
      .replace(/^[^]*\(from BORG_CHECK_I_KNOW_WHAT_I_AM_DOING\)\n/, '')
      .replace(/"message": "[^"]*Type 'YES'[^"]*"/, '"message": "?"');
    const folders = SIDES.map((side) => this.folder(side));
    const { stderr: compared } = comparable(
      { status, stdout, stderr: said },
      { folders, ownArchives: false },
    );
    return { status, lines: linesOf(compared) };
  }

  #request(side: Side | 'base', args: readonly string[], more: Record<string, string> = {}) {
    const { TEST_CWD: cwd = this.work, ...rest } = more;
    const home = join(this.folder(side), 'home');
    return {
      args: args.map((word) => word.replace(/\bREPO\b/, join(this.folder(side), 'repo'))),
      env: { ...env, ...rest, HOME: home, BORG_BASE_DIR: home },
      cwd,
    };
  }

  [Symbol.dispose](): void {
    this.#reference[Symbol.dispose]();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** All but directories: those whose item is lost get modes and times of the moment. */
function filesOf(root: string): string[] {
  return listTree(root).filter((line) => line.startsWith('"') && !/^"[^"]*" 40/.test(line));
}

/** JSON lines with their keys in order. */
function linesOf(compared: unknown): string[] {
  if (typeof compared === 'string') return compared.split('\n');
  return (Array.isArray(compared) ? compared : [compared]).map((line: unknown) =>
    line !== null && typeof line === 'object'
      ? JSON.stringify(line, Object.keys(line).toSorted())
      : String(line),
  );
}
