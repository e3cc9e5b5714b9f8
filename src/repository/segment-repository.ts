/**
 * The repository engine of Borg 1: a log of segments, an index over it, one writer at a time.
 *
 * Source: Borg 1.4.5 repository.py, Repository.
 */
import { AtticRepository, InsufficientFreeSpaceError } from '../errors.ts';
import type { Hints } from '../format/hints.ts';
import type { RepositoryConfig } from '../format/repository-config.ts';
import type { Store } from '../store/store.ts';
import { batches } from '../util/batches.ts';
import { toHex } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import type { HashIndex } from '../util/hash-index.ts';
import type { ExpectedObject, PutPlace, Sealed, SealedStretch } from '../util/sealed.ts';
import { isAttic } from './attic-magic.ts';
import type { BesideCheck } from './check/beside-check.ts';
import { ReadingBeside } from './check/reading-beside.ts';
import { checkRepository } from './check/repository-check.ts';
import type { RepositoryCheckOptions, RepositoryCheckResult } from './check-result.ts';
import { saveConfig } from './config-file.ts';
import { removeTree } from './destroy.ts';
import { IndexedObjects, type ObjectsReader } from './indexed-objects.ts';
import type { Lock } from './lock.ts';
import { CommittedState } from './committed-state.ts';
import { readFreeNonce, reserveNonces } from './nonce-file.ts';
import { dropQuarantine, listQuarantine } from './quarantine.ts';
import type { QuarantinedRepair } from './quarantine.ts';
import type { CommitOptions, Repository } from './repository.ts';
import { scanEntries, scanObjects, type ScanLimits, type ScannedDamage, type ScannedEntry } from './scan.ts';
import { sealedStretches } from './sealed-stretches.ts';
import { SegmentFiles } from './segment-files.ts';
import { SegmentLog } from './segment-log.ts';
import { Transaction } from './transaction.ts';
import { TransactionFiles } from './transaction-files.ts';

export interface SegmentRepositoryOptions {
  readonly store: Store;
  readonly config: RepositoryConfig;
  /** The lock that is held; none for a reader who goes without. */
  readonly lock: Lock | undefined;
  /** Removes all locks, whoever holds them. */
  readonly breakLock: () => void;
  readonly location: string;
  readonly appendOnly: boolean;
  readonly storageQuotaBytes: number;
  /** Just made: where there is too little space for the first commit, the repository is removed again. */
  readonly created: boolean;
}

/** How far getMany() looks ahead. */
const GET_MANY_BATCH = 64;

export class SegmentRepository implements Repository {
  readonly id: Uint8Array;
  readonly idHex: string;
  readonly location: string;
  readonly supportsNonces = true;
  readonly appendOnly: boolean;
  readonly storageQuotaBytes: number;
  readonly store: Store;
  readonly config: RepositoryConfig;
  readonly log: SegmentLog;
  readonly #context: Context;
  readonly #lock: Lock | undefined;
  readonly #breakLock: () => void;
  readonly #files: TransactionFiles;
  readonly #state: CommittedState;
  readonly #objects: IndexedObjects;
  readonly #created: boolean;
  #transaction: Transaction | undefined;
  /** Settles when what takes more than one step has ended; nothing may come between its steps. */
  #busy: Promise<unknown> | undefined;
  /** Of a check that is under way. */
  #reading: ReadingBeside | undefined;
  #closed = false;

  /** Takes over the lock. Throws AtticRepository. */
  constructor(context: Context, options: SegmentRepositoryOptions) {
    const { store, config, lock } = options;
    this.#context = context;
    this.store = store;
    this.config = config;
    this.id = config.id;
    this.idHex = toHex(config.id);
    this.location = options.location;
    this.appendOnly = options.appendOnly;
    this.storageQuotaBytes = options.storageQuotaBytes;
    this.#lock = lock;
    this.#breakLock = options.breakLock;
    this.#created = options.created;
    const { reporter } = context;
    this.#files = new TransactionFiles(store, reporter);
    this.log = new SegmentLog(
      new SegmentFiles(store, config.segmentsPerDir),
      config.maxSegmentSizeBytes,
      reporter,
    );
    this.#objects = new IndexedObjects(this.log, store.root);
    this.#state = this.#openState(lock !== undefined);
    if (isAttic(this.log)) throw new AtticRepository([store.root]);
  }

