/**
 * Extended attributes of an open file, or of a path, which is not followed. Names and values are bytes.
 *
 * Source: Borg 1.4.5, platform/xattr.py, platform/linux.pyx (listxattr, getxattr, setxattr), xattr.py (get_all,
 * set_all).
 */
import { fromBinaryString, toBinaryString, toUtf8Lossy } from '../util/bytes.ts';
import { cFunction, cString, lastErrno } from './libc.ts';
import { isLinux } from './linux.ts';
import { OsError, type Path, describeOsError, errnoNumber, isOsError } from './os-error.ts';

/** An open file, or a path that is not followed. */
export type Target = number | Path;

/** Attributes by name, one char a byte; null stands for an empty value, as in archives. */
export type Xattrs = Map<string, Uint8Array | null>;

type List<Which> = [Which, Uint8Array, number];
type Get<Which> = [Which, Uint8Array, Uint8Array, number];
type Set<Which> = [Which, Uint8Array, Uint8Array, number, number];

const flistxattr = cFunction<List<number>>('intptr_t flistxattr(int fd, void *list, size_t size)');
const llistxattr = cFunction<List<Uint8Array>>('intptr_t llistxattr(void *path, void *list, size_t size)');
const fgetxattr = cFunction<Get<number>>('intptr_t fgetxattr(int fd, void *name, void *value, size_t size)');
const lgetxattr = cFunction<Get<Uint8Array>>(
  'intptr_t lgetxattr(void *path, void *name, void *value, size_t size)',
);
const fsetxattr = cFunction<Set<number>>(
  'int fsetxattr(int fd, void *name, void *value, size_t size, int flags)',
);
const lsetxattr = cFunction<Set<Uint8Array>>(
  'int lsetxattr(void *path, void *name, void *value, size_t size, int flags)',
);

// Linux caps a list and a value at 64 KiB each; Borg gives up at 16 MiB.
const LIMIT_BYTES = 16 * 1024 * 1024;
let buffer = new Uint8Array(4096);

// Most files have none: then no memory is taken to say so.
const NO_BYTES = new Uint8Array(0);
const EMPTY_LIST = { names: [], namesAcls: false };

/** Names of the attributes, without those that hold ACLs. */
export function listXattrs(target: Target): readonly Uint8Array[] {
  return splitList(target).names;
}

function splitList(target: Target): { readonly names: readonly Uint8Array[]; readonly namesAcls: boolean } {
  if (!isLinux) return EMPTY_LIST;
  const list = readList(target);
  if (typeof list === 'number') throw new OsError(-list, 'listxattr', shownPath(target));
  if (list.length === 0) return EMPTY_LIST;
  const names: Uint8Array[] = [];
  let namesAcls = false;
  for (let start = 0; start < list.length;) {
    const end = list.indexOf(0, start);
    const name = list.slice(start, end < 0 ? list.length : end);
    start += name.length + 1;
    if (toBinaryString(name).startsWith('system.posix_acl_')) namesAcls = true;
    else if (name.length > 0) names.push(name);
  }
  return { names, namesAcls };
}

/** The attribute's value; ENODATA where there is none of this name. */
export function getXattr(target: Target, name: Uint8Array | string): Uint8Array {
  const value = isLinux ? readValue(target, name) : -errnoNumber('ENOTSUP');
  if (typeof value === 'number') throw new OsError(-value, 'getxattr', shownPath(target));
  return value;
}

/** The attribute's value, or undefined where there is none of this name, or no attributes at all. */
export function findXattr(target: Target, name: Uint8Array | string): Uint8Array | undefined {
  // An error object takes ten times as long as the call, and most files have no ACL to find.
  const value = isLinux ? readValue(target, name) : -errnoNumber('ENOTSUP');
  if (typeof value !== 'number') return value;
  if (value === -errnoNumber('ENODATA') || value === -errnoNumber('ENOTSUP')) return undefined;
  throw new OsError(-value, 'getxattr', shownPath(target));
}

