/** Paths as text with slashes, whatever the system. */

/** Collapses slashes and `.`, and resolves `..` without looking at the disk; exactly two leading slashes stay. */
export function normalizePosixPath(path: string): string {
  if (path === '') return '.';
  const slashes = path.startsWith('//') && !path.startsWith('///') ? 2 : path.startsWith('/') ? 1 : 0;
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || (slashes === 0 && kept.length === 0) || kept.at(-1) === '..') kept.push(part);
    else kept.pop();
  }
  return '/'.repeat(slashes) + kept.join('/') || '.';
}

export function stripLeadingSlashes(path: string): string {
  return path.startsWith('/') ? path.replace(/^\/+/, '') : path;
}

export function stripTrailingSlashes(path: string): string {
  return path.endsWith('/') ? path.replace(/\/+$/, '') : path;
}
