/**
 * The state of a repository, loaded when it is first asked for, and the transaction that changes it.
 *
 * The log alone decides what was committed. The index and the hints on disk may lag behind it, after a crash between
 * the COMMIT and writing them, or be damaged: then the log is followed from where they are, or from its start.
 *
 * Source: Borg 1.4.5 repository.py, check_transaction, prepare_txn, open_index, replay_segments.
 */
import { CheckNeeded, FileIntegrityError } from '../errors.ts';
import { HintsError, emptyHints } from '../format/hints.ts';
import type { Hints } from '../format/hints.ts';
import { IndexFileError } from '../format/index-file.ts';
import { MAGIC_SIZE_BYTES } from '../format/segment.ts';
import { describeOsError } from '../platform/os-error.ts';
import { hasCode, isReadError } from '../store/store.ts';
import { FileTooLargeError } from '../store/whole-file.ts';
import type { HashIndex } from '../util/hash-index.ts';
import type { Reporter } from '../util/reporter.ts';
import { emptyState, followLog, recountSparse } from './replay.ts';
import type { RepositoryState } from './replay.ts';
import type { SegmentLog } from './segment-log.ts';
import type { TransactionFiles } from './transaction-files.ts';

export interface CommittedStateOptions {
  readonly log: SegmentLog;
  readonly files: TransactionFiles;
  readonly reporter: Reporter;
  /** The repository's path, for messages. */
  readonly path: string;
  /** False where no lock is held: then nothing may be written, not even a rebuilt index. */
  readonly mayWrite: boolean;
  /** The index is for other threads too. */
  readonly sharedIndex: boolean;
  /** Gets the exclusive lock, if need be by upgrading a shared one; says whether it was upgraded. */
  readonly lockExclusively: () => Promise<boolean>;
  readonly downgradeLock: () => Promise<void>;
}

export class CommittedState {
  readonly #options: CommittedStateOptions;
  /** As of `#transactionId`, or as a running transaction has changed them. A reader has no hints. */
  #index: HashIndex | undefined;
  #hints: Hints | undefined;
  #transactionId: number | undefined;
  /** All segments of a repository without a COMMIT were written by us. */
  #startedEmpty = false;

  constructor(options: CommittedStateOptions) {
    this.#options = options;
  }

  /** The index, if it is loaded. */
  get loadedIndex(): HashIndex | undefined {
    return this.#index;
  }

  /** The hints, if they are loaded; a transaction loads them. */
  get loadedHints(): Hints | undefined {
    return this.#hints;
  }

  /** The transaction that the loaded state is of; undefined where nothing was committed. */
  get transactionId(): number | undefined {
    return this.#transactionId;
  }

  /** The index as of the last commit, or as the running transaction has changed it. */
  async index(): Promise<HashIndex> {
    if (this.#index === undefined) await this.#load(false);
    return this.#index!;
  }

  /**
   * Gets ready for writing: has the lock, removes what an earlier transaction left uncommitted. The state is then the
   * caller's to change, until `committed()` or `forget()`.
   */
  async begin(): Promise<{ state: RepositoryState; transactionId: number | undefined }> {
    const { log, mayWrite, path, lockExclusively } = this.#options;
    if (!mayWrite) throw new Error('a repository that was opened without a lock can only be read');
    await lockExclusively();
    if (this.#index === undefined || this.#hints === undefined) await this.#load(true);
    const index = this.#index!;
    const hints = this.#hints!;
    const transactionId = this.#transactionId;
    if (transactionId === undefined && !this.#startedEmpty) {
      // Without any COMMIT, nobody can tell the remains of a first transaction from those of a damaged repository.
      for (const segment of log.files.ascending()) {
        if ((log.files.sizeBytes(segment) ?? 0) > MAGIC_SIZE_BYTES) throw new CheckNeeded([path]);
      }
      this.#startedEmpty = true;
    }
    log.removeUncommitted(transactionId);
    const last = transactionId ?? -1;
    for (const [key, segments] of hints.shadowIndex) {
      if (segments.some((segment) => segment > last)) {
        hints.shadowIndex.set(
          key,
          segments.filter((segment) => segment <= last),
        );
      }
    }
    return { state: { index, hints }, transactionId };
  }

  /** Records that the state is that of this transaction, on disk too. */
  committed(transactionId: number): void {
    this.#transactionId = transactionId;
  }

  /** Has readers go by this index, until `forget()`; writers go by what is committed. */
  readAs(index: HashIndex): void {
    this.forget();
    this.#index = index;
  }

  /** Forgets the state; it is read again when needed. */
  forget(): void {
    this.#index = undefined;
    this.#hints = undefined;
    this.#transactionId = undefined;
  }

  async #load(withHints: boolean): Promise<void> {
    const { files, log, path } = this.#options;
    const unusable = new Set<number>();
    for (;;) {
      const indexed = files.latest(unusable);
      const committed = log.lastCommitted();
      if (committed === undefined && (indexed !== undefined || unusable.size > 0)) {
        // An index without any COMMIT: the log lost what the index was made from.
        throw new CheckNeeded([`${path}" - although likely this is "beyond repair`]);
      }
      // Damage within the last committed segment: going on with the one before would remove what it committed.
      if (this.#hasDamagedCommitAfter(committed)) throw new CheckNeeded([path]);
      if (committed === undefined || indexed === committed) {
        const state = committed === undefined ? emptyState() : this.#read(committed, withHints);
        if (state === undefined) unusable.add(committed!);
        else return this.#take(committed, state);
        continue;
      }
      const isAhead = indexed !== undefined && indexed > committed;
      // A COMMIT that the index knows of is damaged: going on without it would remove what it committed. Where those
      // segments are gone altogether, an administrator has gone back to an earlier state; or they were lost.
      if (isAhead && this.#hasSegmentsAfter(committed)) throw new CheckNeeded([path]);
      if (isAhead) {
        this.#warn(
          `The segments of the last transaction (${indexed}) are missing: going back to transaction ${committed}`,
        );
      }
      const from = isAhead ? undefined : indexed;
      const base = from === undefined ? emptyState() : this.#read(from, true);
      if (base === undefined) unusable.add(from!);
      else return this.#replay(from, committed, { index: base.index, hints: base.hints! });
    }
  }

  #hasDamagedCommitAfter(committed: number | undefined): boolean {
    const { log } = this.#options;
    for (const segment of log.files.descending()) {
      if (segment <= (committed ?? -1)) return false;
      if (log.isDamagedAndCommitted(segment)) return true;
    }
    return false;
  }

  #hasSegmentsAfter(segment: number): boolean {
    const { files } = this.#options.log;
    for (const later of files.ascending(segment + 1)) if (files.exists(later)) return true;
    return false;
  }

