/** A folder on this machine. Permissions follow the process's umask. */
import {
  appendFileSync,
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  read,
  readSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  statfsSync,
  truncateSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { hasCode } from './store.ts';
import type { EntryKind, ReadHandle, Store, StoreEntry, StoreStat, WriteHandle } from './store.ts';

const readAsync = promisify(read);

export class PosixStore implements Store {
  readonly root: string;

  /** The root need not exist yet. */
  constructor(root: string) {
    this.root = root;
  }

  list(folder: string): StoreEntry[] {
    const path = this.#path(folder);
    return readdirSync(path, { withFileTypes: true }).map((entry) => {
      const { name } = entry;
      const isLink = entry.isSymbolicLink();
      const target = isLink ? statSync(`${path}/${name}`, { throwIfNoEntry: false }) : entry;
      return { name, kind: target === undefined ? 'other' : kindOf(target), isLink };
    });
  }

  stat(path: string): StoreStat | undefined {
    const stats = statSync(this.#path(path), { throwIfNoEntry: false });
    return stats && { kind: kindOf(stats), sizeBytes: stats.size, linkCount: stats.nlink };
  }

  modifiedNs(path: string): bigint | undefined {
    return statSync(this.#path(path), { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  }

  openFile(path: string): ReadHandle {
    return new PosixReadHandle(openSync(this.#path(path), 'r'));
  }

  createFile(path: string): WriteHandle {
    return new PosixWriteHandle(openSync(this.#path(path), 'wx', 0o666));
  }

  appendFile(path: string, bytes: Uint8Array): void {
    appendFileSync(this.#path(path), bytes);
  }

  overwriteFile(path: string, bytes: Uint8Array): void {
    const fd = openSync(this.#path(path), 'r+');
    try {
      writeFully(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  syncFile(path: string): void {
    const fd = openSync(this.#path(path), 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  createFolder(path: string): void {
    mkdirSync(this.#path(path));
  }

  removeFolder(path: string): void {
    rmdirSync(this.#path(path));
  }

  removeFile(path: string): void {
    const full = this.#path(path);
    try {
      unlinkSync(full);
    } catch (error) {
      // A copy-on-write file system may need space in order to remove a name.
      if (!hasCode(error, 'ENOSPC') || statSync(full).nlink > 1) throw error;
      try {
        truncateSync(full);
      } catch {
        throw error;
      }
      unlinkSync(full);
    }
  }

  rename(from: string, to: string): void {
    renameSync(this.#path(from), this.#path(to));
  }

  link(existing: string, path: string): void {
    linkSync(this.#path(existing), this.#path(path));
  }

  syncFolder(path: string): void {
    const fd = openSync(this.#path(path), 'r');
    try {
      fsyncSync(fd);
    } catch (error) {
      // Some network file systems can't sync a folder. Other errors mean that data may be lost.
      if (!hasCode(error, 'EINVAL')) throw error;
    } finally {
      closeSync(fd);
    }
  }

  freeSpaceBytes(): number | undefined {
    const { bavail, bsize } = statfsSync(this.root);
    return bavail * bsize;
  }

  #path(path: string): string {
    return path === '' ? this.root : `${this.root}/${path}`;
  }
}

export class PosixReadHandle implements ReadHandle {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  read(into: Uint8Array, position: number): number {
    let done = readSync(this.fd, into, 0, into.length, position);
    // A single read may give less than the file has, on network file systems or when interrupted.
    while (done < into.length) {
      const more = readSync(this.fd, into, done, into.length - done, position + done);
      if (more === 0) break;
      done += more;
    }
    return done;
  }

  async readLater(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await readAsync(this.fd, into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  sizeBytes(): number {
    return fstatSync(this.fd).size;
  }

  close(): void {
    closeSync(this.fd);
  }
}

class PosixWriteHandle implements WriteHandle {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(...parts: Uint8Array[]): void {
    if (parts.length === 1) return writeFully(this.#fd, parts[0]!);
    let written = writevSync(this.#fd, parts);
    for (const part of parts) {
      if (written < part.length) writeFully(this.#fd, part.subarray(written));
      written = Math.max(0, written - part.length);
    }
  }

  sync(): void {
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}

function kindOf(stats: { isFile(): boolean; isDirectory(): boolean }): EntryKind {
  if (stats.isFile()) return 'file';
  return stats.isDirectory() ? 'folder' : 'other';
}
