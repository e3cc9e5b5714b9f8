/**
 * A file tree in memory which knows what a power failure would leave: the bytes of a file up to its last sync, and
 * the names in a folder as of its last sync. `afterCrash()` gives the tree as it might be found then.
 */
import { MemoryFile, MemoryFolder } from './memory-node.ts';
import type { CrashPolicy, MemoryNode } from './memory-node.ts';
import { StoreError } from './store.ts';
import type { ReadHandle, Store, StoreEntry, StoreStat, WriteHandle } from './store.ts';

/** The most a crash can take, and the least. */
export const LOSE_UNSYNCED: CrashPolicy = { chooseKept: () => 0 };
export const KEEP_UNSYNCED: CrashPolicy = { chooseKept: (limit) => limit };

let count = 0;

export class MemoryStore implements Store {
  readonly root: string;
  /** What freeSpaceBytes() says. */
  freeBytes: number | undefined = 2 ** 40;
  readonly #rootFolder: MemoryFolder;

  constructor(rootFolder: MemoryFolder = new MemoryFolder()) {
    // No two are the same place: locks go by it.
    this.root = `/memory-${++count}`;
    this.#rootFolder = rootFolder;
  }

  /** A copy of the tree, in a place of its own, as a power failure now would leave it. */
  afterCrash(policy: CrashPolicy = LOSE_UNSYNCED): MemoryStore {
    return new MemoryStore(this.#rootFolder.afterCrash(policy, new Map()));
  }

  /** The same tree as another process has it, which holds no lock that this one held. */
  forOtherProcess(): MemoryStore {
    return new MemoryStore(this.#rootFolder);
  }

  list(folder: string): StoreEntry[] {
    return [...this.#folder(folder, 'scandir').names].map(([name, node]) => ({
      name,
      kind: node.kind,
      isLink: false,
    }));
  }

  stat(path: string): StoreStat | undefined {
    const node = this.#find(path);
    if (node === undefined) return undefined;
    if (node.kind === 'folder') return { kind: 'folder', sizeBytes: 0, linkCount: 1 };
    return { kind: 'file', sizeBytes: node.sizeBytes, linkCount: node.linkCount };
  }

  openFile(path: string): ReadHandle {
    const file = this.#file(path, 'open');
    return {
      read: (into, position) => file.read(into, position),
      sizeBytes: () => file.sizeBytes,
      close: () => {},
    };
  }

  createFile(path: string): WriteHandle {
    const file = new MemoryFile();
    this.#addName(path, file, 'open');
    return {
      write: (...parts) => {
        for (const part of parts) file.append(part);
      },
      sync: () => file.sync(),
      close: () => {},
    };
  }

  appendFile(path: string, bytes: Uint8Array): void {
    if (this.#find(path) === undefined) this.#addName(path, new MemoryFile(), 'open');
    this.#file(path, 'open').append(bytes);
  }

  overwriteFile(path: string, bytes: Uint8Array): void {
    const file = this.#file(path, 'open');
    file.overwrite(bytes);
    file.sync();
  }

  syncFile(path: string): void {
    this.#file(path, 'open').sync();
  }

  createFolder(path: string): void {
    this.#addName(path, new MemoryFolder(), 'mkdir');
  }

  removeFolder(path: string): void {
    if (this.#folder(path, 'rmdir').names.size > 0) throw new StoreError('ENOTEMPTY', 'rmdir', path);
    // The root has no parent to be removed from: it stays, empty.
    if (path === '') return;
    const { parent, name } = this.#split(path, 'rmdir');
    parent.change([[name, undefined]]);
  }

  removeFile(path: string): void {
    const file = this.#file(path, 'unlink');
    const { parent, name } = this.#split(path, 'unlink');
    parent.change([[name, undefined]]);
    file.linkCount--;
  }

  rename(from: string, to: string): void {
    const source = this.#split(from, 'rename');
    const target = this.#split(to, 'rename');
    const node = source.parent.names.get(source.name);
    const replaced = target.parent.names.get(target.name);
    if (node === undefined) throw new StoreError('ENOENT', 'rename', from);
    if (replaced === node) return;
    if (replaced?.kind === 'folder') {
      if (node.kind === 'file') throw new StoreError('EISDIR', 'rename', to);
      if (replaced.names.size > 0) throw new StoreError('ENOTEMPTY', 'rename', to);
    } else if (replaced !== undefined) {
      if (node.kind === 'folder') throw new StoreError('ENOTDIR', 'rename', to);
      replaced.linkCount--;
    }
    if (source.parent === target.parent) {
      source.parent.change([
        [source.name, undefined],
        [target.name, node],
      ]);
      return;
    }
    target.parent.change([[target.name, node]]);
    source.parent.change([[source.name, undefined]]);
  }

  link(existing: string, path: string): void {
    const file = this.#file(existing, 'link');
    this.#addName(path, file, 'link');
    file.linkCount++;
  }

  syncFolder(path: string): void {
    this.#folder(path, 'open').sync();
  }

  freeSpaceBytes(): number | undefined {
    return this.freeBytes;
  }

  #find(path: string): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.#rootFolder;
    if (path === '') return node;
    for (const part of path.split('/')) {
      if (node?.kind !== 'folder') return undefined;
      node = node.names.get(part);
    }
    return node;
  }

  #file(path: string, syscall: string): MemoryFile {
    const node = this.#find(path);
    if (node === undefined) throw new StoreError('ENOENT', syscall, path);
    if (node.kind !== 'file') throw new StoreError('EISDIR', syscall, path);
    return node;
  }

  #folder(path: string, syscall: string): MemoryFolder {
    const node = this.#find(path);
    if (node === undefined) throw new StoreError('ENOENT', syscall, path);
    if (node.kind !== 'folder') throw new StoreError('ENOTDIR', syscall, path);
    return node;
  }

  #split(path: string, syscall: string): { parent: MemoryFolder; name: string } {
    const slash = path.lastIndexOf('/');
    return {
      parent: this.#folder(slash < 0 ? '' : path.slice(0, slash), syscall),
      name: path.slice(slash + 1),
    };
  }

  #addName(path: string, node: MemoryNode, syscall: string): void {
    if (path === '') throw new StoreError('EEXIST', syscall, path);
    const { parent, name } = this.#split(path, syscall);
    if (parent.names.has(name)) throw new StoreError('EEXIST', syscall, path);
    parent.change([[name, node]]);
  }
}