  #take(transactionId: number | undefined, state: { index: HashIndex; hints?: Hints | undefined }): void {
    this.#transactionId = transactionId;
    this.#index = state.index;
    this.#hints = state.hints;
  }

  /** Undefined where a file is missing or damaged: it was removed, so that a later start won't stumble over it. */
  #read(transactionId: number, withHints: boolean): { index: HashIndex; hints?: Hints } | undefined {
    const { files, mayWrite, sharedIndex } = this.#options;
    let index: HashIndex;
    try {
      index = files.readIndex(transactionId, sharedIndex);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#warn(`Repository index missing or corrupted, trying to recover from: ${describeOsError(error)}`);
      if (mayWrite) files.remove('index', transactionId);
      return undefined;
    }
    if (!withHints) return { index };
    try {
      return { index, hints: this.#readHints(transactionId, index) };
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#warn(`Repository hints file missing or corrupted, trying to recover: ${describeOsError(error)}`);
      if (mayWrite) {
        files.remove('hints', transactionId);
        files.remove('index', transactionId);
      }
      return undefined;
    }
  }

  #readHints(transactionId: number, index: HashIndex): Hints {
    const { files, log, reporter } = this.#options;
    const hints = files.readHints(transactionId);
    if (!('version' in hints) || hints.version !== 1) return hints as Hints;
    reporter.log('debug', `Upgrading from v1 hints.${transactionId}`, { logger: 'borg.repository' });
    const upgraded: Hints = { ...emptyHints(), segments: hints.segments };
    for (const segment of hints.sparse.toSorted((a, b) => a - b)) {
      recountSparse({ index, hints: upgraded }, log, segment);
    }
    return upgraded;
  }

  async #replay(from: number | undefined, to: number, state: RepositoryState): Promise<void> {
    const { downgradeLock, files, lockExclusively, log, mayWrite, reporter } = this.#options;
    const upgraded = mayWrite && (await lockExclusively());
    try {
      this.#warn('Replaying segments. Please wait, this can take a while...');
      await followLog(state, log, { after: from, upTo: to }, reporter);
      if (mayWrite) {
        // Whoever wrote the COMMIT may have been killed before it was durable, and the index must not be ahead of it.
        log.files.sync(to);
        files.write(to, state.index, state.hints);
      }
      this.#take(to, state);
    } finally {
      if (upgraded) await downgradeLock();
    }
  }

  #warn(message: string): void {
    this.#options.reporter.log('warning', message, { logger: 'borg.repository' });
  }
}

/** Errors that say that a file can't be used, and not that the permissions are at fault. */
function isDamage(error: unknown): boolean {
  return (
    error instanceof FileIntegrityError ||
    error instanceof IndexFileError ||
    error instanceof HintsError ||
    error instanceof FileTooLargeError ||
    isReadError(error) ||
    hasCode(error, 'ENOENT')
  );
}
