import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { Workspace } from '../workspace.ts';

interface ArchiveInfo {
  readonly name: string;
  readonly start: string;
  readonly end: string;
  readonly comment: string;
  readonly command_line: readonly string[];
  readonly stats: unknown;
}

describe('rename', () => {
  it('changes the name alone, and the other program goes on from there', () => {
    using space = new Workspace({ BORG_EXIT_CODES: 'modern' });
    const repository = space.join('repo');
    mkdirSync(space.join('tree'));
    writeFileSync(space.join('tree', 'file'), 'content');
    space.borg(['init', '--encryption', 'repokey-blake2', repository]);
    space.borg(['create', '--comment', 'a comment', `${repository}::one`, 'tree']);
    space.borg(['create', `${repository}::two`, 'tree']);
    const info = (name: string): ArchiveInfo => {
      const { stdout } = space.borg(['info', '--json', `${repository}::${name}`]);
      const { start, end, comment, command_line, stats } = (JSON.parse(stdout) as { archives: ArchiveInfo[] })
        .archives[0]!;
      return { name: '', start, end, comment, command_line, stats };
    };
    const beforehand = info('one');
    space.alcove(['rename', `${repository}::one`, 'eins']);
    assert.deepEqual(info('eins'), beforehand);
    space.borg(['rename', `${repository}::eins`, 'uno']);
    const { stderr } = space.alcove(['rename', '-v', '--progress', `${repository}::uno`, 'ünö {user}']);
    assert.doesNotMatch(stderr, /ynchroniz/);
    space.borg(['check', '--verify-data', repository]);
    const names = [space.alcove, space.borg].map(
      (program) => program(['list', '--short', repository]).stdout,
    );
    assert.equal(names[0], names[1]);
    assert.match(names[0]!, /^ünö \w+$/m);

    for (const [code, ...args] of [
      [30, `${repository}::two`, 'two'],
      [31, `${repository}::one`, 'two'],
    ] as const) {
      const found = space.alcove(['rename', ...args], { accept: [code] });
      assert.deepEqual(found, space.borg(['rename', ...args], { accept: [code] }));
    }
  });
});
