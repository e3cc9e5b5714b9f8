import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { DirectoryRoot, UnsafePathError } from '../../src/platform/directory-root.ts';
import { fstat, lstat } from '../../src/platform/file-stat.ts';
import { closeFile } from '../../src/platform/open-file.ts';
import { createFile, makeSymlink, removeExisting } from '../../src/platform/write-file.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('root');
const bytes = (text: string) => Buffer.from(text);
let count = 0;

/** A fresh root, beside a folder that no test may reach from it. */
function freshRoot(): { root: DirectoryRoot; path: (name: string) => string; outside: string } {
  const folder = at(`case${count++}`);
  mkdirSync(`${folder}/root`, { recursive: true });
  mkdirSync(`${folder}/outside`);
  return {
    root: new DirectoryRoot(`${folder}/root`),
    path: (name) => `${folder}/root/${name}`,
    outside: `${folder}/outside`,
  };
}

function write(root: DirectoryRoot, path: string, content: string): void {
  const fd = createFile(path, root.parentOf(bytes(path), { create: true }));
  writeSync(fd, content);
  closeFile(fd);
}

const openFiles = () => readdirSync('/proc/self/fd').length;
const unsafe = (reason: UnsafePathError['reason']) => (error: unknown) =>
  error instanceof UnsafePathError && error.reason === reason;

/** Where the path leads, by this root. */
function seen(root: DirectoryRoot, path: string): string {
  try {
    const there = root.parentOf(bytes(path));
    return `${fstat(there.directoryFd).ino} ${Buffer.from(there.name).toString()}`;
  } catch (error) {
    return error instanceof UnsafePathError ? error.reason : 'missing';
  }
}

describe('DirectoryRoot', () => {
  it('makes parents and gives the folder and name of a path', () => {
    const { root, path } = freshRoot();
    write(root, 'a/b/c/file', 'one');
    write(root, 'a/b/file', 'two');
    write(root, 'a/other/./deep//file', 'three');
    write(root, 'file', 'four');
    assert.equal(readFileSync(path('a/b/c/file'), 'utf8'), 'one');
    assert.equal(readFileSync(path('a/b/file'), 'utf8'), 'two');
    assert.equal(readFileSync(path('a/other/deep/file'), 'utf8'), 'three');
    assert.equal(readFileSync(path('file'), 'utf8'), 'four');
    root[Symbol.dispose]();
  });

  it('gives the same for a path, whichever was looked at before', () => {
    const { root, path } = freshRoot();
    mkdirSync(path('a/b/c'), { recursive: true });
    const paths = [
      'a/b/x',
      'a/b/y',
      'a/b/',
      'a/b/.',
      'a/b/.x',
      'a/.',
      'a/',
      'a/x',
      'a//b/x',
      './a/b/x',
      'a/b',
    ];
    const all = [...paths, '.', '', 'x', '/x', 'a/../b/x', 'a/b/..', 'a/none/x', 'b/b/x', 'a/c/x'];
    const alone = new Map(
      all.map((name) => {
        using one = new DirectoryRoot(path(''));
        return [name, seen(one, name)];
      }),
    );
    for (const before of all) {
      for (const name of all) {
        seen(root, before);
        assert.equal(seen(root, name), alone.get(name), `${name} after ${before}`);
      }
    }
    root[Symbol.dispose]();
  });

  it('is the folder itself for "."', () => {
    using root = freshRoot().root;
    assert.equal(lstat('.', root.parentOf(bytes('.'))).ino, lstat('.', root.parentOf(bytes('./'))).ino);
  });

  it('does not make parents unless told', () => {
    const { root, path } = freshRoot();
    assert.throws(() => root.parentOf(bytes('none/file')), { code: 'ENOENT' });
    assert.ok(!existsSync(path('none')));
    root[Symbol.dispose]();
  });

  for (const path of ['/etc/passwd', '..', '../x', 'a/../../x', 'a/..', '/']) {
    it(`refuses ${path}`, () => {
      using root = freshRoot().root;
      assert.throws(() => root.parentOf(bytes(path), { create: true }), unsafe('traversal'));
    });
  }

  it('refuses a symlink and a file as a parent', () => {
    const { root, path, outside } = freshRoot();
    makeSymlink(bytes(outside), 'link', root.parentOf(bytes('link')));
    writeFileSync(path('file'), '');
    for (const name of ['link/x', 'link/deep/x', 'file/x']) {
      assert.throws(() => root.parentOf(bytes(name), { create: true }), unsafe('symlink-parent'), name);
    }
    assert.deepEqual(readdirSync(outside), []);
    root[Symbol.dispose]();
  });

  it('refuses a parent that became a symlink after it was used', () => {
    const { root, outside } = freshRoot();
    root.parentOf(bytes('sub/first'), { create: true });
    assert.ok(removeExisting('sub', root.parentOf(bytes('sub'))));
    makeSymlink(bytes(outside), 'sub', root.parentOf(bytes('sub')));
    assert.throws(() => write(root, 'sub/second', 'planted'), unsafe('symlink-parent'));
    assert.deepEqual(readdirSync(outside), []);
    root[Symbol.dispose]();
  });

  it('never writes through a parent that another process swaps', () => {
    const { root, path, outside } = freshRoot();
    write(root, 'sub/first', '1');
    const parent = root.parentOf(bytes('sub/second'));
    renameSync(path('sub'), path('moved'));
    symlinkSync(outside, path('sub'));
    closeFile(createFile('sub/second', parent));
    assert.deepEqual(readdirSync(outside), []);
    assert.deepEqual(readdirSync(path('moved')).toSorted(), ['first', 'second']);
    root[Symbol.dispose]();
  });

  it('keeps a folder open as long as it is leased', () => {
    const { root, path } = freshRoot();
    const before = openFiles();
    const kept = root.parentOf(bytes('a/b/file'), { create: true });
    const leases = [root.lease(), root.lease()];
    const other = root.parentOf(bytes('c/file'), { create: true });
    closeFile(createFile('a/b/file', kept));
    assert.ok(existsSync(path('a/b/file')));
    leases[0]!.release();
    closeFile(createFile('a/b/other', { ...kept, name: bytes('other') }));
    assert.ok(existsSync(path('a/b/other')));
    leases[1]!.release();
    assert.equal(openFiles(), before + 1);
    const lease = root.lease();
    root[Symbol.dispose]();
    closeFile(createFile('c/file', other));
    lease.release();
    assert.equal(openFiles(), before - 1);
  });

  it('looks folders up anew when it is told to forget those that it had', () => {
    const { root, path } = freshRoot();
    root.parentOf(bytes('a/b'), { create: true });
    renameSync(path('a'), path('moved'));
    mkdirSync(path('a'));
    root.forget();
    write(root, 'a/b', 'new');
    assert.equal(readFileSync(path('a/b'), 'utf8'), 'new');
    root[Symbol.dispose]();
  });

  it('keeps no more folders open than the last path has', () => {
    const { root } = freshRoot();
    const before = openFiles();
    for (let index = 0; index < 300; index++) root.parentOf(bytes(`d${index}/e/f`), { create: true });
    assert.ok(openFiles() <= before + 2);
    root[Symbol.dispose]();
    assert.ok(openFiles() < before);
  });

  it('opens a root through a symlink, and reports one that is no folder', () => {
    symlinkSync('case0/root', at('through'));
    new DirectoryRoot(at('through'))[Symbol.dispose]();
    assert.throws(() => new DirectoryRoot('/dev/null'), { code: 'ENOTDIR' });
  });
});
