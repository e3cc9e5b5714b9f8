/**
 * What the file system says about a file. On Linux by statx(2), which takes 1.3 µs where node:fs takes 2.1, and
 * which can look a name up in an open folder.
 */
import { type BigIntStats, constants, fstatSync, lstatSync, statSync } from 'node:fs';
import { cFunction, cString } from './libc.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  ARCHIVED_INODE_FLAGS,
  STATX_BASIC_STATS,
  STATX_SIZE_BYTES,
  isLinux,
  littleEndian,
  makeDevice,
  statxOffset,
} from './linux.ts';
import { type Path, lastOsError } from './os-error.ts';

export interface FileStat {
  dev: bigint;
  ino: bigint;
  /** Type and permission bits. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  /** Device that a device file stands for, else 0. */
  rdev: bigint;
  sizeBytes: number;
  /** Number of 512-byte blocks. */
  blocks: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Only where Borg stores it: not on Linux. */
  birthtimeNs?: bigint | undefined;
  /** Of the inode flags those that archives have, in Linux's numbers; only where the file system tells all of them here. */
  inodeFlags?: number;
}

/**
 * A name in an open folder. A function that takes it beside a path looks there, and uses the path for messages: so
 * nobody can swap a parent folder for a symlink in between. (As parent_fd and name in Borg.)
 */
export interface At {
  directoryFd: number;
  name: Uint8Array;
}

const statx = cFunction<[number, Uint8Array, number, number, Uint8Array]>(
  'int statx(int directory, void *path, int flags, unsigned int mask, void *result)',
);
const result = new Uint8Array(STATX_SIZE_BYTES);
const view = new DataView(result.buffer);
const emptyPath = new Uint8Array(1);

/** Of the path itself, not of what a symlink leads to. */
export function lstat(path: Path, at?: At): FileStat {
  if (!isLinux) return fromNode(lstatSync(nodePath(path), { bigint: true }));
  return statAt(path, at, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 'lstat');
}

/** Follows symlinks. */
export function stat(path: Path, at?: At): FileStat {
  if (!isLinux) return fromNode(statSync(nodePath(path), { bigint: true }));
  return statAt(path, at, AT_NO_AUTOMOUNT, 'stat');
}

export function fstat(fd: number): FileStat {
  if (!isLinux) return fromNode(fstatSync(fd, { bigint: true }));
  if (statx(fd, emptyPath, AT_EMPTY_PATH, STATX_BASIC_STATS, result) !== 0) throw lastOsError('fstat');
  return fromStatx();
}

export function isRegular(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFREG;
}
export function isDirectory(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}
export function isSymlink(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFLNK;
}
export function isFifo(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFIFO;
}
export function isSocket(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFSOCK;
}
export function isBlockDevice(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFBLK;
}
export function isCharacterDevice(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFCHR;
}

/** What node:fs takes for a path. */
export function nodePath(path: Path): string | Buffer {
  if (typeof path === 'string' || Buffer.isBuffer(path)) return path;
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength);
}

function statAt(path: Path, at: At | undefined, flags: number, call: string): FileStat {
  const name = cString(at?.name ?? path);
  if (statx(at?.directoryFd ?? AT_FDCWD, name, flags, STATX_BASIC_STATS, result) !== 0) {
    throw lastOsError(call, path);
  }
  return fromStatx();
}

function fromStatx(): FileStat {
  const at = statxOffset;
  const found: FileStat = {
    dev: deviceAt(at.devMajor, at.devMinor),
    ino: view.getBigUint64(at.ino, littleEndian),
    mode: view.getUint16(at.mode, littleEndian),
    nlink: word(at.nlink),
    uid: word(at.uid),
    gid: word(at.gid),
    rdev: deviceAt(at.rdevMajor, at.rdevMinor),
    sizeBytes: Number(view.getBigUint64(at.size, littleEndian)),
    blocks: Number(view.getBigUint64(at.blocks, littleEndian)),
    atimeNs: timeNs(at.atime),
    mtimeNs: timeNs(at.mtime),
    ctimeNs: timeNs(at.ctime),
  };
  if ((lowWord(at.attributesMask) & ARCHIVED_INODE_FLAGS) === ARCHIVED_INODE_FLAGS) {
    found.inodeFlags = lowWord(at.attributes) & ARCHIVED_INODE_FLAGS;
  }
  return found;
}

function word(offset: number): number {
  return view.getUint32(offset, littleEndian);
}

/** The lower half of a uint64. */
function lowWord(offset: number): number {
  return word(littleEndian ? offset : offset + 4);
}

// Most files are on one device, and are none: a device's number takes longer to make than all the rest.
let lastDevice = { major: 0, minor: 0, device: 0n };

function deviceAt(majorOffset: number, minorOffset: number): bigint {
  const [major, minor] = [word(majorOffset), word(minorOffset)];
  if (major === 0 && minor === 0) return 0n;
  if (lastDevice.major !== major || lastDevice.minor !== minor) {
    lastDevice = { major, minor, device: makeDevice(major, minor) };
  }
  return lastDevice.device;
}

function timeNs(offset: number): bigint {
  const seconds = view.getBigInt64(offset, littleEndian);
  return seconds * 1_000_000_000n + BigInt(view.getUint32(offset + 8, littleEndian));
}

function fromNode(stats: BigIntStats): FileStat {
  return {
    dev: stats.dev,
    ino: stats.ino,
    mode: Number(stats.mode),
    nlink: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    rdev: stats.rdev,
    sizeBytes: Number(stats.size),
    blocks: Number(stats.blocks),
    atimeNs: stats.atimeNs,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    birthtimeNs: stats.birthtimeNs,
  };
}
