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

/** Fields of `list --json-lines` that both programs fill, one line an item. */
function listed(program: Program, repository: string): string[] {
  const format =
    '{mode}{user}{group}{uid}{gid}{size}{mtime}{path}{type}{source}{linktarget}{num_chunks}{flags}{sha256}{health}{archiveid}{csize}{extra}';
  return program(['list', '--json-lines', '--format', format, `${repository}::a`]).stdout.split('\n');
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
      assert.deepEqual(extractTo(space.alcove, repository, space.join('by-alcove')), before);
      assert.deepEqual(extractTo(space.borg, repository, space.join('by-borg')), before);
    });
  });
}
