import assert from 'node:assert/strict';
import {
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { type At, isFifo, lstat } from '../../src/platform/file-stat.ts';
import { makeDevice } from '../../src/platform/linux.ts';
import { closeFile } from '../../src/platform/open-file.ts';
import {
  FileWriter,
  createFile,
  makeDeviceFile,
  makeDirectory,
  makeFifo,
  makeHardLink,
  makeSymlink,
  removeDirectory,
  removeExisting,
  removeFile,
  replaceFile,
} from '../../src/platform/write-file.ts';
import { isRoot, scratchFolder } from './scratch.ts';

const at = scratchFolder('write');
const bytes = (text: string) => Buffer.from(text);
const folder = openSync(at(), 'r');
const named = (name: string | Uint8Array): At => ({ directoryFd: folder, name: Buffer.from(name) });

describe('write-file.ts', () => {
  it('makes every kind of file, by path and in an open folder', () => {
    for (const [where, name] of [
      [undefined, 'path'],
      [named, 'name'],
    ] as const) {
      const place = (what: string) => [at(`${name}-${what}`), where?.(`${name}-${what}`)] as const;
      closeFile(createFile(...place('file')));
      makeDirectory(...place('folder'));
      makeSymlink(bytes('nowhere'), ...place('symlink'));
      makeFifo(...place('fifo'));
      makeHardLink(...place('file'), ...place('link'));
      assert.equal(statSync(at(`${name}-file`)).nlink, 2);
      assert.ok(statSync(at(`${name}-folder`)).isDirectory());
      assert.equal(readlinkSync(at(`${name}-symlink`)), 'nowhere');
      assert.ok(isFifo(lstat(at(`${name}-fifo`)).mode));
      for (const what of ['file', 'symlink', 'fifo', 'link']) removeFile(...place(what));
      removeDirectory(...place('folder'));
      assert.throws(() => lstatSync(at(`${name}-file`)), { code: 'ENOENT' });
    }
  });

  it('makes device files', (t) => {
    if (!isRoot) return t.skip('only root may');
    for (const [name, mode, rdev] of [
      ['null', 0o20640, makeDevice(1, 3)],
      ['disk', 0o60600, makeDevice(259, 65_537)],
    ] as const) {
      makeDeviceFile(name, mode, rdev, named(name));
      const found = lstat(at(name));
      assert.equal(found.rdev, rdev);
      assert.equal(found.mode & 0o170000, mode & 0o170000);
    }
  });

  it('keeps names and targets as bytes', () => {
    const odd = Buffer.from([0xff, 0x0a, 0x80]);
    makeSymlink(odd, 'odd', named(odd));
    assert.deepEqual(readlinkSync(Buffer.concat([bytes(at('/')), odd]), 'buffer'), odd);
  });

  it('createFile() neither waits for a fifo nor writes into one', () => {
    makeFifo(at('fifo'));
    assert.throws(() => createFile(at('fifo')), { code: 'ENXIO' });
    const reader = openSync(at('fifo'), constants.O_RDONLY | constants.O_NONBLOCK);
    assert.throws(() => createFile(at('fifo')), { code: 'EEXIST' });
    closeFile(reader);
  });

  it('createFile() empties an existing file, and does not follow a symlink', () => {
    writeFileSync(at('old'), 'content');
    closeFile(createFile(at('old')));
    assert.equal(readFileSync(at('old'), 'utf8'), '');
    writeFileSync(at('victim'), 'content');
    symlinkSync('victim', at('planted'));
    assert.throws(() => createFile(at('planted')), { code: 'ELOOP' });
    assert.throws(() => createFile('x', named('planted')), { code: 'ELOOP', path: 'x' });
    assert.equal(readFileSync(at('victim'), 'utf8'), 'content');
    symlinkSync('unborn', at('dangling'));
    assert.throws(() => createFile(at('dangling')), { code: 'ELOOP' });
    assert.throws(() => lstatSync(at('unborn')), { code: 'ENOENT' });
  });

  it('makeHardLink() links a symlink, not what it leads to', () => {
    makeHardLink(at('planted'), undefined, at('planted-too'));
    assert.ok(lstatSync(at('planted-too')).isSymbolicLink());
  });

  it('obeys the umask', () => {
    const before = process.umask(0o027);
    closeFile(createFile(at('masked')));
    makeDirectory(at('masked-folder'));
    process.umask(before);
    assert.equal(statSync(at('masked')).mode & 0o777, 0o640);
    assert.equal(statSync(at('masked-folder')).mode & 0o777, 0o750);
  });

  it('reports what is in the way', () => {
    mkdirSync(at('there'));
    assert.throws(() => makeDirectory(at('there')), { code: 'EEXIST', path: at('there') });
    assert.throws(() => makeSymlink(bytes('x'), at('there')), { code: 'EEXIST' });
    assert.throws(() => makeFifo(at('there')), { code: 'EEXIST' });
    assert.throws(() => makeHardLink(at('old'), undefined, at('there')), { code: 'EEXIST' });
    assert.throws(() => createFile(at('there')), { code: 'EISDIR' });
    assert.throws(() => removeFile(at('there')), { code: 'EISDIR' });
    assert.throws(() => removeDirectory(at('old')), { code: 'ENOTDIR' });
    writeFileSync(at('there/x'), '');
    assert.throws(() => removeDirectory(at('there')), { code: 'ENOTEMPTY' });
  });

  it('removeExisting() removes files, symlinks and empty folders, and nothing else', () => {
    mkdirSync(at('remove/empty'), { recursive: true });
    mkdirSync(at('remove/full'));
    writeFileSync(at('remove/full/file'), '');
    writeFileSync(at('remove/file'), '');
    makeSymlink(bytes('full'), at('remove/link'));
    for (const name of ['file', 'link', 'empty', 'none']) {
      assert.equal(removeExisting(at(`remove/${name}`)), true, name);
    }
    assert.equal(removeExisting(at('remove/full')), false);
    assert.deepEqual(readdirSync(at('remove')), ['full']);
    assert.deepEqual(readdirSync(at('remove/full')), ['file']);
  });

  it('replaceFile() takes the place of what is there, and empties what it can not remove', () => {
    const where = (name: string) => ({ directoryFd: openSync(at('replace'), 'r'), name: bytes(name) });
    mkdirSync(at('replace/folder'), { recursive: true });
    writeFileSync(at('replace/file'), 'old');
    linkSync(at('replace/file'), at('replace/other'));
    makeSymlink(bytes('other'), at('replace/link'));
    for (const name of ['file', 'link', 'folder', 'none']) {
      const place = where(name);
      closeFile(replaceFile(name, place));
      assert.ok(lstatSync(at(`replace/${name}`)).isFile(), name);
      closeFile(place.directoryFd);
    }
    assert.equal(readFileSync(at('replace/other'), 'utf8'), 'old');
  });

  it('FileWriter leaves holes for zeros where it is told to, and goes on where a part begins', () => {
    const fd = createFile(at('parts'));
    new FileWriter(fd).write(new Uint8Array(100_000));
    const writer = new FileWriter(fd, { positionBytes: 100_000, sparse: true });
    writer.write(bytes('x'));
    writer.write(new Uint8Array(3_000_000));
    writer.finish();
    closeFile(fd);
    const { blocks, sizeBytes } = lstat(at('parts'));
    assert.equal(sizeBytes, 3_100_001);
    assert.equal(readFileSync(at('parts'))[100_000], 'x'.charCodeAt(0));
    assert.ok(blocks * 512 < 1_000_000, `takes ${blocks * 512} bytes: this file system knows no holes`);
  });

  it('FileWriter leaves holes, also at the end', () => {
    const fd = createFile(at('sparse'));
    const writer = new FileWriter(fd);
    writer.write(bytes('begin'));
    writer.hole(4 * 1024 * 1024);
    writer.write(bytes('middle'));
    writer.hole(1024 * 1024);
    assert.equal(writer.positionBytes, 11 + 5 * 1024 * 1024);
    writer.finish();
    closeFile(fd);
    const content = readFileSync(at('sparse'));
    assert.equal(content.length, writer.positionBytes);
    assert.equal(content.toString('latin1').replaceAll('\0', ''), 'beginmiddle');
    assert.equal(content.indexOf('middle'), 5 + 4 * 1024 * 1024);
    const { blocks } = lstat(at('sparse'));
    assert.ok(blocks * 512 < 1024 * 1024, `takes ${blocks * 512} bytes: this file system knows no holes`);
  });
});
