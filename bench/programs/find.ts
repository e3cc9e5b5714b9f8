/** Which programs there are to measure. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { borgEnvironment, borgProgram } from './borg.ts';
import type { Program } from './program.ts';
import { resticProgram } from './restic.ts';

export interface Wanted {
  /** Names of columns; all that can be found unless given. */
  readonly only?: readonly string[];
  /** Further builds of alcove: a column's name, and the path of its `bin/alcove.js`. `alcove` takes the place of this one. */
  readonly builds: ReadonlyMap<string, string>;
  /** For alcove's columns. */
  readonly threads?: number;
}

export interface Found {
  readonly programs: readonly Program[];
  /** Why a column is missing, a line each. */
  readonly missing: readonly string[];
}

export function findPrograms(wanted: Wanted): Found {
  const missing: string[] = [];
  const programs: Program[] = [];
  const take = (name: string, find: () => Program | string) => {
    if (wanted.only !== undefined && !wanted.only.includes(name)) return;
    const found = find();
    if (typeof found === 'string') missing.push(`${name}: ${found}`);
    else programs.push(found);
  };
  const here = fileURLToPath(new URL('../../bin/alcove.js', import.meta.url));
  for (const [name, path] of new Map([['alcove', here], ...wanted.builds]))
    take(name, () => findAlcove(name, path, wanted));
  take('borg', findBorg);
  take('restic', findRestic);
  return { programs, missing };
}

function findAlcove(name: string, path: string, { threads }: Wanted): Program | string {
  const command = [process.execPath, path];
  const version = firstLine([...command, '--version']);
  if (version === undefined) return `${path} does not run; npm run build`;
  if (threads !== undefined && !succeeds([...command, 'create', '--threads=1', '--help']))
    return `${version} has no --threads`;
  const canMount = succeeds([...command, 'mount', '--help']);
  return borgProgram({ name, version, command, canMount, ...(threads !== undefined && { threads }) });
}

function findBorg(): Program | string {
  const path = process.env['ALCOVE_REFERENCE_BORG'];
  if (path === undefined || path === '')
    return 'ALCOVE_REFERENCE_BORG is not set to the command of a Borg 1.4';
  const version = firstLine([path, '--version']);
  if (version === undefined) return `${path} does not run`;
  // Without a FUSE library it knows the command, but can't.
  return borgProgram({ name: 'borg', version, command: [path], canMount: hasFuse(path) });
}

function hasFuse(path: string): boolean {
  const { stderr } = ask([path, 'mount', '/nowhere', '/nowhere']);
  return !/fuse/i.test(stderr);
}

function findRestic(): Program | string {
  const path = process.env['ALCOVE_RESTIC'] ?? 'restic';
  const version = firstLine([path, 'version']);
  if (version === undefined) return `${path} does not run; set ALCOVE_RESTIC to its command`;
  return resticProgram({ version: version.split(' compiled')[0]!, command: [path] });
}

function firstLine(argv: readonly string[]): string | undefined {
  const { status, stdout } = ask(argv);
  return status === 0 ? stdout.split('\n')[0]!.trim() : undefined;
}

function succeeds(argv: readonly string[]): boolean {
  return ask(argv).status === 0;
}

function ask([command, ...args]: readonly string[]): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  const home = mkdtempSync(join(tmpdir(), 'alcove-bench-'));
  try {
    const { status, stdout, stderr } = spawnSync(command!, args, {
      env: borgEnvironment(home),
      encoding: 'utf8',
    });
    return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
