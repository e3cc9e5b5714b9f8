/**
 * The same command lines given to alcove and to the reference Borg. Each has a repository and a home of its own, in
 * a folder of its own; both run in one folder, so that they see one tree.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { alcoveCommand } from '../workspace.ts';
import { ReferenceServer } from './reference-server.ts';

export type Side = 'alcove' | 'borg';

export interface TwinRun {
  /** One word each, or a text that is split at spaces; REPO stands for the repository, OWN for the side's folder. */
  readonly args: string | readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Runs in the side's own folder, or in one below it. */
  readonly ownFolder?: string;
  /** Runs as a user without privileges. */
  readonly unprivileged?: boolean;
}

export interface TwinOutcome {
  readonly status: number;
  /** One character a byte. */
  readonly stdout: string;
  readonly stderr: string;
}

export const NOBODY = 65_534;

/** What both get where the reference is served. */
const ofServed = { BORG_EXIT_CODES: 'modern', BORG_SELFTEST: 'disabled' };

const patienceMs = 60_000;

export class Twins implements Disposable {
  /** Where both programs run. */
  readonly shared: string;
  readonly #path: string;
  readonly #server: ReferenceServer | undefined;

  /** With `served` the reference is loaded once, and both have the exit codes of today; for many command lines. */
  constructor({ served = false }: { readonly served?: boolean } = {}) {
    this.#server = served ? new ReferenceServer({ ...environment('/'), ...ofServed }) : undefined;
    this.#path = mkdtempSync(join(tmpdir(), 'twins-'));
    this.shared = join(this.#path, 'shared');
    for (const folder of [this.shared, this.folder('alcove'), this.folder('borg')]) mkdirSync(folder);
  }

  folder(side: Side): string {
    return join(this.#path, side);
  }

  /** A word of a command line as one of them gets it. */
  resolve(side: Side, word: string): string {
    const folder = this.folder(side);
    return word.replace(/\bREPO\b/, join(folder, 'repo')).replace(/\bOWN\b/, folder);
  }

  /** Does the same in both folders. */
  each(change: (folder: string) => void): void {
    change(this.folder('alcove'));
    change(this.folder('borg'));
  }

  /** Both programs at the same time. */
  async run(run: TwinRun): Promise<Record<Side, TwinOutcome>> {
    const [alcove, borg] = await Promise.all([this.runOne('alcove', run), this.runOne('borg', run)]);
    return { alcove, borg };
  }

  runOne(side: Side, run: TwinRun): Promise<TwinOutcome> {
    const folder = this.folder(side);
    const cwd = run.ownFolder === undefined ? this.shared : join(folder, run.ownFolder);
    const words = typeof run.args === 'string' ? run.args.split(' ') : run.args;
    const args = words.map((word) => this.resolve(side, word));
    const env = { ...environment(folder), ...(this.#server && ofServed), ...run.env };
    if (side === 'borg' && this.#server !== undefined) {
      const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const input = inBytes(run.input ?? '');
      return this.#server.run({ args: args.map(inBytes), env: Object.fromEntries(given), cwd, input });
    }
    const user = run.unprivileged ? { uid: NOBODY, gid: NOBODY } : {};
    const [command, ...before] = commandOf(side);
    const child = spawn(command!, [...before, ...args], {
      ...user,
      cwd,
      env,
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    });
    return new Promise((resolve, reject) => {
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('latin1').on('data', (part: string) => (stdout += part));
      child.stderr.setEncoding('latin1').on('data', (part: string) => (stderr += part));
      child.on('error', reject);
      child.on('close', (status) => resolve({ status: status ?? -1, stdout, stderr }));
      child.stdin.on('error', () => {});
      child.stdin.end(run.input ?? '');
    });
  }

  [Symbol.dispose](): void {
    this.#server?.[Symbol.dispose]();
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/** One character a byte. */
function inBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function commandOf(side: Side): string[] {
  if (side === 'alcove') return [process.execPath, alcoveCommand];
  const reference = process.env['ALCOVE_REFERENCE_BORG'];
  if (!reference) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
  return [reference];
}

function environment(folder: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    BORG_BASE_DIR: join(folder, 'home'),
    BORG_PASSPHRASE: 'twins',
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'YES',
  };
}