export function setXattr(target: Target, name: Uint8Array | string, value: Uint8Array): void {
  const cName = cString(name, 1);
  if (!isLinux) throw new OsError(errnoNumber('ENOTSUP'), 'setxattr', shownPath(target));
  const status =
    typeof target === 'number'
      ? fsetxattr(target, cName, value, value.length, 0)
      : lsetxattr(cString(target), cName, value, value.length, 0);
  if (status !== 0) throw new OsError(lastErrno(), 'setxattr', shownPath(target));
}

export interface FoundXattrs {
  readonly xattrs: Xattrs;
  readonly warnings: readonly string[];
  /** Whether the list has names of ACLs, which are not among `xattrs`; undefined where there is no list. */
  readonly namesAcls: boolean | undefined;
}

/** For most files: nothing may be put into it. */
const NO_XATTRS: FoundXattrs = { xattrs: new Map(), warnings: [], namesAcls: false };
const NO_LIST: FoundXattrs = { ...NO_XATTRS, namesAcls: undefined };

/**
 * All attributes, and a warning for each that can't be read. None at all where the file system has none, or does not
 * let us list them. `shown` names an open file in warnings.
 */
export function readXattrs(target: Target, shown?: Path): FoundXattrs {
  let list: ReturnType<typeof splitList>;
  try {
    list = splitList(target);
  } catch (error) {
    if (isOsError(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) return NO_LIST;
    throw error;
  }
  const { names, namesAcls } = list;
  if (names.length === 0 && !namesAcls) return NO_XATTRS;
  const xattrs: Xattrs = new Map();
  const warnings: string[] = [];
  for (const name of names) {
    try {
      const value = getXattr(target, name);
      xattrs.set(toBinaryString(name), value.length > 0 ? value : null);
    } catch (error) {
      // ENODATA: deleted since we listed the names.
      if (!isOsError(error)) throw error;
      if (error.code === 'ENODATA') continue;
      const what = describeOsError(error, shown ?? shownPath(target));
      warnings.push(`when getting extended attribute ${toUtf8Lossy(name)}: ${what}`);
    }
  }
  return { xattrs, warnings, namesAcls };
}

/** Sets all attributes, and returns a warning for each that can't be set. */
export function writeXattrs(target: Target, xattrs: Xattrs, shown?: Path): string[] {
  const warnings: string[] = [];
  for (const [binaryName, value] of xattrs) {
    const name = fromBinaryString(binaryName);
    const bytes = value ?? new Uint8Array(0);
    try {
      setXattr(target, name, bytes);
    } catch (error) {
      if (!isOsError(error) && !(error instanceof RangeError)) throw error;
      let what = describeOsError(error, shown ?? shownPath(target));
      if (isOsError(error, 'E2BIG')) what = `too big for this filesystem (${what})`;
      // ext4 says ENOSPC to a value of more than 4 KiB.
      if (isOsError(error, 'ENOSPC')) {
        what = `fs full or xattr too big? [xattr len = ${bytes.length}] (${what})`;
      }
      warnings.push(`when setting extended attribute ${toUtf8Lossy(name)}: ${what}`);
    }
  }
  return warnings;
}

function readList(target: Target): Uint8Array | number {
  if (typeof target === 'number') return grow(() => flistxattr(target, buffer, buffer.length));
  const path = cString(target);
  return grow(() => llistxattr(path, buffer, buffer.length));
}

function readValue(target: Target, name: Uint8Array | string): Uint8Array | number {
  const cName = cString(name, 1);
  if (typeof target === 'number') return grow(() => fgetxattr(target, cName, buffer, buffer.length));
  const path = cString(target);
  return grow(() => lgetxattr(path, cName, buffer, buffer.length));
}

/** Calls until the shared buffer holds the whole answer, and copies it out; a negative errno where it fails. */
function grow(read: () => number): Uint8Array | number {
  for (;;) {
    const length = read();
    if (length >= 0) return length === 0 ? NO_BYTES : buffer.slice(0, length);
    const errno = lastErrno();
    if (errno !== errnoNumber('ERANGE') || buffer.length >= LIMIT_BYTES) return -errno;
    buffer = new Uint8Array(buffer.length * 2);
  }
}

function shownPath(target: Target): Path {
  return typeof target === 'number' ? `<FD ${target}>` : target;
}
