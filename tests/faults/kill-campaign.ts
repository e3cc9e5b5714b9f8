/**
 * Kills the program with SIGKILL at random moments of all commands that change a repository, one after the other on the
 * same repository, and looks at what is left: the archives from before the command or those after it, with the
 * contents that they had.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../random.ts';
import { seededRandom } from '../random.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';
import type { Program } from '../workspace.ts';
import type { Campaign, CampaignResult } from './campaign.ts';
import { buildTree, nextStep, STEP_KINDS, type Step, type StepKind, timestampOf } from './kill-steps.ts';
import { rollbackTargets } from './rollback-targets.ts';

const RESTORE_EVERY = 10;

export interface KillOptions {
  readonly space: Workspace;
  readonly random: Random;
  readonly kills: number;
  /** Looks at the repository after each kill, beyond the lists and contents that the campaign compares itself. */
  readonly verify?: (repository: string, kill: number) => void;
  /** Programs that must agree on the list of archives. */
  readonly readers: readonly Program[];
}

export type Hits = Record<StepKind, number>;

export const killCampaign: Campaign = {
  name: 'kill',
  title: 'processes killed at any moment',
  usualCases: 12,
  async run({ seed, cases, caseId }): Promise<CampaignResult> {
    using space = new Workspace();
    const kills = caseId === undefined ? cases : Number(caseId);
    const tried = noHits();
    const failures = [];
    try {
      await runKills({ space, random: seededRandom(seed), kills, readers: [space.alcove] }, tried);
    } catch (error) {
      // Each kill starts from what the ones before it have left, so all of them have to be done again.
      const hits = Object.values(tried).reduce((sum, count) => sum + count, 0);
      failures.push({ caseId: String(hits), error });
    }
    return { name: 'kill', seed, tried, failures };
  },
};

export function noHits(): Hits {
  return Object.fromEntries(STEP_KINDS.map((kind) => [kind, 0])) as Hits;
}

/** Counts in `hits` how many kills hit a running process, by kind of command. */
export async function runKills(options: KillOptions, hits: Hits): Promise<void> {
  const { space, random, kills } = options;
  const repository = space.join('repo');
  const tree = space.join('tree');
  buildTree(tree, random);
  space.alcove(['init', '--encryption', 'repokey', repository]);
  useSmallSegments(repository);
  const digests = new Map<string, string>();
  const startMs = performance.now();
  for (const [number, name] of ['first', 'second'].entries()) {
    digests.set(name, digestOf(tree));
    space.alcove(['create', ...timestampOf(number - 2), `${repository}::${name}`, tree]);
  }
  const typicalMs = Object.fromEntries(
    STEP_KINDS.map((kind) => [kind, 0.4 * (performance.now() - startMs)]),
  ) as Hits;
  let archives: readonly string[] = ['first', 'second'];
  for (let kill = 0, attempt = 0; kill < kills; attempt++) {
    assert.ok(attempt < kills * 4 + 8, 'too few kills hit a running process');
    const before = archives;
    const targets = () => rollbackTargets(space.alcove, repository, before);
    const step = nextStep({ repository, tree, before, attempt, random, targets });
    if (step.kind === 'create') digests.set(step.after.at(-1)!, digestOf(tree));
    const delayMs = random.next() * typicalMs[step.kind] * 1.2;
    const { killed, elapsedMs } = await runAndKill(space, step, delayMs);
    // A machine that became busy would else see them all killed before they begin.
    typicalMs[step.kind] = killed ? 1.03 * typicalMs[step.kind] : 0.5 * (typicalMs[step.kind] + elapsedMs);
    if (killed) {
      kill++;
      hits[step.kind]++;
    }
    archives = agreedArchives(options, repository, step, killed);
    if (!killed) continue;
    if (kill % RESTORE_EVERY === 0 || kill === kills) assertRestored(space, repository, archives, digests);
    options.verify?.(repository, kill);
  }
}

/** So that one run crosses many segments. */
function useSmallSegments(repository: string): void {
  const path = join(repository, 'config');
  const config = readFileSync(path, 'utf8');
  const changed = config.replace(/^max_segment_size = .*$/m, 'max_segment_size = 1000000');
  assert.notEqual(changed, config);
  writeFileSync(path, changed.replace(/^segments_per_dir = .*$/m, 'segments_per_dir = 5'));
}

/** Kills it after the delay, unless it has ended by then. */
function runAndKill(
  space: Workspace,
  { args, env }: Step,
  delayMs: number,
): Promise<{ killed: boolean; elapsedMs: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ killed: boolean; elapsedMs: number }>();
  const started = performance.now();
  let stderr = '';
  const child = spawn(process.execPath, [alcoveCommand, ...args], {
    cwd: space.path,
    env: { ...space.env, ...env },
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
  { readers, space }: KillOptions,
  repository: string,
  step: Step,
  killed: boolean,
): readonly string[] {
  const where = `after ${step.args.join(' ')}`;
  const [seen, ...others] = readers.map((reader) => namesBy(reader, repository));
  for (const list of others) assert.deepEqual(list, seen, where);
  const archives = seen!.filter((name) => !isTemporary(name));
  const left = seen!.filter(isTemporary);
  const allowed = killed ? [step.before, step.after] : [step.after];
  assert.ok(
    allowed.some((names) => String(names) === String(archives)),
    `${where}: ${seen!.join(' ')}`,
  );
  assert.ok(
    left.length === 0 || (killed && step.kind === 'recreate' && left.length === 1),
    `${where}: ${left.join(' ')}`,
  );
  for (const name of left) space.alcove(['delete', `${repository}::${name}`]);
  return archives;
}

function isTemporary(name: string): boolean {
  return name.endsWith('.recreate');
}

function namesBy(reader: Program, repository: string): string[] {
  const { stdout } = reader(['list', '--short', '--sort-by', 'timestamp', repository]);
  return stdout.trim().split('\n').filter(Boolean);
}

/** Every archive comes back without a warning, with what the tree had when it was made. */
function assertRestored(
  space: Workspace,
  repository: string,
  archives: readonly string[],
  digests: ReadonlyMap<string, string>,
): void {
  const destination = space.join('restored');
  for (const name of archives) {
    rmSync(destination, { recursive: true, force: true });
    mkdirSync(destination);
    space.alcove(['extract', `${repository}::${name}`], { cwd: destination });
    assert.equal(digestOf(join(destination, space.join('tree'))), digests.get(name), `contents of ${name}`);
  }
}

/** Of all files of a folder. */
function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).toSorted()) {
    const bytes = readFileSync(join(folder, name));
    hash.update(`${name} ${bytes.length} `).update(bytes);
  }
  return hash.digest('hex');
}
