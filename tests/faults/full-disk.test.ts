import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { listTree } from '../tree-listing.ts';
import { Workspace } from '../workspace.ts';
import { noise } from '../noise.ts';

/** Mounts a file system of that size at `path`; undefined where this machine does not let us. */
function smallDisk(space: Workspace, path: string, sizeMiB: number): Disposable | undefined {
  const image = space.join('disk.img');
  mkdirSync(path);
  try {
    execFileSync('truncate', ['-s', `${sizeMiB}M`, image]);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image]);
    execFileSync('mount', ['-o', 'loop', image, path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', path]) };
}

describe('a full disk', () => {
  it('ends the backup with a clear error and keeps what was committed', (test) => {
    using space = new Workspace();
    using disk = smallDisk(space, space.join('disk'), 24);
    if (disk === undefined) return test.skip('needs root and loop devices');
    const repository = space.join('disk', 'repo');
    const tree = space.join('tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'kept'), noise(2 << 20, 1));
    space.alcove(['init', '--encryption', 'repokey', repository]);
    space.alcove(['create', `${repository}::kept`, 'tree']);
    const before = listTree(tree);

    writeFileSync(join(tree, 'too-large'), noise(40 << 20, 2));
    const { stderr, status } = space.alcove(['create', `${repository}::lost`, 'tree'], { accept: [2] });
    assert.equal(status, 2);
    assert.match(stderr, /free space|No space left/i);
    assert.doesNotMatch(stderr, /\n\s+at .*\(/);

    assert.equal(space.alcove(['list', '--short', repository]).stdout, 'kept\n');
    mkdirSync(space.join('restored'));
    space.alcove(['extract', `${repository}::kept`], { cwd: space.join('restored') });
    assert.deepEqual(listTree(space.join('restored', 'tree')), before);

    // Room again: the same command works, with no repair in between.
    rmSync(join(tree, 'too-large'));
    writeFileSync(join(tree, 'small'), noise(100_000, 3));
    space.alcove(['create', `${repository}::next`, 'tree']);
    assert.equal(space.alcove(['list', '--short', repository]).stdout, 'kept\nnext\n');
  });

  it('while extracting is an error that names the file', (test) => {
    using space = new Workspace();
    using disk = smallDisk(space, space.join('disk'), 8);
    if (disk === undefined) return test.skip('needs root and loop devices');
    const repository = space.join('repo');
    mkdirSync(space.join('tree'));
    writeFileSync(space.join('tree', 'too-large'), noise(12 << 20, 2));
    space.alcove(['init', '--encryption', 'none', repository]);
    space.alcove(['create', `${repository}::a`, 'tree']);
    const { stderr, status } = space.alcove(['extract', `${repository}::a`], {
      cwd: space.join('disk'),
      accept: [1, 2],
    });
    assert.notEqual(status, 0);
    assert.match(stderr, /too-large/);
    assert.match(stderr, /No space left/i);
  });
});
