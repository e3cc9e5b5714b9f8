import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { buildOddTree } from '../odd-tree.ts';
import { Workspace } from '../workspace.ts';
import type { Program } from '../workspace.ts';
import { noise } from '../noise.ts';

interface CreateJson {
  archive: { stats: { deduplicated_size: number; original_size: number; nfiles: number } };
  cache: { stats: { total_unique_chunks: number; total_chunks: number } };
}

function create(program: Program, repository: string, name: string): CreateJson {
  return JSON.parse(program(['create', '--json', `${repository}::${name}`, 'tree']).stdout) as CreateJson;
}

/** Status letters of regular files that `create --list` prints. */
function letters(program: Program, repository: string, name: string): Set<string> {
  const { stderr } = program(['create', '--list', '--filter', 'AMUCE', `${repository}::${name}`, 'tree']);
  return new Set(
    stderr
      .split('\n')
      .filter((line) => /^[AMUCE] /.test(line))
      .map((line) => line[0]!),
  );
}

const orders: readonly [string, 'alcove' | 'borg', 'alcove' | 'borg'][] = [
  ['Borg after alcove', 'alcove', 'borg'],
  ['alcove after Borg', 'borg', 'alcove'],
];

for (const mode of ['repokey', 'keyfile-blake2', 'none']) {
  for (const [title, first, second] of orders) {
    describe(`${title}, on one repository with --encryption=${mode}`, () => {
      it('adds no file chunks for the same tree', () => {
        using space = new Workspace();
        const repository = space.join('repo');
        buildOddTree(space.join('tree'));
        space[first](['init', '--encryption', mode, repository]);
        const one = create(space[first], repository, 'one');
        // Without the files cache, the second program cuts and hashes everything again.
        const { stdout } = space[second]([
          'create',
          '--json',
          '--files-cache',
          'disabled',
          `${repository}::two`,
          'tree',
        ]);
        const two = JSON.parse(stdout) as CreateJson;
        const added = two.cache.stats.total_unique_chunks - one.cache.stats.total_unique_chunks;
        assert.ok(added <= 3, `${added} new chunks: more than an archive's own metadata`);
        // Within the size of the items: versions of Borg differ in the keys that they store.
        const difference = two.archive.stats.original_size - one.archive.stats.original_size;
        assert.ok(Math.abs(difference) < 2000, `sizes differ by ${difference}`);
        assert.equal(two.archive.stats.nfiles, one.archive.stats.nfiles);
      });

      it('finds every file unchanged in the files cache, and the chunks cache intact', () => {
        using space = new Workspace();
        const repository = space.join('repo');
        buildOddTree(space.join('tree'));
        space[first](['init', '--encryption', mode, repository]);
        space[first](['create', `${repository}::one`, 'tree']);
        // The newest file of a run is not remembered by design; an untouched later file makes room for that.
        writeFileSync(space.join('tree', 'newest'), 'newest');
        space[first](['create', `${repository}::two`, 'tree']);
        const { stderr } = space[second]([
          'create',
          '--list',
          '--filter',
          'AMCE',
          '-v',
          '--progress',
          `${repository}::three`,
          'tree',
        ]);
        const changed = stderr.split('\n').filter((line) => /^[AMCE] /.test(line));
        assert.deepEqual(
          changed.filter((line) => !line.includes('newest')),
          [],
        );
        assert.doesNotMatch(stderr, /Synchronizing|Rebuild|rebuild/);
        // Then back to the first program: it must accept what the second left.
        assert.deepEqual(
          [...letters(space[first], repository, 'four')].filter(
            (letter) => letter !== 'U' && letter !== 'A' && letter !== 'M',
          ),
          [],
        );
        space.borg(['check', '--verify-data', repository]);
      });
    });
  }
}

describe('alternating writes by both programs', () => {
  it('never take a nonce twice and leave a sound repository after each step', () => {
    using space = new Workspace();
    const repository = space.join('repo');
    buildOddTree(space.join('tree'));
    space.borg(['init', '--encryption', 'repokey', repository]);
    const nonces: bigint[] = [];
    for (let step = 0; step < 6; step++) {
      const program = step % 2 === 0 ? space.alcove : space.borg;
      writeFileSync(space.join('tree', `step-${step}`), noise(300_000, 100 + step));
      program(['create', `${repository}::step-${step}`, 'tree']);
      nonces.push(BigInt(`0x${readFileSync(`${repository}/nonce`, 'latin1').trim()}`));
      if (step === 3) program(['delete', `${repository}::step-1`]);
      if (step === 4) program(['compact', repository]);
      space.borg(['check', '--verify-data', repository]);
    }
    for (let step = 1; step < nonces.length; step++) assert.ok(nonces[step]! > nonces[step - 1]!);
    const names = space.alcove(['list', '--short', repository]).stdout.trim().split('\n');
    assert.deepEqual(names, space.borg(['list', '--short', repository]).stdout.trim().split('\n'));
    assert.deepEqual(names, ['step-0', 'step-2', 'step-3', 'step-4', 'step-5']);
  });
});
