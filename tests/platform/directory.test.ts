import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, openSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { listDirectory, sortByInode } from '../../src/platform/directory.ts';
import { compareBytes } from '../../src/util/bytes.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('list');

describe('listDirectory()', () => {
  it('gives every name once, in the order of inodes', () => {
    mkdirSync(at('many'));
    // Made and removed in between, so that the folder's own order is not that of the inodes.
    const names = Array.from({ length: 3000 }, (_, index) => `entry-${(index * 7919) % 3001}`);
    for (const name of names) writeFileSync(at(`many/${name}`), '');
    for (const name of names.slice(0, 500)) unlinkSync(at(`many/${name}`));
    for (const name of names.slice(0, 500)) writeFileSync(at(`many/${name}`), '');
    const found = listDirectory(at('many'));
    assert.deepEqual(found.map(({ name }) => Buffer.from(name).toString()).toSorted(), names.toSorted());
    for (const [index, { name, ino }] of found.entries()) {
      const path = Buffer.concat([Buffer.from(at('many/')), name]);
      assert.equal(lstatSync(path, { bigint: true }).ino, ino);
      if (index > 0) assert.ok(found[index - 1]!.ino < ino);
    }
  });

  it('gives names as bytes, and hidden ones, but not . and ..', () => {
    mkdirSync(at('odd'));
    const names = ['..c', '.hidden', '...', 'a', 'line\nbreak', 'ü'].map((name) => Buffer.from(name));
    names.push(Buffer.from([0xff, 0x80]), Buffer.from('x'.repeat(255)));
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(at('odd/')), name]), '');
    const found = listDirectory(Buffer.from(at('odd'))).map(({ name }) => Buffer.from(name));
    assert.deepEqual(found.toSorted(compareBytes), names.toSorted(compareBytes));
  });

  it('reads a folder that was opened', () => {
    const fd = openSync(at('odd'), 'r');
    assert.deepEqual(listDirectory(fd), listDirectory(at('odd')));
    closeSync(fd);
  });

  it('says nothing that is wrong of what a name stands for', () => {
    mkdirSync(at('kinds/folder'), { recursive: true });
    writeFileSync(at('kinds/file'), '');
    symlinkSync('file', at('kinds/link'));
    for (const { name, says } of listDirectory(at('kinds'))) {
      const found = lstatSync(at(`kinds/${Buffer.from(name).toString()}`));
      if (says !== undefined) assert.equal(says === 'regular' ? found.isFile() : found.isDirectory(), true);
      if (found.isSymbolicLink()) assert.equal(says, undefined);
    }
  });

  it('gives nothing of an empty folder', () => {
    mkdirSync(at('empty'));
    assert.deepEqual(listDirectory(at('empty')), []);
  });

  it('reports what is no folder, and does not follow a symlink to one', () => {
    writeFileSync(at('file'), '');
    symlinkSync('odd', at('link'));
    assert.throws(() => listDirectory(at('file')), { code: 'ENOTDIR' });
    assert.throws(() => listDirectory(at('link')), { code: 'ENOTDIR' });
    assert.throws(() => listDirectory(at('none')), { code: 'ENOENT' });
    const fd = openSync(at('file'), 'r');
    assert.throws(() => listDirectory(fd), { code: 'ENOTDIR' });
    closeSync(fd);
  });
});

describe('sortByInode()', () => {
  const name = Buffer.from('x');
  for (const [title, inodes] of [
    ['none', []],
    ['small inodes', [5n, 1n, 4_000_000_000n, 2n]],
    ['inodes beyond 2^33', [2n ** 34n, 1n, 2n ** 33n]],
    ['inodes beyond 2^53', [2n ** 64n - 1n, 2n ** 64n - 2n, 7n, 2n ** 53n + 1n, 2n ** 53n]],
  ] as const) {
    it(`orders ${title}`, () => {
      const sorted = sortByInode(inodes.map((ino) => ({ name, ino }))).map(({ ino }) => ino);
      assert.deepEqual(
        sorted,
        inodes.toSorted((a, b) => (a < b ? -1 : 1)),
      );
    });
  }

  it('keeps the order of names with one inode', () => {
    const entries = Array.from({ length: 100 }, (_, index) => ({ name: Buffer.from([index]), ino: 7n }));
    assert.deepEqual(sortByInode(entries), entries);
    const large = entries.map((entry) => ({ ...entry, ino: 2n ** 60n }));
    assert.deepEqual(sortByInode(large), large);
  });
});
