/**
 * A path without symbolic links, also where nothing is at its end yet.
 *
 * Source: Python's os.path.realpath(), which Borg resolves paths with.
 */
import { readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OsError, errnoNumber, isOsError } from './os-error.ts';

/** As the kernel's limit. */
const MAX_LINKS = 40;

/**
 * Absolute, `cwd` where the path is relative; what does not exist, or can't be looked at, is taken for what it seems. `..`
 * is the folder above the one that a link leads to. Throws ELOOP where links lead in a circle.
 */
export function realPath(path: string, cwd: string): string {
  const left = (path.startsWith('/') ? path : `${cwd}/${path}`).split('/').toReversed();
  let real = '/';
  let links = 0;
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      real = dirname(real);
      continue;
    }
    const next = join(real, name);
    const target = linkTarget(next);
    if (target === undefined) {
      real = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new OsError(errnoNumber('ELOOP'), 'realpath', path);
    if (target.startsWith('/')) real = '/';
    left.push(...target.split('/').toReversed());
  }
  return resolve(real);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    // No link, nothing, or nothing that we may look at: then nobody gets through there by this process either.
    if (isOsError(error)) return undefined;
    throw error;
  }
}
