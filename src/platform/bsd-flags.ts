/**
 * File flags in the BSDs' numbers, as archives keep them.
 *
 * | flag      | BSD | Linux inode flag |
 * |-----------|-----|------------------|
 * | nodump    | 1   | 0x40             |
 * | immutable | 2   | 0x10             |
 * | append    | 4   | 0x20             |
 *
 * Source: Borg 1.4.5, platform/linux.pyx (get_flags, set_flags).
 */
import { closeSync } from 'node:fs';
import {
  type FileStat,
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isRegular,
  isSymlink,
  lstat,
} from './file-stat.ts';
import { cFunction } from './libc.ts';
import { ARCHIVED_INODE_FLAGS, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, isLinux } from './linux.ts';
import { openRead } from './open-file.ts';
import { isOsError, lastOsError } from './os-error.ts';
import type { Target } from './xattr.ts';

export const UF_NODUMP = 1;
export const UF_IMMUTABLE = 2;
export const UF_APPEND = 4;

const pairs = [
  [UF_NODUMP, 0x40],
  [UF_IMMUTABLE, 0x10],
  [UF_APPEND, 0x20],
] as const;

const ioctl = cFunction<[number, bigint, Int32Array]>(
  'int ioctl(int fd, unsigned long request, void *flags)',
);

/** The file's flags; 0 where it has none, where its file system knows none, and where we can't look. */
export function getFlags(target: Target, mode: number): number {
  // Opening a device that is not there can take long; a symlink can't be opened.
  if (!isLinux || !mayHaveFlags(mode)) return 0;
  if (typeof target === 'number') return readFlags(target);
  let fd: number;
  try {
    fd = openRead(target);
  } catch {
    return 0;
  }
  try {
    return readFlags(fd);
  } finally {
    closeSync(fd);
  }
}

/** As getFlags(), of a file that `stat` was just asked of: mostly that has the answer. */
export function flagsOf(target: Target, stat: FileStat): number {
  const { mode, inodeFlags } = stat;
  // What getFlags() finds of a pipe is another thing's flags: none.
  const isKnown = inodeFlags !== undefined && (isRegular(mode) || isDirectory(mode));
  return isKnown ? toBsdFlags(inodeFlags) : getFlags(target, mode);
}

/** Sets or clears these three flags, and leaves the file's others. Does nothing where there are no flags. */
export function setFlags(target: Target, bsdFlags: number): void {
  if (!isLinux) return;
  if (typeof target === 'number') return writeFlags(target, bsdFlags);
  if (!mayHaveFlags(lstat(target).mode)) return;
  const fd = openRead(target);
  try {
    writeFlags(fd, bsdFlags);
  } finally {
    closeSync(fd);
  }
}

function mayHaveFlags(mode: number): boolean {
  return !isBlockDevice(mode) && !isCharacterDevice(mode) && !isSymlink(mode);
}

// The kernel reads and writes an int, though the request's number says long.
const word = new Int32Array(2);

function readFlags(fd: number): number {
  if (ioctl(fd, FS_IOC_GETFLAGS, word) !== 0) return 0;
  return toBsdFlags(word[0]!);
}

function toBsdFlags(inodeFlags: number): number {
  if ((inodeFlags & ARCHIVED_INODE_FLAGS) === 0) return 0;
  let flags = 0;
  for (const [bsd, linux] of pairs) if (inodeFlags & linux) flags |= bsd;
  return flags;
}

function writeFlags(fd: number, bsdFlags: number): void {
  // Without knowing the others, setting ours could clear flags that can't be set again.
  if (ioctl(fd, FS_IOC_GETFLAGS, word) !== 0) return;
  let flags = word[0]! & ~ARCHIVED_INODE_FLAGS;
  for (const [bsd, linux] of pairs) if (bsdFlags & bsd) flags |= linux;
  // As with most files: setting them would be a call, and on some file systems an error, for nothing.
  if (flags === word[0]) return;
  word[0] = flags;
  if (ioctl(fd, FS_IOC_SETFLAGS, word) === 0) return;
  const error = lastOsError('ioctl');
  // ENOTTY is what Linux 6.17 says in place of EOPNOTSUPP.
  if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP', 'ENOTTY')) throw error;
}
