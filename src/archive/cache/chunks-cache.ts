/**
 * The client's knowledge of the repository's chunks while it writes: adds, shares and releases them and keeps the
 * reference counts. LocalCache keeps it on disk between runs, AdHocCache for one run.
 *
 * Source: Borg 1.4.5, cache.py (LocalCache and AdHocCache, add_chunk to chunk_decref).
 */
import type { Compressor } from '../../compress/compressor.ts';
import { BorgError, IntegrityError } from '../../errors.ts';
import type { ChunkRef } from '../../format/item.ts';
import type { Key } from '../../keys/key.ts';
import type { Repository } from '../../repository/repository.ts';
import { toHex } from '../../util/bytes.ts';
import type { ChunkIndex } from './chunk-index.ts';
import type { FilesCache } from './files-cache.ts';
import type { Manifest } from '../manifest.ts';
import type { Statistics } from '../statistics.ts';

/** The index lacks a chunk that an archive refers to. */
export class ChunksIndexError extends BorgError {
  override readonly name = 'ChunksIndexError';
  readonly msgid = 'ChunksIndexError';
  readonly exitCode = 2;
  readonly hint =
    'Delete the cache ("delete --cache-only") to have it rebuilt. If the error stays, run "check --repair".';

  constructor(id: Uint8Array) {
    super('Chunk ID {} missing from chunks index, corrupted chunks index - aborting transaction.', [
      toHex(id),
    ]);
  }
}

/** What a cache works on. */
export interface CacheSubject {
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly key: Key;
  /** For the chunks that the cache itself seals: metadata. */
  readonly compressor: Compressor;
}

export abstract class ChunksCache implements AsyncDisposable {
  protected readonly subject: CacheSubject;

  constructor(subject: CacheSubject) {
    this.subject = subject;
  }

  abstract readonly kind: 'local' | 'ad-hoc';
  abstract readonly chunks: ChunkIndex;
  /** Undefined where it is disabled. */
  abstract readonly files: FilesCache | undefined;

  /** Starts a transaction unless one runs; to be called before anything changes. */
  abstract begin(): Promise<void>;
  /** Makes the changes durable; the repository must have been committed. */
  abstract commit(): Promise<void>;
  abstract close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** References to the chunk; a size that differs from the known one is an error. */
  refcount(id: Uint8Array, sizeBytes?: number): number {
    const entry = this.chunks.get(id);
    if (entry === undefined) return 0;
    if (sizeBytes !== undefined && entry.sizeBytes !== sizeBytes)
      throw sizeMismatch(id, entry.sizeBytes, sizeBytes);
    return entry.refcount;
  }

  /** Stores the plaintext unless the repository has it, and counts one reference. */
  async addChunk(id: Uint8Array, plaintext: Uint8Array, statistics: Statistics): Promise<ChunkRef> {
    if (this.refcount(id, plaintext.length) > 0) return this.incref(id, statistics, plaintext.length);
    const { key, compressor } = this.subject;
    return this.putSealed(id, plaintext.length, await key.seal(compressor.compress(plaintext)), statistics);
  }

  /**
   * As addChunk, for a chunk that was sealed elsewhere. `sealed` is missing where it was known already. No promise where
   * there is nothing to wait for.
   */
  addSealed(
    id: Uint8Array,
    sizeBytes: number,
    sealed: Uint8Array | undefined,
    statistics: Statistics,
  ): ChunkRef | Promise<ChunkRef> {
    if (this.refcount(id, sizeBytes) > 0) return this.incref(id, statistics, sizeBytes);
    if (sealed === undefined) throw new ChunksIndexError(id);
    return this.putSealed(id, sizeBytes, sealed, statistics);
  }

  /** Puts the object even if the id is known (recreate with another compression), and counts one reference. */
  async overwrite(id: Uint8Array, plaintext: Uint8Array, statistics: Statistics): Promise<ChunkRef> {
    const isNew = this.refcount(id, plaintext.length) === 0;
    const { key, compressor } = this.subject;
    const sealed = await key.seal(compressor.compress(plaintext));
    return this.putSealed(id, plaintext.length, sealed, statistics, isNew);
  }

  /** Counts one more reference to a chunk that is there. `part` as in Statistics.update. */
  incref(id: Uint8Array, statistics: Statistics, sizeBytes?: number, part = false): ChunkRef {
    const entry = this.chunks.incref(id);
    if (entry === undefined) throw new ChunksIndexError(id);
    const size = entry.sizeBytes === 0 ? (sizeBytes ?? 0) : entry.sizeBytes;
    statistics.update(size, entry.csizeBytes, false, part);
    return { id, size, csize: entry.csizeBytes };
  }

  /** Counts one reference less; with the last one the object is deleted. */
  async decref(id: Uint8Array, statistics: Statistics, part = false): Promise<void> {
    if (this.dropReference(id, statistics, part)) await this.subject.repository.delete(id);
  }

  /** Counts one reference less; says whether it was the last one, and the object is to be deleted. */
  dropReference(id: Uint8Array, statistics: Statistics, part = false): boolean {
    const entry = this.chunks.decref(id);
    if (entry === undefined) throw new ChunksIndexError(id);
    const isLast = entry.refcount === 0;
    statistics.update(-entry.sizeBytes, -entry.csizeBytes, isLast, part);
    if (isLast) this.chunks.delete(id);
    return isLast;
  }

  protected putSealed(
    id: Uint8Array,
    sizeBytes: number,
    sealed: Uint8Array,
    statistics: Statistics,
    isNew = true,
  ): ChunkRef | Promise<ChunkRef> {
    const csize = sealed.length;
    const put = this.subject.repository.put(id, sealed);
    const chunk = { id, size: sizeBytes, csize };
    return put === undefined
      ? this.#countStored(chunk, statistics, isNew)
      : this.#countWhenStored(put, chunk, statistics, isNew);
  }

  async #countWhenStored(
    stored: Promise<void>,
    chunk: ChunkRef,
    statistics: Statistics,
    isNew: boolean,
  ): Promise<ChunkRef> {
    await stored;
    return this.#countStored(chunk, statistics, isNew);
  }

  #countStored(chunk: ChunkRef, statistics: Statistics, isNew: boolean): ChunkRef {
    this.chunks.add(chunk.id, 1, chunk.size, chunk.csize);
    statistics.update(chunk.size, chunk.csize, isNew);
    return chunk;
  }
}

function sizeMismatch(id: Uint8Array, stored: number, found: number): IntegrityError {
  return new IntegrityError([
    `chunk has same id [${toHex(id)}], but different size (stored: ${stored} new: ${found})!`,
  ]);
}
