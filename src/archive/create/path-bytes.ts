/**
 * Paths as bytes: joining, making them relative, and what counts as special.
 *
 * Source: Borg 1.4.5, helpers/fs.py, make_path_safe and get_strip_prefix.
 */
import { fromBinaryString, toBinaryString } from '../../util/bytes.ts';
import { normalizePosixPath } from '../../util/posix-path.ts';
import { isBlockDevice, isCharacterDevice, isFifo } from '../../platform/file-stat.ts';

const SLASH = 0x2f;
const DOT = 0x2e;

const BLOCK_BYTES = 64 * 1024;
let block = new ArrayBuffer(BLOCK_BYTES);
let usedBytes = 0;

/** Memory for a path, one behind the other in larger pieces: a piece for each would take longer than to fill it. */
function roomFor(lengthBytes: number): Uint8Array {
  if (usedBytes + lengthBytes > BLOCK_BYTES) {
    if (lengthBytes > BLOCK_BYTES) return new Uint8Array(lengthBytes);
    block = new ArrayBuffer(BLOCK_BYTES);
    usedBytes = 0;
  }
  usedBytes += lengthBytes;
  return new Uint8Array(block, usedBytes - lengthBytes, lengthBytes);
}

/** What --read-special reads like a regular file. */
export function isSpecial(mode: number): boolean {
  return isBlockDevice(mode) || isCharacterDevice(mode) || isFifo(mode);
}

/** `name` in the directory `parent`; below `.` it stands alone. */
export function childPath(parent: Uint8Array, name: Uint8Array): Uint8Array {
  if (parent.length === 1 && parent[0] === DOT) return name;
  const slash = parent.at(-1) === SLASH ? 0 : 1;
  const path = roomFor(parent.length + slash + name.length);
  path.set(parent);
  if (slash === 1) path[parent.length] = SLASH;
  path.set(name, parent.length + slash);
  return path;
}

/** As Python's os.path.join of two. */
export function joinPath(folder: Uint8Array, path: Uint8Array): Uint8Array {
  if (path[0] === SLASH) return path;
  const slash = folder.length === 0 || folder.at(-1) === SLASH ? 0 : 1;
  const whole = roomFor(folder.length + slash + path.length);
  whole.set(folder);
  if (slash === 1) whole[folder.length] = SLASH;
  whole.set(path, folder.length + slash);
  return whole;
}

/** As Python's os.path.normpath. */
export function normalizePath(path: Uint8Array): Uint8Array {
  return fromBinaryString(normalizePosixPath(toBinaryString(path)));
}

/** Without leading slashes and `../`; `.` where nothing is left. Paths in archives are relative. */
export function makePathSafe(path: Uint8Array): Uint8Array {
  let start = 0;
  while (path[start] === SLASH) start += 1;
  // By far most paths have no `../` then.
  if (start < path.length && path[start] !== DOT) return start === 0 ? path : path.subarray(start);
  const safe = toBinaryString(path).replace(/^(?:(?:\.\.)?\/+)+/, '');
  return fromBinaryString(safe === '' ? '.' : safe);
}

/**
 * `/strip/./keep` archives `keep`: gives the normalized prefix to strip, with one slash at its end, or undefined.
 */
export function slashdotPrefix(path: Uint8Array): Uint8Array | undefined {
  const text = toBinaryString(path);
  const at = text.indexOf('/./');
  if (at <= 0) return undefined;
  return fromBinaryString(`${normalizePosixPath(text.slice(0, at))}/`);
}

/**
 * The path without the prefix; undefined for the directories above what is kept, which get no item, and `.` for
 * the directory that the prefix names.
 */
export function stripPrefix(path: Uint8Array, prefix: Uint8Array): Uint8Array | undefined {
  const directory = toBinaryString(path) + '/';
  const strip = toBinaryString(prefix);
  if (directory === strip) return Uint8Array.of(DOT);
  if (strip.startsWith(directory)) return undefined;
  return directory.startsWith(strip) ? path.subarray(prefix.length) : path;
}
