import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { campaignRandom } from '../random.ts';
import { listTree } from '../tree-listing.ts';
import { Workspace } from '../workspace.ts';
import { runAndKill, useSmallSegments } from './kill-campaign.ts';
import { noise } from '../noise.ts';

const KILLS = 8;

describe('a process killed while it recreates archives', () => {
  it('leaves the old archive or the new one, whole, and the next run gets through', async () => {
    using space = new Workspace();
    const random = campaignRandom('recreate-kill');
    const repository = space.join('repo');
    const tree = space.join('tree');
    mkdirSync(tree);
    for (let i = 0; i < 30; i++) writeFileSync(`${tree}/small-${i}`, noise(2_000, i + 1));
    writeFileSync(`${tree}/large`, noise(4 << 20, 99));
    const whole = listTree(tree);
    space.alcove(['init', '--encryption', 'repokey', repository]);
    useSmallSegments(repository);
    for (const name of ['one', 'two']) space.alcove(['create', `${repository}::${name}`, 'tree']);

    let typicalMs = 1500;
    let kills = 0;
    for (let attempt = 0; kills < KILLS; attempt++) {
      assert.ok(attempt < KILLS * 4, 'too few kills hit a running process');
      const changes = [
        ['--recompress=always', '-C', `zlib,${1 + (attempt % 9)}`],
        ['--chunker-params', `fixed,${50_000 + attempt}`],
        ['--comment', `attempt ${attempt}`],
      ];
      const args = ['recreate', ...changes[attempt % changes.length]!, repository];
      const { killed, elapsedMs } = await runAndKill(space, args, random.next() * typicalMs * 1.2);
      if (!killed) typicalMs = (typicalMs + elapsedMs) / 2;
      else kills++;
      const names = space.alcove(['list', '--short', repository]).stdout.trim().split('\n');
      const left = names.filter((name) => !['one', 'two'].includes(name));
      assert.deepEqual(names.filter((name) => !left.includes(name)).toSorted(), ['one', 'two']);
      assert.ok(
        left.length === 0 || (killed && left.length === 1 && left[0]!.endsWith('.recreate')),
        left.join(),
      );
      for (const name of names) {
        const destination = space.join('restored');
        rmSync(destination, { recursive: true, force: true });
        mkdirSync(destination);
        space.alcove(['extract', `${repository}::${name}`], { cwd: destination });
        if (name !== left[0]) assert.deepEqual(listTree(`${destination}/tree`), whole);
      }
      if (left.length > 0) space.alcove(['delete', `${repository}::${left[0]!}`]);
    }
  });
});