  get(id: Uint8Array): Promise<Uint8Array> {
    const index = this.#readyIndex;
    if (index === undefined) return this.#getLater(id);
    try {
      return Promise.resolve(this.#objects.bytes.read(index, id));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getMany(ids: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    return this.#getEach(ids, this.#objects.bytes);
  }

  getPlaces(ids: Iterable<Uint8Array>): AsyncGenerator<Sealed> {
    return this.#getEach(ids, this.#objects.places);
  }

  async locate(wanted: readonly ExpectedObject[]): Promise<readonly PutPlace[] | undefined> {
    return this.#objects.locate(this.#readyIndex ?? (await this.#index()), wanted);
  }

  async has(id: Uint8Array): Promise<boolean> {
    return (this.#readyIndex ?? (await this.#index())).has(id);
  }

  async list(limit = Infinity, marker?: Uint8Array): Promise<Uint8Array[]> {
    const ids: Uint8Array[] = [];
    for (const id of (await this.#index()).keys(marker)) {
      if (ids.length >= limit) break;
      ids.push(id);
    }
    return ids;
  }

  readTable(): Promise<HashIndex> {
    return this.#index();
  }

  async count(): Promise<number> {
    return (await this.#index()).size;
  }

  async scan(limit = Infinity, marker?: Uint8Array): Promise<Uint8Array[]> {
    return scanObjects(this.log, await this.#index(), limit, marker);
  }

  async *scanStretches(): AsyncGenerator<SealedStretch> {
    yield* sealedStretches(this.log, await this.#index());
  }

  /** All entries of the log, live or void, committed or not; see scanEntries(). */
  scanLog(limits: ScanLimits = {}): Generator<ScannedEntry | ScannedDamage> {
    return scanEntries(this.log, limits);
  }

  /** What is known of the segments as of the last commit. Needs the exclusive lock; removes what was not committed. */
  async readHints(): Promise<Hints> {
    await this.#begin();
    return this.#state.loadedHints!;
  }

  put(id: Uint8Array, sealed: Uint8Array, checksum?: Uint8Array): Promise<void> | undefined {
    const transaction = this.#transaction;
    if (this.#busy !== undefined || transaction === undefined) return this.#putLater(id, sealed, checksum);
    try {
      transaction.put(id, sealed, checksum);
      return undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async delete(id: Uint8Array): Promise<void> {
    (await this.#begin()).delete(id);
  }

  async commit(options: CommitOptions = {}): Promise<void> {
    await this.#exclusively(() => this.#commit(options));
  }

  async rollback(): Promise<void> {
    await this.#exclusively(async () => this.#rollback());
  }

  async loadKey(): Promise<string> {
    return (this.config.ini.get('repository')?.get('key') ?? '').trim();
  }

  async saveKey(blob: string): Promise<void> {
    this.config.ini.get('repository')!.set('key', blob);
    saveConfig(this.store, this.config, this.#context.reporter);
  }

  async getFreeNonce(): Promise<bigint | undefined> {
    this.#assertExclusive();
    return readFreeNonce(this.store);
  }

  async commitNonceReservation(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void> {
    this.#assertExclusive();
    reserveNonces(this.store, nextUnreserved, startNonce);
  }

  async check(options: RepositoryCheckOptions = {}, beside?: BesideCheck): Promise<RepositoryCheckResult> {
    return this.#exclusively(() => this.#check(options, beside));
  }

  /** Runs work on the log itself; a running transaction is rolled back before. Needs the exclusive lock. */
  changeLog(work: () => void): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#lock?.isExclusive !== true) throw new Error('changing the log needs the exclusive lock');
      this.#rollback();
      work();
    });
  }

  listQuarantine(): QuarantinedRepair[] {
    return listQuarantine(this.store);
  }

  dropQuarantine(): QuarantinedRepair[] {
    this.#assertExclusive('dropping the quarantine');
    return dropQuarantine(this.store);
  }

  async breakLock(): Promise<void> {
    this.#breakLock();
  }

  async destroy(): Promise<void> {
    if (this.appendOnly) throw new Error(`${this.store.root} is in append-only mode`);
    await this.#exclusively(() => this.#destroy());
  }

  async close(): Promise<void> {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    if (!this.#closed) await this.#exclusively(() => this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#getEach<T extends Sealed>(ids: Iterable<Uint8Array>, reader: ObjectsReader<T>): AsyncGenerator<T> {
    for (const batch of batches(ids, GET_MANY_BATCH)) {
      const index = await this.#index();
      const places = batch.map((id) => this.#objects.lookUp(index, id));
      for (const [number, id] of batch.entries()) {
        if (places[number] !== undefined) reader.readAhead(places, number);
        // Looked up again: the caller may have changed the repository in between.
        yield reader.read(this.#readyIndex ?? (await this.#index()), id);
      }
    }
  }

  async #putLater(id: Uint8Array, sealed: Uint8Array, checksum?: Uint8Array): Promise<void> {
    (await this.#begin()).put(id, sealed, checksum);
  }

  async #commit(options: CommitOptions): Promise<void> {
    if (this.#transaction === undefined && options.compact !== true) return;
    this.#assertStillLocked();
    const transaction = this.#transaction ?? (await this.#newTransaction());
    this.#transaction = undefined;
    try {
      this.#state.committed(await transaction.commit(options));
    } catch (error) {
      this.#state.forget();
      if (error instanceof InsufficientFreeSpaceError && this.#created) {
        const message = 'Not enough free space to initialize repository at this location.';
        this.#context.reporter.log('error', message, { logger: 'borg.repository' });
        await this.#destroy();
      }
      throw error;
    }
  }

  async #check(options: RepositoryCheckOptions, beside?: BesideCheck): Promise<RepositoryCheckResult> {
    if (this.#transaction !== undefined) throw new Error('a check can not run within a transaction');
    await this.#lockExclusively();
    this.#state.forget();
    const reading = beside && new ReadingBeside(beside, this.#state);
    const needs = {
      context: this.#context,
      log: this.log,
      files: this.#files,
      config: this.config,
      appendOnly: this.appendOnly,
      mayWrite: this.#lock !== undefined,
      openState: (mayWrite: boolean) => this.#openState(mayWrite, reading !== undefined),
      reading,
    };
    this.#reading = reading;
    let isSound = false;
    try {
      const { planned, ...result } = await checkRepository(needs, options);
      // Whoever plans on goes by what a repair would have left.
      if (planned !== undefined) this.#state.readAs(planned);
      isSound = result.ok;
      return result;
    } finally {
      await reading?.end(isSound);
      this.#reading = undefined;
    }
  }

  #openState(mayWrite: boolean, sharedIndex = false): CommittedState {
    return new CommittedState({
      log: this.log,
      files: this.#files,
      reporter: this.#context.reporter,
      path: this.store.root,
      mayWrite,
      sharedIndex,
      lockExclusively: () => this.#lockExclusively(),
      downgradeLock: async () => this.#lock?.downgrade(),
    });
  }

  async #newTransaction(): Promise<Transaction> {
    const { state, transactionId } = await this.#state.begin();
    const { additionalFreeSpaceBytes, maxSegmentSizeBytes } = this.config;
    return new Transaction(state, transactionId, {
      context: this.#context,
      log: this.log,
      files: this.#files,
      appendOnly: this.appendOnly,
      storageQuotaBytes: this.storageQuotaBytes,
      additionalFreeSpaceBytes,
      maxSegmentSizeBytes,
      isLocked: () => this.#lock?.isExclusive === true,
    });
  }

  #rollback(): void {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    this.#state.forget();
    // Not if someone broke the lock: what comes after our base may be theirs.
    if (this.#lock?.isExclusive === true) transaction?.abandon();
  }

  async #destroy(): Promise<void> {
    await this.#close();
    // Without its config it is no repository, however far the removal gets.
    this.store.removeFile('config');
    removeTree(this.store, '');
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#rollback();
      this.log.close();
    } finally {
      await this.#lock?.release();
    }
  }

  async #getLater(id: Uint8Array): Promise<Uint8Array> {
    return this.#objects.bytes.read(await this.#index(), id);
  }

  /** The index, where it is loaded and nobody is at work on it. */
  get #readyIndex(): HashIndex | undefined {
    return this.#busy === undefined || this.#reading?.isOpen === true ? this.#state.loadedIndex : undefined;
  }

  async #index(): Promise<HashIndex> {
    while (this.#busy !== undefined && this.#readyIndex === undefined) await this.#busy.catch(() => {});
    const loaded = this.#readyIndex;
    if (loaded !== undefined) return loaded;
    return this.#exclusively(() => this.#state.index());
  }

  /** The running transaction, or a new one. */
  async #begin(): Promise<Transaction> {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    if (this.#transaction !== undefined) return this.#transaction;
    return this.#exclusively(async () => (this.#transaction ??= await this.#newTransaction()));
  }

  /** Runs the work after, and before, all other work. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    this.#assertOpen();
    const running = work();
    this.#busy = running;
    try {
      return await running;
    } finally {
      if (this.#busy === running) this.#busy = undefined;
    }
  }

  /** Says whether a shared lock had to be upgraded. */
  async #lockExclusively(): Promise<boolean> {
    if (this.#lock === undefined || this.#lock.isExclusive) return false;
    this.#assertStillLocked();
    await this.#lock.upgrade();
    return true;
  }

  #assertStillLocked(): void {
    if (this.#lock?.mode !== 'exclusive' || this.#lock.isExclusive) return;
    throw new Error(`the exclusive lock on ${this.store.root} is gone: someone has broken it`);
  }

  #assertExclusive(work = 'reserving nonces'): void {
    this.#assertOpen();
    if (this.#lock !== undefined && !this.#lock.isExclusive) {
      throw new Error(`${work} needs the exclusive lock`);
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`the repository ${this.store.root} was closed`);
  }
}
