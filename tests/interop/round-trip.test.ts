import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { buildOddTree } from '../odd-tree.ts';
import { Workspace } from '../workspace.ts';
import type { Program } from '../workspace.ts';
import { listTree } from '../tree-listing.ts';

const modes = [
  'none',
  'authenticated',
  'authenticated-blake2',
  'repokey',
  'keyfile',
  'repokey-blake2',
  'keyfile-blake2',
];

function extractTo(program: Program, repository: string, destination: string): string[] {
  mkdirSync(destination);
  program(['extract', `${repository}::a`], { cwd: destination });
  return listTree(`${destination}/tree`);
}

const fields =
  '{mode}{user}{group}{uid}{gid}{size}{mtime}{path}{type}{source}{linktarget}{num_chunks}{flags}{sha256}{health}{csize}{extra}';

/** Items as `list --json-lines` shows them. Borg writes the computed fields in no fixed order, so order does not count. */
function listed(program: Program, repository: string): unknown[] {
  const { stdout } = program(['list', '--json-lines', '--format', fields, `${repository}::a`]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}

/** Borg bends times before 1970 or after 2038 when it stores them; alcove stores them as they are. */
function isWithinBorgsTimes(line: string): boolean {
  return !/^"\.\/times\/(1901|1969|2038|2106|2262|2400)/.test(line);
}

for (const mode of modes) {
  describe(`a tree in a repository with --encryption=${mode}`, () => {
    it('made by alcove is whole for Borg, and comes back the same by both', () => {
      using space = new Workspace();
      const repository = space.join('repo');
      buildOddTree(space.join('tree'));
      const before = listTree(space.join('tree'));
      space.alcove(['init', '--encryption', mode, repository]);
      space.alcove(['create', `${repository}::a`, 'tree']);
      space.borg(['check', '--verify-data', repository]);
      assert.deepEqual(listed(space.borg, repository), listed(space.alcove, repository));
      assert.deepEqual(extractTo(space.borg, repository, space.join('by-borg')), before);
      assert.deepEqual(extractTo(space.alcove, repository, space.join('by-alcove')), before);
    });

    it('made by Borg is whole for alcove, and comes back the same by both', () => {
      using space = new Workspace();
      const repository = space.join('repo');
      buildOddTree(space.join('tree'));
      const before = listTree(space.join('tree'));
      space.borg(['init', '--encryption', mode, repository]);
      space.borg(['create', `${repository}::a`, 'tree']);
      assert.deepEqual(listed(space.alcove, repository), listed(space.borg, repository));
      const byAlcove = extractTo(space.alcove, repository, space.join('by-alcove'));
      assert.deepEqual(extractTo(space.borg, repository, space.join('by-borg')), byAlcove);
      assert.deepEqual(byAlcove.filter(isWithinBorgsTimes), before.filter(isWithinBorgsTimes));
    });
  });
}
