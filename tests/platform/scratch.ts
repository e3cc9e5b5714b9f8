/** A folder for one test file, and what the machine at hand lets a test do in it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

export const isRoot: boolean = process.geteuid?.() === 0;
const NOBODY = 65534;

/** Makes a folder that goes away after the tests, and gives the maker of paths in it. */
export function scratchFolder(name: string): (path?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), `alcove-${name}-`));
  // A child that runs as another user must get in.
  chmodSync(folder, 0o755);
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (path) => (path === undefined ? folder : join(folder, path));
}

/** What this process has open in the folder. */
export function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Runs the body of an async function as the user nobody, with the exports of these modules of src/ as its variables,
 * and gives what it returns (as JSON). Undefined where that user can't reach this source tree.
 */
export function asNobody(modules: readonly string[], body: string): unknown {
  const imports = modules
    .map((path) => `Object.assign(globalThis, await import(${JSON.stringify(url(path))}));`)
    .join('\n');
  const program = `${imports}
    const result = await (async () => {${body}})();
    console.log(JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? Number(value) : value)) ?? 'null');`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  if (child.error !== undefined || /EACCES|ERR_MODULE_NOT_FOUND/.test(child.stderr)) return undefined;
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as unknown;
}

function url(path: string): string {
  return new URL(`../../src/${path}`, import.meta.url).href;
}
