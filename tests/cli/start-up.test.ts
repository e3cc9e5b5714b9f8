/** What starting costs: the bundle against an empty script, and what must stay unloaded. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'bin/alcove.js');
const bundle = join(root, 'dist/main.js');
const scratch = mkdtempSync(join(tmpdir(), 'alcove-start-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const RUNS = 9;
const MAX_FACTOR = 4;

function bestMs(argv: readonly string[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const startMs = performance.now();
    assert.equal(spawnSync(process.execPath, argv).status, 0);
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}

/** Files that are loaded, by what they statically import, from the bundle's entry on. */
function staticImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const match of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^;]*?["']([^"']+)["']/gm)) {
    const target = match[1]!;
    if (target.startsWith('.')) staticImports(join(file, '..', target), seen);
    else seen.add(target);
  }
  return seen;
}

describe('start-up', { skip: existsSync(bundle) ? false : 'dist/ is not built' }, () => {
  it('takes little more than an empty script for --version', () => {
    const empty = join(scratch, 'empty.mjs');
    writeFileSync(empty, '');
    const emptyMs = bestMs([empty]);
    const versionMs = bestMs([command, '--version']);
    assert.ok(versionMs <= MAX_FACTOR * emptyMs, `${versionMs} ms against ${emptyMs} ms`);
  });

  it('loads no package before a command needs it', () => {
    const packages = [...staticImports(bundle)].filter(
      (name) => !name.startsWith('/') && !name.startsWith('node:'),
    );
    assert.deepEqual(packages, []);
  });

  it('leaves no command out of the bundle', () => {
    assert.ok(globSync(join(root, 'dist/*.js')).length > 10);
  });
});
