/**
 * Making and removing files, folders, links and devices. With `at`, the name is made in its open folder, and the path
 * only serves messages. No call follows a symlink that stands where the new file should.
 */
import { constants, ftruncateSync } from 'node:fs';
import { type At, fstat, isDirectory, isRegular, lstat } from './file-stat.ts';
import { cFunction, cString } from './libc.ts';
import { AT_FDCWD, AT_REMOVEDIR } from './linux.ts';
import { closeFile, openAt } from './open-file.ts';
import { OsError, type Path, errnoNumber, isOsError, lastOsError } from './os-error.ts';
import { writeFully } from './save-file.ts';

const mkdirat = cFunction<[number, Uint8Array, number]>(
  'int mkdirat(int directory, void *path, unsigned int mode)',
);
const mknodat = cFunction<[number, Uint8Array, number, bigint]>(
  'int mknodat(int directory, void *path, unsigned int mode, uint64_t device)',
);
const symlinkat = cFunction<[Uint8Array, number, Uint8Array]>(
  'int symlinkat(void *target, int directory, void *path)',
);
const linkat = cFunction<[number, Uint8Array, number, Uint8Array, number]>(
  'int linkat(int directory, void *path, int newDirectory, void *newPath, int flags)',
);
const unlinkat = cFunction<[number, Uint8Array, number]>(
  'int unlinkat(int directory, void *path, int flags)',
);

/**
 * Opens an empty file for writing, made with this mode less the umask. ELOOP where a symlink stands there, EEXIST
 * where a device does, ENXIO or EEXIST where a fifo does: contents go into files only.
 */
export function createFile(path: Path, at?: At, mode = 0o666): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  // Without O_NONBLOCK, a fifo would wait for its reader.
  const fd = openAt(path, flags | constants.O_NOCTTY | constants.O_NONBLOCK, mode, at);
  if (isRegular(fstat(fd).mode)) return fd;
  closeFile(fd);
  throw new OsError(errnoNumber('EEXIST'), 'open', path);
}

/** Opens whatever the user named for writing, as a shell's `>` does: a file is emptied, or made; symlinks are followed. */
export function openOutput(path: Path): number {
  return openAt(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOCTTY, 0o666);
}

/** Opens a new file for writing; EEXIST where anything stands there. */
export function createNewFile(path: Path, at?: At, mode = 0o666): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return openAt(path, flags | constants.O_NOCTTY, mode, at);
}

export function makeDirectory(path: Path, at?: At, mode = 0o777): void {
  check(mkdirat(folderOf(at), nameOf(path, at), mode), 'mkdir', path);
}

export function makeSymlink(target: Uint8Array, path: Path, at?: At): void {
  check(symlinkat(cString(target, 1), folderOf(at), nameOf(path, at)), 'symlink', path);
}

/** Another name for a file; where that is a symlink, for the symlink. */
export function makeHardLink(source: Path, sourceAt: At | undefined, path: Path, at?: At): void {
  const from = cString(sourceAt?.name ?? source, 1);
  check(linkat(folderOf(sourceAt), from, folderOf(at), nameOf(path, at), 0), 'link', path);
}

export function makeFifo(path: Path, at?: At, mode = 0o666): void {
  check(mknodat(folderOf(at), nameOf(path, at), constants.S_IFIFO | (mode & 0o7777), 0n), 'mkfifo', path);
}

/** A device file; `mode` with its type, `rdev` as stat() gives it. */
export function makeDeviceFile(path: Path, mode: number, rdev: bigint, at?: At): void {
  check(mknodat(folderOf(at), nameOf(path, at), mode, BigInt.asUintN(64, rdev)), 'mknod', path);
}

export function removeFile(path: Path, at?: At): void {
  check(unlinkat(folderOf(at), nameOf(path, at), 0), 'unlink', path);
}

export function removeDirectory(path: Path, at?: At): void {
  check(unlinkat(folderOf(at), nameOf(path, at), AT_REMOVEDIR), 'rmdir', path);
}

/** Removes an empty folder, or anything else. Whether nothing is there any more. */
export function removeExisting(path: Path, at?: At): boolean {
  try {
    if (isDirectory(lstat(path, at).mode)) removeDirectory(path, at);
    else removeFile(path, at);
    return true;
  } catch (error) {
    if (!isOsError(error)) throw error;
    return error.code === 'ENOENT';
  }
}

/**
 * Makes what is not there yet; what is there goes first. Where it can't go, `otherwise` makes the best of it. Most
 * things are not there, so this is tried without looking.
 */
export function replaceExisting<T>(path: Path, at: At, make: (at: At) => T, otherwise = make): T {
  try {
    return make(at);
  } catch (error) {
    if (!isOsError(error, 'EEXIST')) throw error;
  }
  removeExisting(path, at);
  return otherwise(at);
}

/** Opens a new file for writing, in the place of what is there; a file that can't be removed is emptied. */
export function replaceFile(path: Path, at: At): number {
  return replaceExisting(
    path,
    at,
    (there) => createNewFile(path, there),
    (there) => createFile(path, there),
  );
}

export interface FileWriterOptions {
  /** Where the first byte goes. Default 0. */
  readonly positionBytes?: number;
  /** Leave holes for data that is all zeros. Default false. */
  readonly sparse?: boolean;
}

/** Writes a file front to back, leaving holes. */
export class FileWriter {
  readonly #fd: number;
  readonly #sparse: boolean;
  #positionBytes: number;
  #endsInHole = false;

  constructor(fd: number, { positionBytes = 0, sparse = false }: FileWriterOptions = {}) {
    this.#fd = fd;
    this.#sparse = sparse;
    this.#positionBytes = positionBytes;
  }

  get positionBytes(): number {
    return this.#positionBytes;
  }

  write(data: Uint8Array): void {
    if (this.#sparse && isZero(data)) return this.hole(data.length);
    this.#endsInHole = false;
    writeFully(this.#fd, data, this.#positionBytes);
    this.#positionBytes += data.length;
  }

  /** Zeros that take no space where the file system knows holes. */
  hole(lengthBytes: number): void {
    this.#endsInHole = true;
    this.#positionBytes += lengthBytes;
  }

  /** Gives the file its size where it ends in a hole. */
  finish(): void {
    if (this.#endsInHole) truncateFile(this.#fd, this.#positionBytes);
  }
}

/** Makes the open file this large: cuts off what is behind, or adds a hole. */
export function truncateFile(fd: number, sizeBytes: number): void {
  ftruncateSync(fd, sizeBytes);
}

const zeros = Buffer.alloc(64 * 1024);

function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += zeros.length) {
    const end = Math.min(at + zeros.length, data.length);
    if (zeros.compare(data, at, end, 0, end - at) !== 0) return false;
  }
  return true;
}

function check(status: number, call: string, path: Path): void {
  if (status !== 0) throw lastOsError(call, path);
}

function folderOf(at: At | undefined): number {
  return at?.directoryFd ?? AT_FDCWD;
}

function nameOf(path: Path, at: At | undefined): Uint8Array {
  return cString(at?.name ?? path);
}
