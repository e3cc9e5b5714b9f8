/**
 * A lock on a resource that many may read at once, or one may write: on a repository, or on a cache. It consists of
 * `<name>.exclusive`, held by a writer all the time and by readers while they sign in or out, and `<name>.roster`.
 *
 * Source: Borg 1.4.5 locking.py, Lock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LockTimeout } from '../errors.ts';
import { encodeLockName } from '../format/lock-roster.ts';
import type { LockMode } from '../format/lock-roster.ts';
import type { Store } from '../store/store.ts';
import type { Reporter } from '../util/reporter.ts';
import { ExclusiveLock } from './exclusive-lock.ts';
import type { LockIdentity } from './exclusive-lock.ts';
import { LockRosterFile } from './lock-roster-file.ts';

export interface LockOptions {
  readonly exclusive?: boolean;
  /** How long to wait for others, Infinity for ever. Default 1. */
  readonly timeoutSeconds?: number | undefined;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
  readonly identity: LockIdentity;
}

/** Pause between two looks at whether the readers are gone. */
const READERS_PAUSE_MS = 200;

/** Locks held in this process by mode, owner and path: the roster has only one entry for all of them. */
const holders = new Map<string, number>();

export class Lock {
  readonly #path: string;
  /** Owner and path. */
  readonly #holder: string;
  readonly #exclusiveLock: ExclusiveLock;
  readonly #roster: LockRosterFile;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  #mode: LockMode;
  #held = false;

  /** `name` is usually `lock`; the store's root is the folder to lock. */
  constructor(store: Store, name: string, options: LockOptions) {
    const { timeoutSeconds = 1, identity, reporter, signal } = options;
    if (!(timeoutSeconds >= 0)) throw new RangeError(`timeout must be >= 0: ${timeoutSeconds}`);
    this.#path = `${store.root}/${name}`;
    this.#holder = `${encodeLockName(identity.owner)} ${this.#path}`;
    this.#timeoutMs = 1000 * timeoutSeconds;
    this.#signal = signal;
    this.#mode = options.exclusive === true ? 'exclusive' : 'shared';
    this.#exclusiveLock = new ExclusiveLock(store, `${name}.exclusive`, {
      identity,
      reporter,
      timeoutMs: this.#timeoutMs,
      signal,
    });
    this.#roster = new LockRosterFile(store, `${name}.roster`, { identity, reporter });
  }

  /** Waits for the lock; throws LockTimeout or LockFailed. */
  async acquire(): Promise<this> {
    if (this.#mode === 'exclusive') await this.#acquireExclusive(undefined);
    else await this.#acquireShared(undefined);
    this.#held = true;
    return this;
  }

  async release(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    if (this.#mode === 'exclusive') {
      try {
        this.#signOut('exclusive');
      } finally {
        this.#exclusiveLock.release();
      }
      return;
    }
    await this.#exclusiveLock.acquire();
    try {
      this.#signOut('shared');
    } finally {
      this.#exclusiveLock.release();
    }
  }

  /** From shared to exclusive, once all other readers are gone. Two that wait for each other time out. */
  async upgrade(): Promise<void> {
    if (this.#mode === 'exclusive') return;
    await this.#acquireExclusive('shared');
    this.#mode = 'exclusive';
  }

  async downgrade(): Promise<void> {
    if (this.#mode === 'shared') return;
    await this.#acquireShared('exclusive');
    this.#mode = 'shared';
  }

  /** How the lock is held, or will be. */
  get mode(): LockMode {
    return this.#mode;
  }

  /** Whether the lock is held exclusively, going by the file system: someone may have broken it. */
  get isExclusive(): boolean {
    return this.#held && this.#mode === 'exclusive' && this.#exclusiveLock.isHeld;
  }

  /** Removes all locks on the resource, whoever holds them. */
  break(): void {
    this.#roster.clear();
    this.#exclusiveLock.break();
    for (const mode of ['shared', 'exclusive']) holders.delete(`${mode} ${this.#holder}`);
  }

  async #acquireShared(leave: LockMode | undefined): Promise<void> {
    await this.#exclusiveLock.acquire();
    try {
      if (leave !== undefined) this.#signOut(leave);
      this.#signIn('shared');
    } finally {
      this.#exclusiveLock.release();
    }
  }

  async #acquireExclusive(leave: LockMode | undefined): Promise<void> {
    const endMs = performance.now() + this.#timeoutMs;
    for (;;) {
      await this.#exclusiveLock.acquire();
      let isDone = false;
      try {
        if (leave !== undefined) this.#signOut(leave);
        const isAlone = this.#roster.owners('shared').length === 0;
        if (isAlone) this.#signIn('exclusive');
        else if (leave !== undefined) this.#signIn(leave);
        isDone = isAlone;
      } finally {
        if (!isDone) this.#exclusiveLock.release();
      }
      if (isDone) return;
      if (performance.now() >= endMs) throw new LockTimeout([this.#path]);
      await sleep(READERS_PAUSE_MS, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    }
  }

  #signIn(mode: LockMode): void {
    const key = `${mode} ${this.#holder}`;
    this.#roster.add(mode);
    holders.set(key, (holders.get(key) ?? 0) + 1);
  }

  #signOut(mode: LockMode): void {
    const key = `${mode} ${this.#holder}`;
    const others = (holders.get(key) ?? 1) - 1;
    if (others > 0) {
      holders.set(key, others);
      return;
    }
    holders.delete(key);
    this.#roster.remove(mode);
  }
}
