/**
 * Reading open files piece by piece, where they have holes, and without filling the page cache.
 *
 * Source: Borg 1.4.5, chunker.pyx (dread, dseek), _chunker.c (chunker_fill); lseek(2), poll(2), posix_fadvise(2).
 */
import { readSync } from 'node:fs';
import { cFunction, lastErrno } from './libc.ts';
import { isLinux } from './linux.ts';
import { OsError, errnoNumber, isOsError } from './os-error.ts';

const lseek = cFunction<[number, number, number]>('int64_t lseek(int fd, int64_t offset, int whence)');
const fadvise = cFunction<[number, number, number, number]>(
  'int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)',
);
const poll = cFunction<[Int32Array, number, number]>(
  'int poll(void *descriptors, unsigned long count, int timeout)',
);

/** Numbers of lseek(2)'s `whence` on Linux. */
const WHENCE = { set: 0, current: 1, end: 2, data: 3, hole: 4 } as const;
const POSIX_FADV_DONTNEED = 4;
const POLLIN = 1;

/** Fills the beginning of `into` from where the file stands; 0 at its end. Waits where EAGAIN says to. */
export function readFile(fd: number, into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, null);
    } catch (error) {
      if (isOsError(error, 'EAGAIN')) waitReadable(fd, -1);
      else if (!isOsError(error, 'EINTR')) throw error;
    }
  }
}

/** As readFile, from a position in the file; where the file stands does not matter, and does not change. */
export function readFileAt(fd: number, into: Uint8Array, positionBytes: number): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, positionBytes);
    } catch (error) {
      if (!isOsError(error, 'EINTR')) throw error;
    }
  }
}

/** lseek(2); undefined where it says ENXIO: there is no such data, or hole, up to the end. */
export function seekFile(fd: number, offset: number, whence: keyof typeof WHENCE): number | undefined {
  if (!isLinux && whence !== 'set' && whence !== 'current' && whence !== 'end') {
    throw new OsError(errnoNumber('EINVAL'), 'lseek');
  }
  const position = lseek(fd, offset, WHENCE[whence]);
  if (position >= 0) return position;
  const errno = lastErrno();
  if (errno === errnoNumber('ENXIO')) return undefined;
  throw new OsError(errno, 'lseek');
}

/** Whether a read would not block, waiting for it up to so long (-1: forever). Always true where poll(2) can't say. */
export function waitReadable(fd: number, timeoutMs: number): boolean {
  // struct pollfd: int fd, short events, short revents.
  const descriptor = Int32Array.of(fd, POLLIN);
  const count = poll(descriptor, 1, timeoutMs);
  return count !== 0 && !(count < 0 && lastErrno() === errnoNumber('EINTR'));
}

/** Says that these bytes will not be read again, so that they don't push others out of memory. A hint; never fails. */
export function forgetCached(fd: number, offset: number, sizeBytes: number): void {
  if (isLinux) fadvise(fd, offset, sizeBytes, POSIX_FADV_DONTNEED);
}
