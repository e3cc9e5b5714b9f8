import assert from 'node:assert/strict';
import { openSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type At, lstat } from '../../src/platform/file-stat.ts';
import { closeFile } from '../../src/platform/open-file.ts';
import { pathThrough, setMode, setOwner, setTimes } from '../../src/platform/set-attributes.ts';
import { makeFifo } from '../../src/platform/write-file.ts';
import { asNobody, isRoot, scratchFolder } from './scratch.ts';

const at = scratchFolder('attributes');
const folder = openSync(at(), 'r');
const named = (name: string): At => ({ directoryFd: folder, name: Buffer.from(name) });
writeFileSync(at('file'), '');
symlinkSync('file', at('link'));
makeFifo(at('fifo'));

describe('setTimes()', () => {
  for (const [title, atimeNs, mtimeNs] of [
    ['ns', 1_700_000_000_123_456_789n, 1_600_000_000_987_654_321n],
    ['1970', 0n, 1n],
    ['times before 1970', -1n, -86_400_000_000_001n],
    ['times after 2038', 2n ** 31n * 1_000_000_000n + 5n, 7_000_000_000_000_000_001n],
  ] as const) {
    it(`sets ${title} on files, symlinks and fifos`, () => {
      const fd = openSync(at('file'), 'r');
      setTimes(fd, atimeNs, mtimeNs);
      closeFile(fd);
      setTimes(at('link'), atimeNs, mtimeNs);
      setTimes('ignored', atimeNs, mtimeNs, named('fifo'));
      for (const name of ['file', 'link', 'fifo']) {
        assert.equal(lstat(at(name)).atimeNs, atimeNs, name);
        assert.equal(lstat(at(name)).mtimeNs, mtimeNs, name);
      }
    });
  }

  it('takes times that no file system keeps', () => {
    for (const timeNs of [10n ** 40n, -(10n ** 40n)]) setTimes(at('file'), timeNs, timeNs);
  });

  it('reports a missing file', () => {
    assert.throws(() => setTimes(at('none'), 0n, 0n), { code: 'ENOENT', path: at('none') });
    assert.throws(() => setTimes(9999, 0n, 0n), { code: 'EBADF' });
  });
});

describe('setMode()', () => {
  it('sets permission bits of files and fifos', () => {
    const fd = openSync(at('file'), 'r');
    setMode(fd, 0o104751);
    closeFile(fd);
    setMode(at('fifo'), 0o600);
    assert.equal(lstat(at('file')).mode & 0o7777, 0o4751);
    assert.equal(lstat(at('fifo')).mode & 0o7777, 0o600);
    setMode('ignored', 0o640, named('file'));
    assert.equal(lstat(at('file')).mode & 0o7777, 0o640);
  });

  it('does nothing to a symlink, nor to what it leads to', () => {
    setMode(at('link'), 0o777);
    assert.equal(lstat(at('file')).mode & 0o7777, 0o640);
  });

  it('reports a missing file', () => {
    assert.throws(() => setMode(at('none'), 0o600), { code: 'ENOENT' });
  });
});

describe('setOwner()', () => {
  it('sets owner and group, of a symlink itself too', (t) => {
    if (!isRoot) return t.skip('only root may');
    const fd = openSync(at('file'), 'r');
    setOwner(fd, 12_345, 54_321);
    closeFile(fd);
    setOwner(at('link'), 4_000_000_000, 1);
    setOwner('ignored', 7, 8, named('fifo'));
    const owners = ['file', 'link', 'fifo'].map((name) => {
      const { uid, gid } = lstat(at(name));
      return [uid, gid];
    });
    assert.deepEqual(owners, [
      [12_345, 54_321],
      [4_000_000_000, 1],
      [7, 8],
    ]);
  });

  it('reports what a normal user may not', (t) => {
    const found = asNobody(
      ['platform/set-attributes.ts'],
      `for (const action of [() => setOwner('/etc/passwd', 0, 0), () => setTimes('/etc/passwd', 0n, 0n)]) {
         try { action(); return 'done'; } catch (error) { if (error.code !== 'EPERM') return error.code; }
       }
       return 'refused';`,
    );
    if (found === undefined) return t.skip('the user nobody cannot reach the source tree');
    assert.equal(found, 'refused');
  });
});

describe('pathThrough()', () => {
  it('names a file in an open folder', () => {
    assert.equal(lstat(pathThrough(named('link'))).ino, lstat(at('link')).ino);
  });
});
