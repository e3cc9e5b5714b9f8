/**
 * What one writer does to the repository between two commits.
 *
 * Source: Borg 1.4.5 repository.py, put, delete, commit.
 */
import {
  InsufficientFreeSpaceError,
  IntegrityError,
  ObjectNotFound,
  StorageQuotaExceeded,
} from '../errors.ts';
import { ENTRY_HEADER_SIZE_BYTES, PUT_HEADER_SIZE_BYTES, checkDataSize } from '../format/segment.ts';
import { hasCode } from '../store/store.ts';
import { toHex } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { formatFileSize } from '../util/file-size.ts';
import { compactSegments } from './compaction.ts';
import { checkFreeSpace } from './free-space.ts';
import { addShadowed, addTo } from './replay.ts';
import type { RepositoryState } from './replay.ts';
import type { CommitOptions } from './repository.ts';
import type { SegmentLog } from './segment-log.ts';
import type { TransactionFiles } from './transaction-files.ts';
import { appendTransactionLog } from './transaction-log.ts';

export interface TransactionOptions {
  readonly context: Context;
  readonly log: SegmentLog;
  readonly files: TransactionFiles;
  readonly appendOnly: boolean;
  readonly storageQuotaBytes: number;
  readonly additionalFreeSpaceBytes: number;
  readonly maxSegmentSizeBytes: number;
  /** Whether the exclusive lock is still held; if not, what is in the log may be another's. */
  readonly isLocked: () => boolean;
}

/** A segment of a magic and a COMMIT. */
const COMMIT_ONLY_SIZE_BYTES = 17;

export class Transaction {
  readonly #state: RepositoryState;
  readonly #options: TransactionOptions;
  /** The transaction that this one builds on, whose index is on disk. */
  readonly #baseId: number | undefined;
  /** Why this transaction can't be committed. */
  #doomed: Error | undefined;

  /** The log has nothing uncommitted, and the state is the one of `baseId`. */
  constructor(state: RepositoryState, baseId: number | undefined, options: TransactionOptions) {
    this.#state = state;
    this.#baseId = baseId;
    this.#options = options;
    if (baseId !== undefined) this.#logQuota();
  }

  put(id: Uint8Array, sealed: Uint8Array, checksum?: Uint8Array): void {
    this.#assertSound();
    checkDataSize(sealed);
    const { log } = this.#options;
    const { index, hints } = this.#state;
    try {
      const bucket = index.find(id);
      // A DELETE first: quota and shadow index then hold, whatever becomes of the older PUT.
      if (bucket >= 0) this.#makeVoid(id, bucket);
      const offset = log.appendPut(id, sealed, checksum);
      hints.storageQuotaUseBytes += sealed.length + PUT_HEADER_SIZE_BYTES;
      addTo(hints.segments, log.segment, 1);
      index.set(id, log.segment, offset);
    } catch (error) {
      throw this.#doom(error);
    }
    this.#checkQuota();
  }

  delete(id: Uint8Array): void {
    this.#assertSound();
    const { index } = this.#state;
    const bucket = index.find(id);
    if (bucket < 0) throw new ObjectNotFound([toHex(id), this.#options.log.files.store.root]);
    try {
      this.#makeVoid(id, bucket);
      index.delete(id);
    } catch (error) {
      throw this.#doom(error);
    }
  }

  /** Makes all durable; returns the transaction id. Whether it throws or not, this transaction has ended. */
  async commit(options: CommitOptions): Promise<number> {
    const { compact = false, threshold = 0.1, cleanupCommits = false } = options;
    const { appendOnly, context, files, log } = this.#options;
    const { hints, index } = this.#state;
    this.#assertSound();
    this.#checkFreeSpace();
    this.#logQuota();
    try {
      let transactionId = log.commit();
      addTo(hints.segments, transactionId, 0);
      addTo(hints.compact, transactionId, ENTRY_HEADER_SIZE_BYTES);
      if (compact && !appendOnly) {
        if (cleanupCommits) this.#markCommitOnlySegments();
        await compactSegments(this.#state, log, {
          threshold,
          indexTransactionId: this.#baseId,
          reporter: context.reporter,
          signal: context.signal,
        });
        transactionId = log.lastClosedSegment;
      }
      if (appendOnly) appendTransactionLog(log.files.store, transactionId, context.nowNs());
      files.write(transactionId, index, hints);
      return transactionId;
    } catch (error) {
      throw this.#doom(error);
    }
  }

  /** Removes what was written. Not after commit(), whose outcome only the log knows. */
  abandon(): void {
    this.#options.log.removeUncommitted(this.#baseId);
  }

  /** Marks the PUT that the index points to void, and logs it. Damage to it shows before anything is changed. */
  #makeVoid(id: Uint8Array, bucket: number): void {
    const { log } = this.#options;
    const { index, hints } = this.#state;
    const segment = index.valueAt(bucket, 0);
    const sizeBytes = log.readPutSize(segment, index.valueAt(bucket, 1), id);
    addShadowed(hints, id, segment);
    addTo(hints.segments, segment, -1);
    addTo(hints.compact, segment, sizeBytes);
    log.appendDelete(id);
    addTo(hints.compact, log.segment, PUT_HEADER_SIZE_BYTES);
    addTo(hints.segments, log.segment, 0);
  }

  /** Segments that hold a COMMIT only, as an old version left in great numbers. */
  #markCommitOnlySegments(): void {
    const { files } = this.#options.log;
    const { hints } = this.#state;
    for (const segment of files.ascending()) {
      if (files.sizeBytes(segment) !== COMMIT_ONLY_SIZE_BYTES) continue;
      hints.segments.set(segment, 0);
      hints.compact.set(segment, ENTRY_HEADER_SIZE_BYTES);
    }
  }

  #checkFreeSpace(): void {
    const { context, log, ...options } = this.#options;
    try {
      checkFreeSpace(this.#state, { ...options, files: log.files, reporter: context.reporter });
    } catch (error) {
      if (error instanceof InsufficientFreeSpaceError) log.removeUncommitted(this.#baseId);
      throw error;
    }
  }

  #checkQuota(): void {
    const { storageQuotaBytes } = this.#options;
    const { storageQuotaUseBytes } = this.#state.hints;
    if (storageQuotaBytes === 0 || storageQuotaUseBytes <= storageQuotaBytes) return;
    this.#doomed = new StorageQuotaExceeded([
      formatFileSize(storageQuotaBytes),
      formatFileSize(storageQuotaUseBytes),
    ]);
    throw this.#doomed;
  }

  #logQuota(): void {
    const { storageQuotaBytes } = this.#options;
    if (storageQuotaBytes === 0) return;
    const used = formatFileSize(this.#state.hints.storageQuotaUseBytes);
    this.#say('info', `Storage quota: ${used} out of ${formatFileSize(storageQuotaBytes)} used.`);
  }

  #assertSound(): void {
    if (this.#doomed !== undefined) throw this.#doomed;
  }

  /** Remembers that the transaction failed half-way. A full disk is relieved of what it wrote. */
  #doom(error: unknown): unknown {
    // Damage is found by reading, before anything is written: the transaction is as it was.
    if (error instanceof IntegrityError) return error;
    this.#doomed = error instanceof Error ? error : new Error(String(error));
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
      this.#say('warning', 'No space left on device, cleaning up partial transaction to free space.');
      const { isLocked, log } = this.#options;
      if (isLocked()) log.removeUncommitted(log.lastCommitted());
    }
    return error;
  }

  #say(level: 'info' | 'warning', message: string): void {
    this.#options.context.reporter.log(level, message, { logger: 'borg.repository' });
  }
}
