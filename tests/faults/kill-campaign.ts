/** Kills the program with SIGKILL at random moments of create, delete and compact, and looks at what is left. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Random } from '../random.ts';
import { alcoveCommand } from '../workspace.ts';
import type { Program, Workspace } from '../workspace.ts';
import { noise } from '../noise.ts';

export interface Campaign {
  space: Workspace;
  random: Random;
  kills: number;
  /** Looks at the repository after each kill, beyond the archive list that the campaign compares itself. */
  verify(repository: string, kill: number): void;
  /** Programs that must agree on the list of archives. */
  readers: readonly Program[];
}

interface Step {
  kind: 'create' | 'delete' | 'compact';
  args: string[];
  before: ReadonlySet<string>;
  after: ReadonlySet<string>;
}

/** Runs the campaign; returns how many kills hit a running process, by kind of command. */
export async function runKillCampaign(campaign: Campaign): Promise<Record<Step['kind'], number>> {
  const { space, random } = campaign;
  const repository = space.join('repo');
  const tree = space.join('tree');
  buildTree(tree, random);
  space.alcove(['init', '--encryption', 'repokey', repository]);
  useSmallSegments(repository);
  const startMs = performance.now();
  space.alcove(['create', `${repository}::first`, 'tree']);
  const createMs = performance.now() - startMs;
  space.alcove(['create', `${repository}::second`, 'tree']);
  let archives: ReadonlySet<string> = new Set(['first', 'second']);
  const hits = { create: 0, delete: 0, compact: 0 };
  const typicalMs = { create: createMs, delete: 0.8 * createMs, compact: 0.7 * createMs };
  for (let kill = 0, attempt = 0; kill < campaign.kills; attempt++) {
    assert.ok(attempt < campaign.kills * 4, 'too few kills hit a running process');
    const step = nextStep(repository, tree, archives, attempt, random);
    const { killed, elapsedMs } = await runAndKill(
      space,
      step.args,
      random.next() * typicalMs[step.kind] * 1.2,
    );
    // A machine that became busy would else see them all killed before they begin.
    typicalMs[step.kind] = killed ? 1.03 * typicalMs[step.kind] : 0.5 * (typicalMs[step.kind] + elapsedMs);
    if (killed) {
      kill++;
      hits[step.kind]++;
    }
    archives = agreedArchives(campaign, repository, step, killed);
    if (killed) campaign.verify(repository, kill);
  }
  return hits;
}

/** So that one run crosses many segments. */
export function useSmallSegments(repository: string): void {
  const path = join(repository, 'config');
  const config = readFileSync(path, 'utf8');
  const changed = config.replace(/^max_segment_size = .*$/m, 'max_segment_size = 1000000');
  assert.notEqual(changed, config);
  writeFileSync(path, changed.replace(/^segments_per_dir = .*$/m, 'segments_per_dir = 5'));
}

function buildTree(tree: string, random: Random): void {
  mkdirSync(tree, { recursive: true });
  for (let i = 0; i < 40; i++) writeFileSync(join(tree, `small-${i}`), noise(2_000, i + 1));
  writeFileSync(join(tree, 'large'), noise(3 << 20, random.integer(2 ** 31)));
}

function nextStep(
  repository: string,
  tree: string,
  archives: ReadonlySet<string>,
  attempt: number,
  random: Random,
): Step {
  const draw = random.next();
  if (draw < 0.55 || archives.size < 2) {
    const name = `archive-${attempt}`;
    writeFileSync(join(tree, `changing-${attempt % 5}`), noise(700_000, random.integer(2 ** 31)));
    const args = ['create', `${repository}::${name}`, tree];
    return { kind: 'create', args, before: archives, after: new Set([...archives, name]) };
  }
  if (draw < 0.8) {
    const name = [...archives][random.integer(archives.size)]!;
    const after = new Set(archives);
    after.delete(name);
    return { kind: 'delete', args: ['delete', `${repository}::${name}`], before: archives, after };
  }
  return {
    kind: 'compact',
    args: ['compact', '--threshold', '0', repository],
    before: archives,
    after: archives,
  };
}

/** Kills it after the delay, unless it has ended by then. */
export function runAndKill(
  space: Workspace,
  args: string[],
  delayMs: number,
): Promise<{ killed: boolean; elapsedMs: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ killed: boolean; elapsedMs: number }>();
  const started = performance.now();
  let stderr = '';
  const child = spawn(process.execPath, [alcoveCommand, ...args], {
    cwd: space.path,
    env: space.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
  child.on('error', reject);
  child.on('exit', (code, signal) => {
    clearTimeout(timer);
    if (signal === null && code !== 0) reject(new Error(`${args.join(' ')}: exit ${code}\n${stderr}`));
    else resolve({ killed: signal !== null, elapsedMs: performance.now() - started });
  });
  return promise;
}

/** The archives that all readers see: the state before or after the step, and after it if it was not killed. */
function agreedArchives(
  campaign: Campaign,
  repository: string,
  step: Step,
  killed: boolean,
): ReadonlySet<string> {
  const lists = campaign.readers.map((reader) =>
    reader(['list', '--short', repository]).stdout.trim().split('\n').filter(Boolean),
  );
  for (const list of lists) assert.deepEqual(list, lists[0]);
  const seen = new Set(lists[0]);
  const matches = (expected: ReadonlySet<string>) => seen.size === expected.size && seen.isSubsetOf(expected);
  assert.ok(
    matches(step.after) || (killed && matches(step.before)),
    `after ${step.args.join(' ')}: ${[...seen].join(' ')}`,
  );
  return seen;
}

/** Every archive's contents come back from the repository without a warning. */
export function extractAll(space: Workspace, repository: string): void {
  const destination = space.join('restored');
  const names = space.alcove(['list', '--short', repository]).stdout.trim().split('\n').filter(Boolean);
  for (const name of names) {
    rmSync(destination, { recursive: true, force: true });
    mkdirSync(destination);
    space.alcove(['extract', `${repository}::${name}`], { cwd: destination });
  }
}
