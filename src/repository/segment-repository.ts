/**
 * The repository engine of Borg 1: a log of segments, an index over it, one writer at a time.
 *
 * Source: Borg 1.4.5 repository.py, Repository.
 */
import {
  AtticRepository,
  InsufficientFreeSpaceError,
  IntegrityError,
  ObjectNotFound,
  StorageQuotaExceeded,
} from '../errors.ts';
import {
  ATTIC_SEGMENT_MAGIC,
  ENTRY_HEADER_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  checkDataSize,
} from '../format/segment.ts';
import type { RepositoryConfig } from '../format/repository-config.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { equalBytes, toHex } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { formatFileSize } from '../util/file-size.ts';
import { compactSegments } from './compaction.ts';
import { saveConfig } from './config-file.ts';
import { removeTree } from './destroy.ts';
import { checkFreeSpace } from './free-space.ts';
import type { Lock } from './lock.ts';
import { readFreeNonce, reserveNonces } from './nonce-file.ts';
import { addShadowed, addTo } from './replay.ts';
import type { RepositoryState } from './replay.ts';
import type { CommitOptions, Repository } from './repository.ts';
import { SegmentFiles } from './segment-files.ts';
import { SegmentLog } from './segment-log.ts';
import { TransactionFiles } from './transaction-files.ts';
import { appendTransactionLog } from './transaction-log.ts';
import { Transactions } from './transactions.ts';

export interface SegmentRepositoryOptions {
  readonly store: Store;
  readonly config: RepositoryConfig;
  readonly lock: Lock | undefined;
  readonly location: string;
  readonly appendOnly: boolean;
  readonly storageQuotaBytes: number;
  /** Just made: where there is too little space for the first commit, the repository is removed again. */
  readonly created: boolean;
}

