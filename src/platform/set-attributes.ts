/**
 * Owner, permissions and times of an open file, or of a path or a name in an open folder, never following a symlink.
 */
import { closeSync } from 'node:fs';
import { concatBytes, fromUtf8 } from '../util/bytes.ts';
import { type At, isSymlink, lstat } from './file-stat.ts';
import { cFunction, cString } from './libc.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from './linux.ts';
import { openRead } from './open-file.ts';
import { type Path, isOsError, lastOsError } from './os-error.ts';
import type { Target } from './xattr.ts';

const fchown = cFunction<[number, number, number]>('int fchown(int fd, uint32_t uid, uint32_t gid)');
const fchownat = cFunction<[number, Uint8Array, number, number, number]>(
  'int fchownat(int directory, void *path, uint32_t uid, uint32_t gid, int flags)',
);
const fchmod = cFunction<[number, number]>('int fchmod(int fd, unsigned int mode)');
const fchmodat = cFunction<[number, Uint8Array, number, number]>(
  'int fchmodat(int directory, void *path, unsigned int mode, int flags)',
);
const futimens = cFunction<[number, BigInt64Array]>('int futimens(int fd, void *times)');
const utimensat = cFunction<[number, Uint8Array, BigInt64Array, number]>(
  'int utimensat(int directory, void *path, void *times, int flags)',
);

export function setOwner(target: Target, uid: number, gid: number, at?: At): void {
  const status =
    typeof target === 'number'
      ? fchown(target, uid, gid)
      : fchownat(folderOf(at), nameOf(target, at), uid, gid, AT_SYMLINK_NOFOLLOW);
  if (status !== 0) throw lastOsError('chown', shownPath(target));
}

/** Sets the permission bits of `mode`. Does nothing to a symlink: Linux gives it none. */
export function setMode(target: Target, mode: number, at?: At): void {
  const bits = mode & 0o7777;
  if (typeof target === 'number') {
    if (fchmod(target, bits) !== 0) throw lastOsError('chmod');
    return;
  }
  if (fchmodat(folderOf(at), nameOf(target, at), bits, AT_SYMLINK_NOFOLLOW) === 0) return;
  const error = lastOsError('chmod', target);
  if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
  // So says the C library to a symlink, but also to anything else where the kernel is old and /proc is not there.
  if (isSymlink(lstat(target, at).mode)) return;
  const fd = openRead(target, {}, at);
  try {
    setMode(fd, bits);
  } finally {
    closeSync(fd);
  }
}

/** Sets both times, ns since 1970; the file system rounds and clamps them as it must. */
export function setTimes(target: Target, atimeNs: bigint, mtimeNs: bigint, at?: At): void {
  setTimespec(0, atimeNs);
  setTimespec(2, mtimeNs);
  const status =
    typeof target === 'number'
      ? futimens(target, times)
      : utimensat(folderOf(at), nameOf(target, at), times, AT_SYMLINK_NOFOLLOW);
  if (status !== 0) throw lastOsError('utimensat', shownPath(target));
}

/**
 * A path to the name in the open folder, for the calls that take no folder (extended attributes): by the kernel's
 * list of this process's open files, so still race-free.
 */
export function pathThrough(at: At): Uint8Array {
  return concatBytes([fromUtf8(`/proc/self/fd/${at.directoryFd}/`), at.name]);
}

const SECOND_NS = 1_000_000_000n;
const MAX_SECONDS = 2n ** 63n - 1n;
const MIN_SECONDS = -(2n ** 63n);

/** What C takes for both times; filled anew for each call. */
const times = new BigInt64Array(4);

function setTimespec(index: number, timeNs: bigint): void {
  // C wants ns of 0 to 999999999, also before 1970.
  const rest = timeNs % SECOND_NS;
  const ns = rest < 0n ? rest + SECOND_NS : rest;
  const seconds = (timeNs - ns) / SECOND_NS;
  times[index] = seconds > MAX_SECONDS ? MAX_SECONDS : seconds < MIN_SECONDS ? MIN_SECONDS : seconds;
  times[index + 1] = ns;
}

function shownPath(target: Target): Path | undefined {
  return typeof target === 'number' ? undefined : target;
}

function folderOf(at: At | undefined): number {
  return at?.directoryFd ?? AT_FDCWD;
}

function nameOf(path: Path, at: At | undefined): Uint8Array {
  return cString(at?.name ?? path);
}
