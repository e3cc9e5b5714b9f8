import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { openSession } from '../../src/archive/session.ts';
import { Location } from '../../src/format/location.ts';
import { addDatedArchives } from '../archive/dated-archives.ts';
import { RecordingReporter } from '../archive/scratch.ts';
import { campaignRandom } from '../random.ts';
import { listTree } from '../tree-listing.ts';
import { Workspace } from '../workspace.ts';
import { runAndKill, useSmallSegments } from './kill-campaign.ts';
import { noise } from '../noise.ts';

const KILLS = 4;
const ARCHIVES = 60;

/** Adds archives of consecutive days: copies of "model". */
async function addArchives(space: Workspace, repository: string, prefix: string): Promise<string[]> {
  const ctx = {
    env: space.env,
    cwd: space.path,
    reporter: new RecordingReporter(),
    signal: new AbortController().signal,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    readPassphrase: () => Promise.resolve(undefined),
  };
  const options = { operations: ['write'], exclusive: true } as const;
  await using session = await openSession(ctx, Location.parse(repository), options);
  const archives = Array.from({ length: ARCHIVES }, (_, day) => {
    const time = new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 19);
    return [`${prefix}${String(day).padStart(3, '0')}`, time] as const;
  });
  await addDatedArchives(session, 'model', archives);
  return archives.map(([name]) => name);
}

describe('a process killed while it prunes', () => {
  it('leaves all archives or those to be kept, whole, and the next run gets through', async () => {
    using space = new Workspace();
    const random = campaignRandom('prune-kill');
    const repository = space.join('repo');
    const tree = space.join('tree');
    const restored = space.join('restored');
    mkdirSync(tree);
    for (let i = 0; i < 30; i++) writeFileSync(`${tree}/small-${i}`, noise(2_000, i + 1));
    const whole = listTree(tree);
    space.alcove(['init', '--encryption', 'repokey', repository]);
    useSmallSegments(repository);
    space.alcove(['create', '--timestamp', '2023-01-01T00:00:00', `${repository}::model`, 'tree']);

    const list = (): string[] => space.alcove(['list', '--short', repository]).stdout.trim().split('\n');
    let typicalMs = 600;
    let kills = 0;
    for (let attempt = 0; kills < KILLS; attempt++) {
      assert.ok(attempt < KILLS * 4, 'too few kills hit a running process');
      const all = ['model', ...(await addArchives(space, repository, `run${attempt}-`))];
      const kept = ['model', all.at(-1)!];
      const args = ['prune', '--keep-daily', '1', '-a', `run${attempt}-*`, repository];
      const { killed, elapsedMs } = await runAndKill(space, args, random.next() * typicalMs * 1.2);
      if (!killed) typicalMs = (typicalMs + elapsedMs) / 2;
      else kills++;
      const left = list();
      if (left.length !== kept.length) assert.ok(killed && left.length === all.length, left.join());
      assert.deepEqual(left, left.length === all.length ? all : kept);
      rmSync(restored, { recursive: true, force: true });
      mkdirSync(restored);
      space.alcove(['extract', `${repository}::${kept[1]!}`], { cwd: restored });
      assert.deepEqual(listTree(`${restored}/tree`), whole);
      space.alcove(args);
      assert.deepEqual(list(), kept);
      space.alcove(['delete', `${repository}::${kept[1]!}`]);
    }
  });
});
