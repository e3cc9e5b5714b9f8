/**
 * The lock that one holder has at a time: a folder `<name>.exclusive` with a file named after the holder. The folder
 * is made beside it with the file in it and renamed, which fails where there is one already that is not empty.
 *
 * Source: Borg 1.4.5 locking.py, ExclusiveLock.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockFailed, LockTimeout, NotLocked, NotMyLock } from '../errors.ts';
import { decodeLockName, encodeLockName } from '../format/lock-roster.ts';
import type { LockOwner } from '../format/lock-roster.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { Reporter } from '../util/reporter.ts';

export interface LockIdentity {
  /** Who we are. */
  readonly owner: LockOwner;
  /** False only where the process is known to be gone. */
  isAlive(owner: LockOwner): boolean;
}

/** Between two tries. Borg waits up to a minute, and so is mostly too late. */
const LONGEST_PAUSE_MS = 200;

/** Locks held by this process, whose file names can't tell its own holders apart. */
const held = new Map<string, ExclusiveLock>();

export class ExclusiveLock {
  readonly path: string;
  readonly #store: Store;
  readonly #folder: string;
  readonly #identity: LockIdentity;
  readonly #reporter: Reporter;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  /** `timeoutMs` may be Infinity. */
  constructor(
    store: Store,
    folder: string,
    options: {
      identity: LockIdentity;
      reporter: Reporter;
      timeoutMs: number;
      signal?: AbortSignal | undefined;
    },
  ) {
    this.path = `${store.root}/${folder}`;
    this.#store = store;
    this.#folder = folder;
    this.#identity = options.identity;
    this.#reporter = options.reporter;
    this.#timeoutMs = options.timeoutMs;
    this.#signal = options.signal;
  }

  /** Waits for the lock; throws LockTimeout, or LockFailed where the folder can't be written. */
  async acquire(): Promise<void> {
    const unique = encodeLockName(this.#identity.owner);
    const temporary = `${this.#folder}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      this.#store.createFolder(temporary);
      this.#store.createFile(`${temporary}/${unique}`).close();
    } catch (error) {
      this.#removeFolder(temporary);
      throw new LockFailed([this.path, (error as Error).message], error);
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, this.#timeoutMs / 10);
    const endMs = performance.now() + this.#timeoutMs;
    let renamed = false;
    let isRetry = false;
    try {
      for (;;) {
        if (this.#isHeldHere()) return;
        if (!held.has(this.path)) {
          renamed = this.#tryRename(temporary);
          // A file with our name that nobody here made is from a process that had our number before us.
          if (renamed || this.#byUs()) {
            held.set(this.path, this);
            return;
          }
          // Not for ever: the rename may have failed for a reason of its own.
          isRetry = !isRetry && this.removeStale();
          if (isRetry) continue;
        }
        if (performance.now() >= endMs) throw new LockTimeout([this.path]);
        await sleep(pauseMs, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
      }
    } finally {
      if (!renamed) this.#removeFolder(temporary);
    }
  }

  release(): void {
    if (this.#store.stat(this.#folder) === undefined) {
      this.#unhold();
      throw new NotLocked([this.path]);
    }
    if (!this.#byUs()) {
      this.#unhold();
      throw new NotMyLock([this.path]);
    }
    this.#unhold();
    this.#store.removeFile(`${this.#folder}/${encodeLockName(this.#identity.owner)}`);
    try {
      this.#store.removeFolder(this.#folder);
    } catch (error) {
      // Someone else was faster and has the lock now, or has removed the folder.
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
    }
  }

  /** Whether this very lock is held. */
  get isHeld(): boolean {
    return this.#isHeldHere() && this.#byUs();
  }

  /** Removes the lock whoever holds it. */
  break(): void {
    held.delete(this.path);
    if (this.#store.stat(this.#folder) === undefined) return;
    this.#removeFolder(this.#folder);
  }

  /** Removes a lock whose holder is gone; says whether there is none any more. */
  removeStale(): boolean {
    let names: string[];
    try {
      names = this.#store.list(this.#folder).map(({ name }) => name);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return true;
      throw error;
    }
    for (const name of names) {
      const owner = decodeLockName(name);
      if (owner === undefined) {
        this.#say('error', `Found malformed lock ${name} in ${this.path}. Please check/fix manually.`);
        return false;
      }
      if (this.#identity.isAlive(owner)) return false;
      try {
        this.#store.removeFile(`${this.#folder}/${name}`);
      } catch (error) {
        this.#say('error', `Found stale lock ${name}, but cannot delete due to ${(error as Error).message}`);
        return false;
      }
      this.#say('warning', `Killed stale lock ${name}.`);
    }
    try {
      this.#store.removeFolder(this.#folder);
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) {
        this.#say('error', `Failed to remove lock dir: ${(error as Error).message}`);
      }
      return false;
    }
    return true;
  }

  #tryRename(temporary: string): boolean {
    try {
      this.#store.rename(temporary, this.#folder);
      return true;
    } catch (error) {
      if (!hasCode(error)) throw error;
      return false;
    }
  }

  #byUs(): boolean {
    return this.#store.stat(`${this.#folder}/${encodeLockName(this.#identity.owner)}`) !== undefined;
  }

  #isHeldHere(): boolean {
    return held.get(this.path) === this;
  }

  #unhold(): void {
    if (this.#isHeldHere()) held.delete(this.path);
  }

  #removeFolder(folder: string): void {
    try {
      for (const { name } of this.#store.list(folder)) this.#store.removeFile(`${folder}/${name}`);
      this.#store.removeFolder(folder);
    } catch (error) {
      if (!hasCode(error)) throw error;
    }
  }

  #say(level: 'warning' | 'error', message: string): void {
    this.#reporter.log(level, message, { logger: 'borg.locking' });
  }
}
