/**
 * `<name>.roster`: who uses the resource, shared or exclusively. Read and changed only while the exclusive lock is
 * held. Owners on this host whose process is gone are dropped.
 *
 * Source: Borg 1.4.5 locking.py, LockRoster.
 */
import { randomBytes } from 'node:crypto';
import { decodeLockRoster, encodeLockRoster } from '../format/lock-roster.ts';
import type { LockMode, LockOwner, LockRoster } from '../format/lock-roster.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { readWholeFile } from '../store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../util/bytes.ts';
import type { Reporter } from '../util/reporter.ts';
import type { LockIdentity } from './exclusive-lock.ts';

const MAX_SIZE_BYTES = 16 * 1024 * 1024;

export class LockRosterFile {
  readonly #store: Store;
  readonly #path: string;
  readonly #identity: LockIdentity;
  readonly #reporter: Reporter;
  /** The roster is read more than once before the dead are gone from it. */
  readonly #reported = new Set<string>();

  constructor(store: Store, path: string, options: { identity: LockIdentity; reporter: Reporter }) {
    this.#store = store;
    this.#path = path;
    this.#identity = options.identity;
    this.#reporter = options.reporter;
  }

  owners(mode: LockMode): readonly LockOwner[] {
    return this.#load()[mode];
  }

  add(mode: LockMode): void {
    const roster = this.#load();
    if (roster[mode].some((owner) => this.#isUs(owner))) return;
    this.#save({ ...roster, [mode]: [...roster[mode], this.#identity.owner] });
  }

  /** Removing what is not there is no error. The file goes with its last owner. */
  remove(mode: LockMode): void {
    const roster = this.#load();
    this.#save({ ...roster, [mode]: roster[mode].filter((owner) => !this.#isUs(owner)) });
  }

  /** Removes the file, with all owners. */
  clear(): void {
    try {
      this.#store.removeFile(this.#path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  #load(): LockRoster {
    let text: string;
    try {
      text = toUtf8Lossy(readWholeFile(this.#store, this.#path, MAX_SIZE_BYTES));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return { shared: [], exclusive: [] };
      throw error;
    }
    const roster = decodeLockRoster(text);
    return { shared: this.#alive('shared', roster), exclusive: this.#alive('exclusive', roster) };
  }

  #alive(mode: LockMode, roster: LockRoster): LockOwner[] {
    return roster[mode].filter((owner) => {
      if (this.#identity.isAlive(owner)) return true;
      const { host, pid, thread } = owner;
      const message = `Removed stale ${mode} roster lock for host ${host} pid ${pid} thread ${thread}.`;
      if (!this.#reported.has(message)) this.#reporter.log('warning', message, { logger: 'borg.locking' });
      this.#reported.add(message);
      return false;
    });
  }

  #save(roster: LockRoster): void {
    if (roster.shared.length === 0 && roster.exclusive.length === 0) return this.clear();
    // Renamed into place, so that a crash can't leave half a roster, which would count as an empty one.
    const temporary = `${this.#path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const file = this.#store.createFile(temporary);
      try {
        file.write(fromUtf8(encodeLockRoster(roster)));
      } finally {
        file.close();
      }
      this.#store.rename(temporary, this.#path);
    } catch (error) {
      if (this.#store.stat(temporary) !== undefined) this.#store.removeFile(temporary);
      throw error;
    }
  }

  #isUs({ host, pid, thread }: LockOwner): boolean {
    const { owner } = this.#identity;
    return host === owner.host && pid === owner.pid && thread === owner.thread;
  }
}
