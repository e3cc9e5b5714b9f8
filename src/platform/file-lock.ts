/** Short exclusive sections across processes of one machine. */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoNumber, lastOsError } from './os-error.ts';
import { cFunction, lastErrno } from './libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;
const flock = cFunction<[number, number]>('int flock(int fd, int operation)');

/**
 * Runs `section` while no other process runs one for the same folder or file, and none in this process. The system
 * frees the lock when a process ends, however it ends. Where the file system has no locks, `section` runs without.
 * Throws after `waitMs`.
 */
export async function withFileLock<T>(path: string, waitMs: number, section: () => T): Promise<T> {
  const fd = openSync(path, 'r');
  try {
    for (let waitedMs = 0; !tryLock(fd, path); waitedMs += 10) {
      if (waitedMs >= waitMs) throw new Error(`${path} stayed locked by another process for ${waitMs} ms`);
      await sleep(10);
    }
    return section();
  } finally {
    closeSync(fd);
  }
}

function tryLock(fd: number, path: string): boolean {
  for (;;) {
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
    const errno = lastErrno();
    if (errno === errnoNumber('EINTR')) continue;
    if (errno === errnoNumber('EWOULDBLOCK')) return false;
    if (['ENOLCK', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].some((code) => errno === errnoNumber(code))) return true;
    throw lastOsError('flock', path);
  }
}