const DONE = Promise.resolve();

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
  readonly transactions: Transactions;
  readonly #context: Context;
  readonly #lock: Lock | undefined;
  readonly #files: TransactionFiles;
  readonly #created: boolean;
  /** Why the running transaction can't be committed. */
  #doomed: Error | undefined;
  /** Settles when what takes more than one step has ended; nothing may come between its steps. */
  #busy: Promise<unknown> | undefined;
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
    this.#created = options.created;
    const { reporter } = context;
    this.#files = new TransactionFiles(store, reporter);
    this.log = new SegmentLog(
      new SegmentFiles(store, config.segmentsPerDir),
      config.maxSegmentSizeBytes,
      reporter,
    );
    this.transactions = new Transactions({
      log: this.log,
      files: this.#files,
      reporter,
      path: store.root,
      mayWrite: lock !== undefined,
      lockExclusively: () => this.#lockExclusively(),
      downgradeLock: async () => lock?.downgrade(),
    });
    const latest = this.log.files.latest();
    if (latest !== undefined && equalBytes(this.log.readMagic(latest), ATTIC_SEGMENT_MAGIC)) {
      throw new AtticRepository([store.root]);
    }
  }

  async get(id: Uint8Array): Promise<Uint8Array> {
    const index = await this.#index();
    const bucket = index.find(id);
    if (bucket < 0) throw this.#notFound(id);
    return this.log.readPut(index.valueAt(bucket, 0), index.valueAt(bucket, 1), id);
  }

  async *getMany(ids: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (const id of ids) yield await this.get(id);
  }

  async has(id: Uint8Array): Promise<boolean> {
    return (await this.#index()).has(id);
  }

  async list(limit = Infinity, marker?: Uint8Array): Promise<Uint8Array[]> {
    const ids: Uint8Array[] = [];
    for (const id of (await this.#index()).keys(marker)) {
      if (ids.length >= limit) break;
      ids.push(id);
    }
    return ids;
  }

  async count(): Promise<number> {
    return (await this.#index()).size;
  }

  put(id: Uint8Array, sealed: Uint8Array): Promise<void> {
    if (this.#busy !== undefined || !this.transactions.isActive) return this.#putLater(id, sealed);
    try {
      this.#put(id, sealed);
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async delete(id: Uint8Array): Promise<void> {
    await this.#begin();
    if (this.#doomed !== undefined) throw this.#doomed;
    const { state } = this.transactions;
    const bucket = state.index.find(id);
    if (bucket < 0) throw this.#notFound(id);
    try {
      this.#makeVoid(state, id, bucket);
      state.index.delete(id);
    } catch (error) {
      throw this.#doom(error);
    }
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

  async breakLock(): Promise<void> {
    this.#lock?.break();
  }

  async destroy(): Promise<void> {
    if (this.appendOnly) throw new Error(`${this.store.root} is in append-only mode`);
    await this.close();
    // Without its config it is no repository, however far the removal gets.
    this.store.removeFile('config');
    removeTree(this.store, '');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#busy?.catch(() => {});
    this.#closed = true;
    this.transactions.rollback();
    this.log.close();
    await this.#lock?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #putLater(id: Uint8Array, sealed: Uint8Array): Promise<void> {
    await this.#begin();
    this.#put(id, sealed);
  }

  #put(id: Uint8Array, sealed: Uint8Array): void {
    if (this.#doomed !== undefined) throw this.#doomed;
    checkDataSize(sealed);
    const { log } = this;
    const state = this.transactions.state;
    const { index, hints } = state;
    try {
      const bucket = index.find(id);
      // A DELETE first: quota and shadow index then hold, whatever becomes of the older PUT.
      if (bucket >= 0) this.#makeVoid(state, id, bucket);
      const offset = log.appendPut(id, sealed);
      hints.storageQuotaUseBytes += sealed.length + PUT_HEADER_SIZE_BYTES;
      addTo(hints.segments, log.segment, 1);
      index.set(id, log.segment, offset);
    } catch (error) {
      throw this.#doom(error);
    }
    this.#checkQuota(state);
  }

  /** Marks the PUT that the index points to void, and logs it. Damage to the PUT shows before anything is changed. */
  #makeVoid({ index, hints }: RepositoryState, id: Uint8Array, bucket: number): void {
    const segment = index.valueAt(bucket, 0);
    const sizeBytes = this.log.readPutSize(segment, index.valueAt(bucket, 1), id);
    addShadowed(hints, id, segment);
    addTo(hints.segments, segment, -1);
    addTo(hints.compact, segment, sizeBytes);
    this.log.appendDelete(id);
    addTo(hints.compact, this.log.segment, PUT_HEADER_SIZE_BYTES);
    addTo(hints.segments, this.log.segment, 0);
  }

  async #commit(options: CommitOptions): Promise<void> {
    const { compact = false, threshold = 0.1, cleanupCommits = false } = options;
    if (this.#doomed !== undefined) {
      const reason = this.#doomed;
      this.#rollback();
      throw reason;
    }
    if (!this.transactions.isActive) {
      if (!compact) return;
      await this.transactions.begin();
    }
    this.#assertStillLocked();
    const { state } = this.transactions;
    await this.#checkFreeSpace(state);
    this.#logQuota(state);
    try {
      const { hints } = state;
      let transactionId = this.log.commit();
      addTo(hints.segments, transactionId, 0);
      addTo(hints.compact, transactionId, ENTRY_HEADER_SIZE_BYTES);
      if (compact && !this.appendOnly) {
        if (cleanupCommits) this.#markCommitOnlySegments(state);
        const before = this.transactions.transactionId;
        await compactSegments(state, this.log, {
          threshold,
          indexTransactionId: before,
          reporter: this.#context.reporter,
          signal: this.#context.signal,
        });
        transactionId = this.log.segment - 1;
      }
      if (this.appendOnly) appendTransactionLog(this.store, transactionId, this.#context.nowNs());
      this.#files.write(transactionId, state.index, state.hints);
      this.transactions.committed(transactionId);
    } catch (error) {
      const reason = this.#doom(error);
      this.#rollback();
      throw reason;
    }
  }

  /** Segments of a magic and a COMMIT, as an old version left in great numbers. */
  #markCommitOnlySegments({ hints }: RepositoryState): void {
    for (const segment of this.log.files.ascending()) {
      if (this.log.files.sizeBytes(segment) !== 17) continue;
      hints.segments.set(segment, 0);
      hints.compact.set(segment, ENTRY_HEADER_SIZE_BYTES);
    }
  }

  async #checkFreeSpace(state: RepositoryState): Promise<void> {
    try {
      checkFreeSpace(state, {
        files: this.log.files,
        reporter: this.#context.reporter,
        appendOnly: this.appendOnly,
        additionalFreeSpaceBytes: this.config.additionalFreeSpaceBytes,
        maxSegmentSizeBytes: this.config.maxSegmentSizeBytes,
      });
    } catch (error) {
      if (!(error instanceof InsufficientFreeSpaceError)) throw error;
      this.log.removeUncommitted(this.transactions.transactionId);
      this.#rollback();
      if (this.#created) {
        this.#say('error', 'Not enough free space to initialize repository at this location.');
        this.#busy = undefined;
        await this.destroy();
      }
      throw error;
    }
  }

  #rollback(): void {
    this.#doomed = undefined;
    this.transactions.rollback();
  }

  /** Remembers that the transaction failed half-way. A full disk is relieved of what it wrote. */
  #doom(error: unknown): Error {
    const reason = error instanceof Error ? error : new Error(String(error));
    // Damage is found by reading, before anything is written: the transaction is as it was.
    if (error instanceof IntegrityError) return reason;
    this.#doomed = reason;
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
      this.#say('warning', 'No space left on device, cleaning up partial transaction to free space.');
      this.log.removeUncommitted(this.log.lastCommitted());
    }
    return reason;
  }

  #checkQuota({ hints }: RepositoryState): void {
    const quotaBytes = this.storageQuotaBytes;
    if (quotaBytes === 0 || hints.storageQuotaUseBytes <= quotaBytes) return;
    this.#doomed = new StorageQuotaExceeded([
      formatFileSize(quotaBytes),
      formatFileSize(hints.storageQuotaUseBytes),
    ]);
    throw this.#doomed;
  }

  #logQuota({ hints }: RepositoryState): void {
    if (this.storageQuotaBytes === 0) return;
    const used = formatFileSize(hints.storageQuotaUseBytes);
    this.#say('info', `Storage quota: ${used} out of ${formatFileSize(this.storageQuotaBytes)} used.`);
  }

  async #index() {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    const loaded = this.transactions.loadedIndex;
    if (loaded !== undefined) return loaded;
    this.#assertOpen();
    return this.#exclusively(() => this.transactions.index());
  }

  async #begin(): Promise<void> {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    if (this.transactions.isActive) return;
    this.#assertOpen();
    if (this.#doomed !== undefined) throw this.#doomed;
    await this.#exclusively(async () => {
      await this.transactions.begin();
      this.#logQuota(this.transactions.state);
    });
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

  #assertExclusive(): void {
    this.#assertOpen();
    if (this.#lock !== undefined && !this.#lock.isExclusive) {
      throw new Error('reserving nonces needs the exclusive lock');
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`the repository ${this.store.root} was closed`);
  }

  #notFound(id: Uint8Array): ObjectNotFound {
    return new ObjectNotFound([toHex(id), this.store.root]);
  }

  #say(level: 'info' | 'warning' | 'error', message: string): void {
    this.#context.reporter.log(level, message, { logger: 'borg.repository' });
  }
}
