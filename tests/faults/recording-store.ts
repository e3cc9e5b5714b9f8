/** A store that writes down each change that is made to it, and the same changes done again up to any point. */
import type { CrashPolicy } from '../../src/store/memory-node.ts';
import { KEEP_UNSYNCED, type MemoryStore } from '../../src/store/memory-store.ts';
import type { ReadHandle, Store, StoreEntry, StoreStat, WriteHandle } from '../../src/store/store.ts';
import type { Random } from '../random.ts';

export type Change =
  | { readonly kind: 'create' | 'close' | 'sync'; readonly path: string; readonly handle: number }
  | { readonly kind: 'write'; readonly path: string; readonly handle: number; readonly bytes: Uint8Array }
  | { readonly kind: 'append' | 'overwrite'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'sync-file' | 'sync-folder' | 'mkdir' | 'rmdir' | 'remove'; readonly path: string }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly path: string };

export class RecordingStore implements Store {
  readonly root: string;
  readonly changes: Change[] = [];
  readonly #inner: Store;
  #handles = 0;

  constructor(inner: Store) {
    this.#inner = inner;
    this.root = inner.root;
  }

  list(folder: string): StoreEntry[] {
    return this.#inner.list(folder);
  }

  stat(path: string): StoreStat | undefined {
    return this.#inner.stat(path);
  }

  openFile(path: string): ReadHandle {
    return this.#inner.openFile(path);
  }

  freeSpaceBytes(): number | undefined {
    return this.#inner.freeSpaceBytes();
  }

  createFile(path: string): WriteHandle {
    const inner = this.#inner.createFile(path);
    const handle = this.#handles++;
    this.changes.push({ kind: 'create', path, handle });
    return {
      write: (...parts) => {
        inner.write(...parts);
        this.changes.push({ kind: 'write', path, handle, bytes: Buffer.concat(parts) });
      },
      sync: () => {
        inner.sync();
        this.changes.push({ kind: 'sync', path, handle });
      },
      close: () => {
        inner.close();
        this.changes.push({ kind: 'close', path, handle });
      },
    };
  }

  appendFile(path: string, bytes: Uint8Array): void {
    this.#inner.appendFile(path, bytes);
    this.changes.push({ kind: 'append', path, bytes: bytes.slice() });
  }

  overwriteFile(path: string, bytes: Uint8Array): void {
    this.#inner.overwriteFile(path, bytes);
    this.changes.push({ kind: 'overwrite', path, bytes: bytes.slice() });
  }

  syncFile(path: string): void {
    this.#inner.syncFile(path);
    this.changes.push({ kind: 'sync-file', path });
  }

  createFolder(path: string): void {
    this.#inner.createFolder(path);
    this.changes.push({ kind: 'mkdir', path });
  }

  removeFolder(path: string): void {
    this.#inner.removeFolder(path);
    this.changes.push({ kind: 'rmdir', path });
  }

  removeFile(path: string): void {
    this.#inner.removeFile(path);
    this.changes.push({ kind: 'remove', path });
  }

  rename(from: string, path: string): void {
    this.#inner.rename(from, path);
    this.changes.push({ kind: 'rename', from, path });
  }

  link(from: string, path: string): void {
    this.#inner.link(from, path);
    this.changes.push({ kind: 'link', from, path });
  }

  syncFolder(path: string): void {
    this.#inner.syncFolder(path);
    this.changes.push({ kind: 'sync-folder', path });
  }
}

const BLOCK_BYTES = 512;

/** Does recorded changes again, on a copy of what they were done to. */
export class Replay {
  readonly #store: MemoryStore;
  readonly #changes: readonly Change[];
  readonly #handles = new Map<number, WriteHandle>();
  #done = 0;
  /** Bytes of the next change that are written already. */
  #written = 0;

  constructor(base: MemoryStore, changes: readonly Change[]) {
    this.#store = base.afterCrash(KEEP_UNSYNCED);
    this.#changes = changes;
  }

  /** Goes forward until so many changes are done. */
  advanceTo(count: number): void {
    while (this.#done < count) {
      this.#apply(this.#changes[this.#done]!);
      this.#done += 1;
      this.#written = 0;
    }
  }

  /** Does a part of the next change, if it has parts. */
  begin(random: Random): void {
    const next = this.#changes[this.#done];
    if (next === undefined || !('bytes' in next) || this.#written > 0) return;
    if (next.kind === 'overwrite') {
      this.#store.overwriteFile(next.path, this.#halfOverwritten(next.path, next.bytes, random));
      return;
    }
    this.#written = random.integer(next.bytes.length + 1);
    this.#append(next, next.bytes.subarray(0, this.#written));
  }

  /** What a power failure now would leave. */
  crash(policy: CrashPolicy): MemoryStore {
    return this.#store.afterCrash(policy);
  }

  /** Old and new bytes, by blocks. */
  #halfOverwritten(path: string, bytes: Uint8Array, random: Random): Uint8Array {
    const mixed = bytes.slice();
    const old = new Uint8Array(bytes.length);
    this.#store.openFile(path).read(old, 0);
    for (let at = 0; at < mixed.length; at += BLOCK_BYTES) {
      if (random.next() < 0.5) mixed.set(old.subarray(at, at + BLOCK_BYTES), at);
    }
    return mixed;
  }

  #append(change: Change & { bytes: Uint8Array }, bytes: Uint8Array): void {
    if (change.kind === 'write') this.#handles.get(change.handle)!.write(bytes);
    else this.#store.appendFile(change.path, bytes);
  }

  #apply(change: Change): void {
    const store = this.#store;
    switch (change.kind) {
      case 'create':
        this.#handles.set(change.handle, store.createFile(change.path));
        return;
      case 'write':
      case 'append':
        return this.#append(change, change.bytes.subarray(this.#written));
      case 'overwrite':
        return store.overwriteFile(change.path, change.bytes);
      case 'sync':
        return this.#handles.get(change.handle)!.sync();
      case 'close':
        return this.#handles.get(change.handle)!.close();
      case 'sync-file':
        return store.syncFile(change.path);
      case 'sync-folder':
        return store.syncFolder(change.path);
      case 'mkdir':
        return store.createFolder(change.path);
      case 'rmdir':
        return store.removeFolder(change.path);
      case 'remove':
        return store.removeFile(change.path);
      case 'rename':
        return store.rename(change.from, change.path);
      case 'link':
        return store.link(change.from, change.path);
    }
  }
}
