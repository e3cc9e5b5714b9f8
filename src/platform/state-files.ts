/** Small files of the program's own (keys, marks, records), read and written as a whole. */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { concatBytes } from '../util/bytes.ts';
import { isOsError } from './os-error.ts';

/** The content, at most the first `limitBytes`; undefined where there is no such file. */
export function readSmallFile(path: string, limitBytes = 1 << 20): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isOsError(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return readAll(fd, limitBytes);
  } finally {
    closeSync(fd);
  }
}

/** As `readSmallFile`, as UTF-8 text. */
export function readSmallText(path: string): string | undefined {
  const bytes = readSmallFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

/** Reads an open descriptor to its end, at most `limitBytes`; does not close it. */
export function readAll(fd: number, limitBytes = 1 << 20): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = limitBytes; left > 0;) {
    const part = new Uint8Array(Math.min(left, 65536));
    const count = readSync(fd, part, 0, part.length, null);
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    left -= count;
  }
  return concatBytes(parts);
}

/** Reads a descriptor that another process handed over, then closes it. */
export function readAndClose(fd: number, limitBytes?: number): Uint8Array {
  try {
    return readAll(fd, limitBytes);
  } finally {
    closeSync(fd);
  }
}

/** Writes in place, not atomically: for targets that may be devices or pipes. A new file gets `mode`. */
export function writeInPlace(path: string, data: string | Uint8Array, mode: number): void {
  writeFileSync(path, data, { mode });
}

export function pathExists(path: string): boolean {
  return existsSync(path);
}

/** Whether the path leads to a regular file, also through symbolic links. */
export function isRegularFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Names in the folder. */
export function listFolder(path: string): string[] {
  return readdirSync(path);
}

/** Makes an empty file where there is none; an existing one is emptied. */
export function writeEmptyFile(path: string): void {
  writeFileSync(path, '');
}

export function removeFile(path: string): void {
  rmSync(path);
}

/** Removes the folder and all in it, if it exists. */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
