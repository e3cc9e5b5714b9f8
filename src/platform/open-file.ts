/**
 * Opening files to read them. Descriptors are closed on exec, work with node:fs, and are closed by `closeFile`.
 *
 * Source: Borg 1.4.5, helpers/fs.py (flags_*, os_open).
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { CACHE_TAG_CONTENTS, CACHE_TAG_NAME } from './home.ts';
import { type At, nodePath } from './file-stat.ts';
import { cFunction, cString, lastErrno } from './libc.ts';
import { AT_FDCWD, O_CLOEXEC, isLinux } from './linux.ts';
import { OsError, type Path, errnoNumber, isOsError, lastOsError } from './os-error.ts';

export interface OpenReadOptions {
  /** Fail with ELOOP on a symlink. Default true. */
  noFollow?: boolean;
  /** Return at once from a fifo or device, not when its other end is there. Default true. */
  nonBlock?: boolean;
  /** Leave the access time alone, where we may (as owner or root). Default false. */
  noAtime?: boolean;
}

const openat = cFunction<[number, Uint8Array, number, number]>(
  'int openat(int directory, void *path, int flags, unsigned int mode)',
);
const readlinkat = cFunction<[number, Uint8Array, Uint8Array, number]>(
  'intptr_t readlinkat(int directory, void *path, void *target, size_t size)',
);

let linkTarget = new Uint8Array(1024);

/** Opens a file for reading; a regular one by default without following a symlink and without ever blocking. */
export function openRead(path: Path, options: OpenReadOptions = {}, at?: At): number {
  let flags = constants.O_RDONLY | constants.O_NOCTTY;
  if (options.noFollow ?? true) flags |= constants.O_NOFOLLOW;
  if (options.nonBlock ?? true) flags |= constants.O_NONBLOCK;
  return openMaybeNoAtime(path, flags, options, at);
}

/** Opens a folder (ENOTDIR or ELOOP on anything else), leaving its access time alone where we may. */
export function openDirectory(path: Path, at?: At): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return openMaybeNoAtime(path, flags, { noAtime: true }, at);
}

function openMaybeNoAtime(path: Path, flags: number, options: OpenReadOptions, at?: At): number {
  if (!options.noAtime || !isLinux) return openAt(path, flags, 0, at);
  try {
    return openAt(path, flags | constants.O_NOATIME, 0, at);
  } catch (error) {
    // EROFS comes of volume shadow copies in WSL1; Borg tries again there only if BORG_WORKAROUNDS has retry_erofs.
    if (!isOsError(error, 'EPERM', 'EACCES', 'EROFS')) throw error;
    return openAt(path, flags, 0, at);
  }
}

/** Opens with these flags of open(2), looking a name up in its folder where `at` is given. */
export function openAt(path: Path, flags: number, mode = 0, at?: At): number {
  if (!isLinux) return openSync(nodePath(path), flags, mode);
  const name = cString(at?.name ?? path);
  for (;;) {
    const fd = openat(at?.directoryFd ?? AT_FDCWD, name, flags | O_CLOEXEC, mode);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    if (errno !== errnoNumber('EINTR')) throw new OsError(errno, 'open', path);
  }
}

export function closeFile(fd: number): void {
  closeSync(fd);
}

/** Where a symlink leads, as bytes. */
export function readLink(path: Path, at?: At): Uint8Array {
  const name = cString(at?.name ?? path);
  for (;;) {
    const length = readlinkat(at?.directoryFd ?? AT_FDCWD, name, linkTarget, linkTarget.length);
    if (length < 0) throw lastOsError('readlink', path);
    if (length < linkTarget.length) return linkTarget.slice(0, length);
    linkTarget = new Uint8Array(linkTarget.length * 2);
  }
}

/** Whether the folder holds a CACHEDIR.TAG with the standard's signature; false where that can't be told. */
export function isCacheDirectory(directoryFd: number): boolean {
  const name = Buffer.from(CACHE_TAG_NAME);
  let fd: number;
  try {
    fd = openRead(name, { noFollow: false }, { directoryFd, name });
  } catch {
    return false;
  }
  try {
    const begin = Buffer.alloc(CACHE_TAG_CONTENTS.length);
    return readSync(fd, begin) === begin.length && begin.toString('latin1') === CACHE_TAG_CONTENTS;
  } catch {
    return false;
  } finally {
    closeFile(fd);
  }
}
