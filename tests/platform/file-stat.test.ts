import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, lstatSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  type FileStat,
  fstat,
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSocket,
  isSymlink,
  lstat,
  stat,
} from '../../src/platform/file-stat.ts';
import { isLinux, makeDevice } from '../../src/platform/linux.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('stat');

function assertAsNode(found: FileStat, path: string, follow = false): void {
  const known = (follow ? statSync : lstatSync)(path, { bigint: true });
  assert.deepEqual(
    { ...found, birthtimeNs: undefined, inodeFlags: undefined },
    {
      dev: known.dev,
      ino: known.ino,
      mode: Number(known.mode),
      nlink: Number(known.nlink),
      uid: Number(known.uid),
      gid: Number(known.gid),
      rdev: known.rdev,
      sizeBytes: Number(known.size),
      blocks: Number(known.blocks),
      atimeNs: known.atimeNs,
      mtimeNs: known.mtimeNs,
      ctimeNs: known.ctimeNs,
      birthtimeNs: undefined,
      inodeFlags: undefined,
    },
    path,
  );
}

describe('file-stat.ts', () => {
  const file = at('file');
  const link = at('link');
  writeFileSync(file, 'x'.repeat(12_345));
  linkSync(file, at('other-name'));
  symlinkSync('file', link);
  mkdirSync(at('sub'));

  it('lstat() tells of every kind of file what node:fs tells', () => {
    for (const path of [file, link, at('sub'), at(), '/dev/null', '/proc/self/status', '/']) {
      assertAsNode(lstat(path), path);
      assertAsNode(lstat(Buffer.from(path)), path);
    }
  });

  it('stat() follows symlinks and fstat() asks an open file', () => {
    assertAsNode(stat(link), link, true);
    assertAsNode(fstat(openSync(link, 'r')), file);
  });

  it('lstat() and stat() look a name up in an open folder, whatever the path says', () => {
    const directoryFd = openSync(at(), 'r');
    assertAsNode(lstat('ignored', { directoryFd, name: Buffer.from('link') }), link);
    assertAsNode(stat('ignored', { directoryFd, name: Buffer.from('link') }), file);
  });

  it('lstat() keeps times before 1970, and ns', () => {
    execFileSync('touch', ['-a', '-d', '1969-12-20 10:13:19.75Z', at('sub')]);
    execFileSync('touch', ['-m', '-d', '1969-12-31 23:59:59.123456789Z', at('sub')]);
    const { atimeNs, mtimeNs } = lstat(at('sub'));
    assert.equal(atimeNs, -1_000_000_250_000_000n);
    assert.equal(mtimeNs, -876_543_211n);
  });

  it('has no time of birth on Linux, where archives have none', () => {
    assert.equal(lstat(file).birthtimeNs === undefined, isLinux);
  });

  it('reports the path that it was given', () => {
    assert.throws(() => lstat(at('none')), { code: 'ENOENT', path: at('none') });
    assert.throws(() => stat(at('file/x')), { code: 'ENOTDIR' });
    assert.throws(() => fstat(12_345), { code: 'EBADF' });
    assert.throws(() => lstat('a\0b'), /zero byte/);
    const name = Buffer.from('none');
    assert.throws(() => lstat('dir/none', { directoryFd: openSync(at(), 'r'), name }), { path: 'dir/none' });
  });

  it('tells the kinds of file apart by mode', () => {
    const tests = [isRegular, isDirectory, isSymlink, isFifo, isSocket, isBlockDevice, isCharacterDevice];
    for (const [mode, expected] of [
      [0o100644, isRegular],
      [0o040755, isDirectory],
      [0o120777, isSymlink],
      [0o010600, isFifo],
      [0o140755, isSocket],
      [0o060660, isBlockDevice],
      [0o020666, isCharacterDevice],
    ] as const) {
      assert.deepEqual(
        tests.filter((test) => test(mode)),
        [expected],
      );
    }
  });

  it('makeDevice() makes the numbers that stat() gives', () => {
    for (const [major, minor, device] of [
      [1, 3, 0x103n],
      [8, 255, 0x8ffn],
      [8, 256, 0x100800n],
      [259, 65_537, 268_501_761n],
    ] as const) {
      assert.equal(makeDevice(major, minor), device);
    }
    assert.equal(makeDevice(0xffffffff, 0xffffffff), 2n ** 64n - 1n);
  });
});
