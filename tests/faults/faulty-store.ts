/** A store that counts what is done to it, and fails or "crashes" at a chosen operation. */
import { StoreError } from '../../src/store/store.ts';
import type { ReadHandle, Store, StoreEntry, StoreStat, WriteHandle } from '../../src/store/store.ts';

/** The machine is down: nothing works any more. Not an error of the file system, so nothing handles it. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

export interface Fault {
  /** Number of the changing operation that goes wrong, from 0. */
  at: number;
  /** `crash`: neither it nor any later operation happens. Otherwise the code of the error that it throws, once. */
  kind: 'crash' | 'ENOSPC' | 'EIO';
  /** How many bytes of a write get through. */
  chooseWritten?: (limit: number) => number;
}

export class FaultyStore implements Store {
  readonly root: string;
  /** Every changing operation, and its path. */
  readonly operations: string[] = [];
  fault: Fault | undefined;
  #inner: Store;
  #crashed = false;

  constructor(inner: Store, fault?: Fault) {
    this.#inner = inner;
    this.root = inner.root;
    this.fault = fault;
  }

  get hasCrashed(): boolean {
    return this.#crashed;
  }

  list(folder: string): StoreEntry[] {
    return this.#running().list(folder);
  }

  stat(path: string): StoreStat | undefined {
    return this.#running().stat(path);
  }

  openFile(path: string): ReadHandle {
    const handle = this.#running().openFile(path);
    return {
      read: (into, position) => {
        this.#running();
        return handle.read(into, position);
      },
      sizeBytes: () => handle.sizeBytes(),
      close: () => handle.close(),
    };
  }

  createFile(path: string): WriteHandle {
    const handle = this.#change('create', path, (inner) => inner.createFile(path));
    return {
      write: (...parts) => {
        const whole = Buffer.concat(parts);
        const write = () => handle.write(...parts);
        this.#change('write', path, write, (fault) => {
          handle.write(whole.subarray(0, fault.chooseWritten?.(whole.length) ?? 0));
        });
      },
      sync: () => this.#change('sync', path, () => handle.sync()),
      close: () => handle.close(),
    };
  }

  appendFile(path: string, bytes: Uint8Array): void {
    this.#change('append', path, (inner) => inner.appendFile(path, bytes));
  }

  overwriteFile(path: string, bytes: Uint8Array): void {
    this.#change('overwrite', path, (inner) => inner.overwriteFile(path, bytes));
  }

  syncFile(path: string): void {
    this.#change('sync', path, (inner) => inner.syncFile(path));
  }

  createFolder(path: string): void {
    this.#change('mkdir', path, (inner) => inner.createFolder(path));
  }

  removeFolder(path: string): void {
    this.#change('rmdir', path, (inner) => inner.removeFolder(path));
  }

  removeFile(path: string): void {
    this.#change('remove', path, (inner) => inner.removeFile(path));
  }

  rename(from: string, to: string): void {
    this.#change('rename', to, (inner) => inner.rename(from, to));
  }

  link(existing: string, path: string): void {
    this.#change('link', path, (inner) => inner.link(existing, path));
  }

  syncFolder(path: string): void {
    this.#change('sync-folder', path, (inner) => inner.syncFolder(path));
  }

  freeSpaceBytes(): number | undefined {
    return this.#running().freeSpaceBytes();
  }

  #running(): Store {
    if (this.#crashed) throw new CrashError('the machine is down');
    return this.#inner;
  }

  #change<T>(name: string, path: string, work: (inner: Store) => T, onFault?: (fault: Fault) => void): T {
    const inner = this.#running();
    const number = this.operations.push(`${name} ${path}`) - 1;
    if (this.fault?.at !== number) return work(inner);
    onFault?.(this.fault);
    if (this.fault.kind !== 'crash') throw new StoreError(this.fault.kind, name, path);
    this.#crashed = true;
    throw new CrashError(`crash at operation ${number}: ${name} ${path}`);
  }
}
