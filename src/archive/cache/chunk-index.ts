/**
 * References to every chunk: id → (reference count, size, size in the repository). The reference count sticks at
 * MAX_REFCOUNT once it gets there.
 *
 * Value words (uint32, little-endian): 0 refcount, 1 size in bytes, 2 csize in bytes.
 *
 * Source: Borg 1.4.5, hashindex.pyx, ChunkIndex.
 */
import { GeneralError } from '../../errors.ts';
import { toHex } from '../../util/bytes.ts';
import { capacityFor } from '../../util/hash-index-sizes.ts';
import { HashIndex, MAX_VALUE } from '../../util/hash-index.ts';

/** Highest reference count; it neither rises nor falls from there. */
export const MAX_REFCOUNT = MAX_VALUE;

const REFCOUNT = 0;
const SIZE = 1;
const CSIZE = 2;

/** Words in a value of the chunk index. */
export const CHUNK_VALUE_WORDS = 3;

export interface ChunkEntry {
  readonly refcount: number;
  readonly sizeBytes: number;
  readonly csizeBytes: number;
}

/** What an index holds altogether (Borg: ChunkIndex.summarize). */
export interface ChunkIndexSummary {
  sizeBytes: number;
  csizeBytes: number;
  uniqueSizeBytes: number;
  uniqueCsizeBytes: number;
  uniqueChunks: number;
  chunks: number;
}

export class ChunkIndex {
  readonly table: HashIndex;

  constructor(table?: HashIndex) {
    this.table = table ?? new HashIndex({ valueWords: CHUNK_VALUE_WORDS });
  }

  /** An empty index that takes `usable` entries without growing; in shared memory if asked. */
  static withUsable(usable: number, options: { shared?: boolean } = {}): ChunkIndex {
    const shared = options.shared ?? false;
    const capacity = capacityFor(usable);
    return new ChunkIndex(new HashIndex({ valueWords: CHUNK_VALUE_WORDS, capacity, shared }));
  }

  get size(): number {
    return this.table.size;
  }

  has(id: Uint8Array): boolean {
    return this.table.has(id);
  }

  get(id: Uint8Array): ChunkEntry | undefined {
    const bucket = this.table.find(id);
    return bucket < 0 ? undefined : this.#entryAt(bucket);
  }

  set(id: Uint8Array, entry: ChunkEntry): void {
    this.table.set(id, entry.refcount, entry.sizeBytes, entry.csizeBytes);
  }

  delete(id: Uint8Array): boolean {
    return this.table.delete(id);
  }

  /** Adds `references` to the chunk, or makes it known with them; sizes are overwritten. */
  add(id: Uint8Array, references: number, sizeBytes: number, csizeBytes: number): void {
    const bucket = this.table.find(id);
    if (bucket < 0) {
      this.table.set(id, references, sizeBytes, csizeBytes);
      return;
    }
    const refcount = this.table.valueAt(bucket, REFCOUNT) + references;
    this.table.setValueAt(bucket, REFCOUNT, Math.min(refcount, MAX_REFCOUNT));
    this.table.setValueAt(bucket, SIZE, sizeBytes);
    this.table.setValueAt(bucket, CSIZE, csizeBytes);
  }

  /** Counts one more reference; undefined where the chunk is not known. */
  incref(id: Uint8Array): ChunkEntry | undefined {
    const bucket = this.table.find(id);
    if (bucket < 0) return undefined;
    const refcount = this.table.valueAt(bucket, REFCOUNT);
    if (refcount < MAX_REFCOUNT) this.table.setValueAt(bucket, REFCOUNT, refcount + 1);
    return this.#entryAt(bucket);
  }

  /** Counts one reference less; undefined where the chunk is not known. The entry stays, even at zero. */
  decref(id: Uint8Array): ChunkEntry | undefined {
    const bucket = this.table.find(id);
    if (bucket < 0) return undefined;
    const refcount = this.table.valueAt(bucket, REFCOUNT);
    if (refcount === 0) throw new GeneralError([`chunk ${toHex(id)} has no reference to take away`]);
    if (refcount < MAX_REFCOUNT) this.table.setValueAt(bucket, REFCOUNT, refcount - 1);
    return this.#entryAt(bucket);
  }

  /** Counts one reference found in an item; an unknown chunk is made known with the sizes given. */
  countReference(id: Uint8Array, sizeBytes: number, csizeBytes: number): void {
    const bucket = this.table.find(id);
    if (bucket < 0) {
      this.table.set(id, 1, sizeBytes, csizeBytes);
      return;
    }
    const refcount = this.table.valueAt(bucket, REFCOUNT);
    if (refcount < MAX_REFCOUNT) this.table.setValueAt(bucket, REFCOUNT, refcount + 1);
  }

  /** Adds another index's references to these. */
  merge(other: ChunkIndex): void {
    for (const [id, entry] of other.entries()) {
      this.add(id, entry.refcount, entry.sizeBytes, entry.csizeBytes);
    }
  }

  /** Every id with its entry, in the order of the table, which may not change meanwhile. */
  *entries(): Generator<[Uint8Array, ChunkEntry]> {
    for (const [id, bucket] of this.table.entries()) yield [id, this.#entryAt(bucket)];
  }

  /** Ids that nothing refers to, in the order of the table, which may not change meanwhile. */
  *unreferencedIds(): Generator<Uint8Array, void, undefined> {
    for (const bucket of this.table.usedBuckets()) {
      if (this.table.valueAt(bucket, REFCOUNT) === 0) yield this.table.keyAt(bucket);
    }
  }

  /** Ids whose size in the repository is not known. */
  idsWithoutCsize(): Uint8Array[] {
    const ids: Uint8Array[] = [];
    for (const bucket of this.table.usedBuckets()) {
      if (this.table.valueAt(bucket, CSIZE) === 0) ids.push(this.table.keyAt(bucket));
    }
    return ids;
  }

  summarize(): ChunkIndexSummary {
    return this.statsAgainst(undefined);
  }

  /**
   * Sums up this index; a chunk is unique where it has as many references here as in `master` (or always, without
   * one). Sizes are the master's.
   *
   * @throws GeneralError where the master lacks a chunk of this index
   */
  statsAgainst(master: ChunkIndex | undefined): ChunkIndexSummary {
    const summary: ChunkIndexSummary = {
      sizeBytes: 0,
      csizeBytes: 0,
      uniqueSizeBytes: 0,
      uniqueCsizeBytes: 0,
      uniqueChunks: 0,
      chunks: 0,
    };
    for (const bucket of this.table.usedBuckets()) {
      const refcount = this.table.valueAt(bucket, REFCOUNT);
      const entry = master === undefined ? this.#entryAt(bucket) : master.get(this.table.keyAt(bucket));
      if (entry === undefined) {
        throw new GeneralError([`chunk ${toHex(this.table.keyAt(bucket))} is missing from the chunks cache`]);
      }
      summary.chunks += refcount;
      summary.sizeBytes += entry.sizeBytes * refcount;
      summary.csizeBytes += entry.csizeBytes * refcount;
      if (entry.refcount !== refcount) continue;
      summary.uniqueChunks += 1;
      summary.uniqueSizeBytes += entry.sizeBytes;
      summary.uniqueCsizeBytes += entry.csizeBytes;
    }
    return summary;
  }

  #entryAt(bucket: number): ChunkEntry {
    return {
      refcount: this.table.valueAt(bucket, REFCOUNT),
      sizeBytes: this.table.valueAt(bucket, SIZE),
      csizeBytes: this.table.valueAt(bucket, CSIZE),
    };
  }
}
