/** Runs alcove's command and the reference Borg's in one environment, so that they share keys, caches and nonces. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string | Uint8Array;
  /** Exit codes that are no failure; default only 0. */
  accept?: readonly number[];
}

export type Program = (args: readonly string[], options?: RunOptions) => Outcome;

export const alcoveCommand = fileURLToPath(new URL('../bin/alcove.js', import.meta.url));

let reference: string | undefined;

/** The reference is never optional here: without it, or the tools that compare, the suite fails and says what to do. */
function referenceCommand(): string {
  if (reference !== undefined) return reference;
  const command = process.env['ALCOVE_REFERENCE_BORG'];
  if (!command) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
  for (const tool of ['getfattr', 'getfacl', 'lsattr']) {
    if (spawnSync(tool, ['--version']).error)
      throw new Error(`${tool} is missing: install attr, acl and e2fsprogs`);
  }
  return (reference = command);
}

/** A scratch folder with its own Borg home, and both programs bound to it. */
export class Workspace implements Disposable {
  readonly path: string;
  readonly env: Record<string, string>;
  readonly alcove: Program;

  constructor(env: Record<string, string> = {}) {
    this.path = mkdtempSync(join(tmpdir(), 'alcove-test-'));
    const { ALCOVE_THREADS: threads } = process.env;
    this.env = {
      PATH: process.env['PATH'] ?? '',
      HOME: join(this.path, 'home'),
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      BORG_BASE_DIR: join(this.path, 'home'),
      BORG_PASSPHRASE: 'workspace',
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
      BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
      BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'YES',
      // All that is tested must hold with any number.
      ...(threads === undefined ? {} : { ALCOVE_THREADS: threads }),
      ...env,
    };
    this.alcove = this.#program(process.execPath, [alcoveCommand]);
  }

  get borg(): Program {
    return this.#program(referenceCommand(), []);
  }

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  #program(command: string, prefix: readonly string[]): Program {
    return (args, options = {}) => {
      const { status, signal, stdout, stderr, error } = spawnSync(command, [...prefix, ...args], {
        cwd: options.cwd ?? this.path,
        env: { ...this.env, ...options.env },
        input: options.input ?? '',
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      if (error) throw error;
      const code = status ?? 128;
      if (!(options.accept ?? [0]).includes(code)) {
        throw new Error(
          `${command} ${args.join(' ')}: exit ${signal ?? code}\n${stdout.slice(-2000)}\n${stderr.slice(-4000)}`,
        );
      }
      return { status: code, stdout, stderr };
    };
  }

  [Symbol.dispose](): void {
    spawnSync('chattr', ['-R', '-i', '-a', this.path], { stdio: 'ignore' });
    rmSync(this.path, { recursive: true, force: true });
  }
}
