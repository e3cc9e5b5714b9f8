/** The names in a folder. */
import { closeSync, readdirSync } from 'node:fs';
import { concatBytes } from '../util/bytes.ts';
import { lstat, nodePath } from './file-stat.ts';
import { cFunction } from './libc.ts';
import { isLinux, littleEndian } from './linux.ts';
import { openDirectory } from './open-file.ts';
import { type Path, lastOsError } from './os-error.ts';

export type SaidType = 'regular' | 'directory' | undefined;

export interface DirectoryEntry {
  name: Uint8Array;
  ino: bigint;
  /** What the folder says that this is; where it says nothing, it may be either all the same. */
  says: SaidType;
}

/** Any folder's largest batch; the kernel gives what fits. */
const BATCH_BYTES = 256 * 1024;
const HEADER_BYTES = 19;
const DT_DIR = 4;
const DT_REG = 8;

const getdents = cFunction<[number, Uint8Array, number]>(
  'intptr_t getdents64(int fd, void *entries, size_t size)',
);
let batch: Uint8Array<ArrayBuffer> | undefined;

/**
 * All names but `.` and `..`, in the order of their inodes: the order in which their data lies on most disks, and in
 * which Borg walks. Of a path, or of a folder that was just opened: of one that was read before, what is left.
 *
 * Source: Borg 1.4.5, helpers/fs.py (scandir_inorder).
 */
export function listDirectory(folder: Path | number): DirectoryEntry[] {
  if (!isLinux) {
    if (typeof folder === 'number') throw new TypeError('this system lists folders by their paths only');
    return sortByInode(listByStat(folder));
  }
  if (typeof folder === 'number') return sortByInode(readEntries(folder));
  const fd = openDirectory(folder);
  try {
    return sortByInode(readEntries(fd, folder));
  } finally {
    closeSync(fd);
  }
}

/**
 * struct linux_dirent64, once for each name:
 *
 * | offset | size | field  | encoding                                    |
 * |--------|------|--------|---------------------------------------------|
 * | 0      | 8    | ino    | uint64                                      |
 * | 8      | 8    | off    | of no use here                              |
 * | 16     | 2    | reclen | uint16, from here to the next               |
 * | 18     | 1    | type   | 4: folder, 8: regular; 0 for all on some    |
 * | 19     |      | name   | ended by a zero byte                        |
 */
function readEntries(fd: number, path?: Path): DirectoryEntry[] {
  batch ??= new Uint8Array(BATCH_BYTES);
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const length = getdents(fd, batch, batch.length);
    if (length < 0) throw lastOsError('scandir', path);
    if (length === 0) return entries;
    // One copy for the whole batch, into which the names are windows.
    const bytes = batch.slice(0, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset < length; offset += view.getUint16(offset + 16, littleEndian)) {
      const start = offset + HEADER_BYTES;
      const name = bytes.subarray(start, bytes.indexOf(0, start));
      if (isDots(name)) continue;
      const ino = view.getBigUint64(offset, littleEndian);
      entries.push({ name, ino, says: saidType(bytes[offset + HEADER_BYTES - 1]!) });
    }
  }
}

function listByStat(folder: Path): DirectoryEntry[] {
  const prefix = Buffer.concat([Buffer.from(nodePath(folder)), Buffer.from('/')]);
  return readdirSync(nodePath(folder), { encoding: 'buffer' }).map((name) => {
    return { name, ino: lstat(concatBytes([prefix, name])).ino, says: undefined };
  });
}

function saidType(type: number): SaidType {
  if (type === DT_REG) return 'regular';
  return type === DT_DIR ? 'directory' : undefined;
}

function isDots(name: Uint8Array): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

const INDEX_RANGE = 2 ** 20;
/** Most folders are small: memory for each would take longer than to sort it. */
const smallKeys = new Float64Array(1024);

/** Exported for tests. */
export function sortByInode<Entry extends Pick<DirectoryEntry, 'ino'>>(entries: readonly Entry[]): Entry[] {
  // Inodes up to 2^33, as most file systems have them, fit into a double beside their index, and doubles sort in
  // half the time of bigints.
  const { length } = entries;
  const keys = length <= smallKeys.length ? smallKeys.subarray(0, length) : new Float64Array(length);
  for (let index = 0; index < length; index++)
    keys[index] = Number(entries[index]!.ino) * INDEX_RANGE + index;
  keys.sort();
  const largest = keys[length - 1] ?? 0;
  if (entries.length > INDEX_RANGE || largest > Number.MAX_SAFE_INTEGER) {
    return entries.toSorted((a, b) => (a.ino < b.ino ? -1 : a.ino > b.ino ? 1 : 0));
  }
  const sorted: Entry[] = [];
  for (const key of keys) sorted.push(entries[key - Math.floor(key / INDEX_RANGE) * INDEX_RANGE]!);
  return sorted;
}
