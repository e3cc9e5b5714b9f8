/** What starting costs: the bundle against an empty script, and what must stay unloaded. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'bin/alcove.js');
const bundle = join(root, 'dist/command/main.cjs');
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

/** What is loaded, from the command's first script on, before any command is known. */
function loadedAtOnce(script: string, seen = new Set<string>()): Set<string> {
  if (seen.has(script)) return seen;
  seen.add(script);
  for (const [, name] of readFileSync(script, 'utf8').matchAll(/^var \w+ = .*\brequire\("([^"]+)"\)/gm)) {
    if (name!.startsWith('.')) loadedAtOnce(join(script, '..', name!), seen);
    else seen.add(name!);
  }
  return seen;
}

interface Loaded {
  readonly stdout: string;
  readonly stderr: string;
  /** For each script, whether V8 took the code that was kept; null where it was not given any. */
  readonly taken: Readonly<Record<string, boolean | null>>;
}

/** Runs `--version` of what was built into a folder. */
function run(folder: string): Loaded {
  const runner = join(scratch, 'run.mjs');
  const program = JSON.stringify(pathToFileURL(join(root, 'bin/program.js')));
  writeFileSync(
    runner,
    `import { runProgram } from ${program};
    const taken = {};
    process.on('exit', () => process.stderr.write(JSON.stringify(taken)));
    runProgram(new URL(${JSON.stringify(pathToFileURL(`${folder}/`))}), ({ filename, script }) => {
      taken[filename.replace(/.*\\//, '')] = script.cachedDataRejected === undefined ? null : !script.cachedDataRejected;
    });`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [runner, '--version'], { encoding: 'utf8' });
  return { stdout, stderr, taken: JSON.parse(stderr) as Loaded['taken'] };
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
    const packages = [...loadedAtOnce(bundle)].filter(
      (name) => !name.startsWith('/') && !name.startsWith('node:'),
    );
    assert.deepEqual(packages, []);
  });

  it('leaves no command out of the bundle', () => {
    assert.ok(globSync(join(root, 'dist/command/*.cjs')).length > 10);
  });

  it('keeps in two files what is loaded together', () => {
    assert.deepEqual(
      ['core', 'session'].filter((name) => !existsSync(join(root, `dist/command/${name}.cjs`))),
      [],
    );
  });

  it('takes the code that was compiled when it was built, and no other', (t) => {
    const [builtBy] = readFileSync(`${bundle}.code`, 'latin1').split(' ', 1);
    if (builtBy !== process.version) return t.skip(`dist/ was built by Node ${builtBy}`);
    const built = run(join(root, 'dist'));
    assert.deepEqual(built.taken, { 'main.cjs': true, 'core.cjs': true });
    const copy = join(scratch, 'dist');
    cpSync(join(root, 'dist/command'), join(copy, 'command'), { recursive: true });
    rmSync(join(copy, 'command/main.cjs.code'));
    const file = join(copy, 'command/core.cjs.code');
    const code = readFileSync(file);
    code[code.length >> 1]! ^= 1;
    writeFileSync(file, code);
    const before = readdirSync(join(copy, 'command'));
    const damaged = run(copy);
    assert.deepEqual(damaged.taken, { 'main.cjs': null, 'core.cjs': null });
    assert.equal(damaged.stdout, built.stdout);
    assert.deepEqual(readdirSync(join(copy, 'command')), before);
    assert.deepEqual(readFileSync(file), code);
  });

  it("ends by Node where Node's own options ask for something at the end", () => {
    const folder = join(scratch, 'profile');
    const options = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const byArguments = spawnSync(process.execPath, [...options, command, 'help', 'list']);
    const env = { ...process.env, NODE_OPTIONS: options.join(' ') };
    const byVariable = spawnSync(process.execPath, [command, 'help', 'list'], { env });
    assert.deepEqual([byArguments.status, byVariable.status], [0, 0]);
    assert.equal(readdirSync(folder).length, 2);
  });

  it('says that its output could not be written, and ends with an error', (t) => {
    if (!existsSync('/dev/full')) return t.skip('there is no /dev/full');
    const full = openSync('/dev/full', 'w');
    const stdio = ['ignore', full, 'pipe'] as const;
    const { status, stderr } = spawnSync(process.execPath, [command, 'help', 'list'], { stdio: [...stdio] });
    closeSync(full);
    assert.equal(status, 2);
    assert.match(stderr.toString(), /^Standard output can't be written: ENOSPC/);
  });
});
