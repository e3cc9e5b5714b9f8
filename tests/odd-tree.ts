/** A source tree with everything that a backup can get wrong. Needs root for devices and foreign owners. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lchownSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { noise } from './noise.ts';

const isRoot = process.getuid?.() === 0;

const chunkMin = 1 << 19;
const chunkMax = 1 << 23;

/** Sizes around every boundary of the default chunker, the hash window and a read buffer. */
const boundarySizes = [
  0,
  1,
  4094,
  4095,
  4096,
  chunkMin - 1,
  chunkMin,
  chunkMin + 1,
  chunkMax - 1,
  chunkMax,
  chunkMax + 1,
];

export function buildOddTree(root: string): void {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'plain.txt'), 'plain text\n');
  for (const size of boundarySizes) writeFileSync(join(root, `size-${size}`), noise(size, size + 7));
  writeFileSync(join(root, 'zeros'), Buffer.alloc(3 * chunkMax));
  buildNames(join(root, 'names'));
  buildLinks(join(root, 'links'));
  buildSparse(join(root, 'sparse'));
  buildMetadata(join(root, 'metadata'));
  if (isRoot) buildSpecial(join(root, 'special'));
  buildTimes(join(root, 'times'));
}

function buildNames(dir: string): void {
  mkdirSync(dir);
  const base = Buffer.from(`${dir}/`);
  const names: Buffer[] = [
    Buffer.from([0xff, 0xfe, 0x80, 0x41]),
    Buffer.from('latin1-caf\xe9', 'latin1'),
    Buffer.from('new\nline'),
    Buffer.from('tab\tquote"back\\slash'),
    Buffer.from(' leading and trailing '),
    Buffer.from('-dash'),
    Buffer.from('*?[glob]'),
    Buffer.from('ünïcödé-日本語-🗄️'),
    Buffer.from('{now}'),
    Buffer.alloc(255, 'n'),
    Buffer.alloc(255, 0xe9),
  ];
  for (const name of names) writeFileSync(Buffer.concat([base, name]), name);
  let deep = dir;
  for (let depth = 0; depth < 60; depth++) {
    deep = join(deep, `level-${depth}-${'d'.repeat(40)}`);
    mkdirSync(deep);
  }
  writeFileSync(join(deep, 'bottom'), 'far down');
  mkdirSync(join(dir, 'empty'));
}

function buildLinks(dir: string): void {
  mkdirSync(dir);
  writeFileSync(join(dir, 'master'), noise(100_000, 3));
  linkSync(join(dir, 'master'), join(dir, 'twin'));
  mkdirSync(join(dir, 'sub'));
  linkSync(join(dir, 'master'), join(dir, 'sub', 'triplet'));
  symlinkSync('master', join(dir, 'relative'));
  symlinkSync('/nonexistent/target', join(dir, 'dangling'));
  symlinkSync('sub', join(dir, 'to-directory'));
  symlinkSync(Buffer.from([0x78, 0xff, 0xfe]), join(dir, 'to-bytes'));
}

function buildSparse(dir: string): void {
  mkdirSync(dir);
  const holes = openSync(join(dir, 'holes'), 'w');
  writeSync(holes, noise(10_000, 5), 0, 10_000, 0);
  writeSync(holes, noise(10_000, 6), 0, 10_000, 20 << 20);
  ftruncateSync(holes, 40 << 20);
  closeSync(holes);
  const empty = openSync(join(dir, 'only-hole'), 'w');
  ftruncateSync(empty, (5 << 20) + 123);
  closeSync(empty);
}

function buildMetadata(dir: string): void {
  mkdirSync(dir);
  for (const mode of [0o000, 0o400, 0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o7777]) {
    const file = join(dir, `mode-${mode.toString(8)}`);
    writeFileSync(file, `mode ${mode}`);
    chmodSync(file, mode);
  }
  if (isRoot) {
    writeFileSync(join(dir, 'owned'), 'somebody else');
    lchownSync(join(dir, 'owned'), 12_345, 54_321);
    symlinkSync('owned', join(dir, 'owned-link'));
    lchownSync(join(dir, 'owned-link'), 12_345, 54_321);
  }
  const attributed = join(dir, 'xattrs');
  writeFileSync(attributed, 'attributes');
  setXattr(attributed, 'user.text', '"value"');
  setXattr(attributed, 'user.empty', '""');
  setXattr(attributed, 'user.binary', '0x00ff0080');
  mkdirSync(join(dir, 'xattr-directory'));
  setXattr(join(dir, 'xattr-directory'), 'user.directory', '"yes"');
  if (isRoot) {
    const link = join(dir, 'xattr-link');
    symlinkSync('xattrs', link);
    execFileSync('setfattr', ['-h', '-n', 'trusted.link', '-v', 'on a link', link]);
  }
  const listed = join(dir, 'acl');
  writeFileSync(listed, 'access list');
  execFileSync('setfacl', ['-m', 'u:12345:rw,g:54321:r,m::rw', listed]);
  mkdirSync(join(dir, 'acl-directory'));
  execFileSync('setfacl', ['-m', 'u:12345:rwx', '-d', '-m', 'u:12345:rx,g::r', join(dir, 'acl-directory')]);
  writeFileSync(join(dir, 'nodump'), 'flagged');
  execFileSync('chattr', ['+d', join(dir, 'nodump')]);
}

function setXattr(path: string, name: string, value: string): void {
  execFileSync('setfattr', ['-n', name, '-v', value, path]);
}

function buildSpecial(dir: string): void {
  mkdirSync(dir);
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  execFileSync('mknod', [join(dir, 'character'), 'c', '1', '3']);
  execFileSync('mknod', [join(dir, 'block'), 'b', '7', '300']);
  execFileSync('mknod', [join(dir, 'big-minor'), 'c', '511', '1048575']);
}

function buildTimes(dir: string): void {
  mkdirSync(dir);
  const stamps = [
    '1901-12-14T00:00:00',
    '1969-12-31T23:59:59.999999999',
    '1970-01-01',
    '2038-01-20T00:00:00.123456789',
    '2106-02-08',
    '2262-01-01',
    '2400-01-01',
  ];
  for (const stamp of stamps) {
    const file = join(dir, stamp);
    writeFileSync(file, stamp);
    execFileSync('touch', ['-d', `${stamp}Z`.replace(/^(\d+-\d+-\d+)Z$/, '$1T00:00:00Z'), file]);
  }
  mkdirSync(join(dir, 'old-directory'));
  execFileSync('touch', ['-d', '1980-05-05T05:05:05.5Z', join(dir, 'old-directory')]);
}
