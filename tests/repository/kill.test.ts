import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRepository } from '../../src/repository/create-repository.ts';
import { openRepository } from '../../src/repository/open-repository.ts';
import { toHex } from '../../src/util/bytes.ts';
import { campaignRandom, seededRandom } from '../random.ts';
import type { Random } from '../random.ts';
import { dataOf, idOf, testContext } from './fakes.ts';
import { applyTransaction, planTransaction, sizeOf } from './kill-steps.ts';
import type { Versions } from './kill-steps.ts';

const KILLS = 60;
const LONGEST_RUN_MS = 100;
const worker = fileURLToPath(new URL('kill-worker.ts', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'alcove-kill-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

describe('a writer killed at any moment', () => {
  it('leaves the state of its last commit, or of the one that it was at', async () => {
    const random = campaignRandom('repository kill');
    const lanes = [0, 1].map((lane) =>
      campaign(join(scratch, String(lane)), seededRandom(random.seed + lane)),
    );
    const commits = (await Promise.all(lanes)).flat();
    assert.equal(commits.length, KILLS);
    // The campaign is worth something only if it kills before, between and after commits.
    assert.ok(commits.some((count) => count === 0) && commits.some((count) => count > 2), String(commits));
  });
});

/** Kills half of the processes; returns how often each had committed. */
async function campaign(path: string, random: Random): Promise<number[]> {
  const made = await createRepository(testContext(), path);
  made.config.ini.get('repository')!.set('max_segment_size', '8000').set('segments_per_dir', '10');
  await made.saveKey('');
  // Without a first commit nobody could tell whether the repository is damaged.
  await made.put(idOf('base'), dataOf('base'));
  await made.commit();
  await made.close();
  let versions: Versions = new Map();
  const commits: number[] = [];
  while (commits.length < KILLS / 2) {
    const seed = random.integer(2 ** 32);
    const moment = { commits: random.integer(4), thenMs: random.next() * LONGEST_RUN_MS };
    const announced = await runAndKill(path, seed, versions, moment);
    versions = await checkRepository(path, seed, versions, announced);
    commits.push(announced);
  }
  return commits;
}

/**
 * Returns how many commits the worker announced before it was killed, some time after so many of them: by the clock
 * alone, a busy machine would never get beyond the first.
 */
async function runAndKill(
  path: string,
  seed: number,
  versions: Versions,
  moment: { readonly commits: number; readonly thenMs: number },
): Promise<number> {
  const args = [worker, path, String(seed), JSON.stringify([...versions])];
  // The cache halves the time that a worker takes to start.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(scratch, 'cache') };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let isDue = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (isDue || countCommits(output) < moment.commits) return;
    isDue = true;
    setTimeout(() => child.kill('SIGKILL'), moment.thenMs);
  });
  const signal = await new Promise((resolve) => {
    child.on('close', (_code, killer) => resolve(killer));
  });
  assert.equal(signal, 'SIGKILL', `seed ${seed}: the worker ended by itself`);
  return countCommits(output);
}

function countCommits(output: string): number {
  return output.split('committed').length - 1;
}

/** Returns the state that was found: the last announced one, or the next. */
async function checkRepository(
  path: string,
  seed: number,
  start: Versions,
  announced: number,
): Promise<Versions> {
  const random = seededRandom(seed);
  let state = start;
  for (let i = 0; i < announced; i++) state = applyTransaction(state, planTransaction(random, state));
  const next = applyTransaction(state, planTransaction(random, state));
  await using repository = await openRepository(testContext(), path, { lockWaitSeconds: 20 });
  const found = new Set((await repository.list()).map(toHex));
  const candidates = [state, next].filter((versions) => sameIds(versions, found));
  for (const versions of candidates) {
    let isRight = true;
    for (const [number, version] of versions) {
      const data = await repository.get(idOf(number));
      isRight &&= Buffer.compare(data, dataOf(`${number} ${version}`, sizeOf(number, version))) === 0;
    }
    if (isRight) return versions;
  }
  assert.fail(`seed ${seed} after ${announced} commits: neither the last state nor the next`);
}

function sameIds(versions: Versions, found: ReadonlySet<string>): boolean {
  const ids = [...versions.keys()].map((number) => toHex(idOf(number)));
  return found.size === ids.length + 1 && ids.every((id) => found.has(id));
}
