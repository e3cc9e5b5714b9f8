/**
 * All objects of a repository, and how many references to each were found so far. Counts lie beside the repository's own
 * index as long as nobody changes that, else beside a copy.
 */
import type { Repository } from '../../repository/repository.ts';
import { capacityFor, HashIndex } from '../../util/hash-index.ts';
import { MAX_REFCOUNT } from '../cache/chunk-index.ts';

/** How many ids the repository is asked for at a time (Borg: LIST_SCAN_LIMIT). */
const PAGE_IDS = 100_000;
/** Room for what a repair adds, as in Borg: the order of the table shows in the order of what is said. */
const HEADROOM = 1.1;
/** In place of a count: there is no such object any more. */
const GONE = 0xffffffff;

export class ObjectReferences {
  readonly #index: HashIndex;
  readonly #isInBorgsOrder: boolean;
  /** By bucket of the index. */
  readonly #counts: Uint32Array;
  /** Objects that the index has not, with their counts. */
  readonly #added = new HashIndex({ valueWords: 1 });
  #goneCount = 0;

  private constructor(index: HashIndex, isInBorgsOrder: boolean) {
    this.#index = index;
    this.#isInBorgsOrder = isInBorgsOrder;
    this.#counts = new Uint32Array(index.bucketCount);
  }

  /** All objects, without references; `changes` says whether the repository will be changed meanwhile. */
  static async of(repository: Repository, changes: boolean): Promise<ObjectReferences> {
    const table = await repository.readTable?.();
    if (table !== undefined) {
      // Where some were deleted, looking for an entry can move it.
      const isOwn = changes || table.hasDeleted;
      return new ObjectReferences(isOwn ? inBorgsOrder(table) : table, isOwn);
    }
    const index = emptyTable(await repository.count());
    let marker: Uint8Array | undefined;
    for (;;) {
      const page = await repository.list(PAGE_IDS, marker);
      marker = page.at(-1);
      if (marker === undefined) return new ObjectReferences(index, true);
      for (const id of page) index.set(id, 0);
    }
  }

  get size(): number {
    return this.#index.size - this.#goneCount + this.#added.size;
  }

  has(id: Uint8Array): boolean {
    return this.count(id) !== undefined;
  }

  /** How many references there are; undefined where there is no such object. */
  count(id: Uint8Array): number | undefined {
    const bucket = this.#index.peek(id);
    const count = bucket < 0 ? this.#addedCount(id) : this.#counts[bucket]!;
    return count === GONE ? undefined : count;
  }

  /** Counts a reference to an object; says whether there is such an object. */
  addTo(id: Uint8Array): boolean {
    const bucket = this.#index.peek(id);
    const count = bucket < 0 ? this.#addedCount(id) : this.#counts[bucket]!;
    if (count === GONE) return false;
    this.#set(id, bucket, Math.min(count + 1, MAX_REFCOUNT));
    return true;
  }

  /** Adds an object with one reference. */
  add(id: Uint8Array): void {
    const bucket = this.#index.peek(id);
    if (bucket >= 0 && this.#counts[bucket] === GONE) this.#goneCount--;
    this.#set(id, bucket, 1);
  }

  delete(id: Uint8Array): void {
    const bucket = this.#index.peek(id);
    if (bucket < 0) this.#added.delete(id);
    else if (this.#counts[bucket] !== GONE) {
      this.#counts[bucket] = GONE;
      this.#goneCount++;
    }
  }

  /** Ids of all objects, as Borg has them in order. Nothing may be added or deleted meanwhile. */
  *ids(): Generator<Uint8Array, void, undefined> {
    const table = this.#isInBorgsOrder ? this.#index : inBorgsOrder(this.#index);
    for (const id of table.keys()) if (this.has(id)) yield id;
    yield* this.#added.keys();
  }

  /** The same of objects that nothing refers to. */
  *unreferencedIds(): Generator<Uint8Array, void, undefined> {
    if (!this.#hasUnreferenced) return;
    for (const id of this.ids()) if (this.count(id) === 0) yield id;
  }

  get #hasUnreferenced(): boolean {
    const index = this.#index;
    for (let bucket = index.nextBucket(-1); bucket >= 0; bucket = index.nextBucket(bucket)) {
      if (this.#counts[bucket] === 0) return true;
    }
    return false;
  }

  /** GONE where it was not added. */
  #addedCount(id: Uint8Array): number {
    if (this.#added.size === 0) return GONE;
    const bucket = this.#added.find(id);
    return bucket < 0 ? GONE : this.#added.valueAt(bucket, 0);
  }

  #set(id: Uint8Array, bucket: number, count: number): void {
    if (bucket < 0) this.#added.set(id, count);
    else this.#counts[bucket] = count;
  }
}

function emptyTable(size: number): HashIndex {
  return new HashIndex({ valueWords: 1, capacity: capacityFor(size * HEADROOM) });
}

function inBorgsOrder(index: HashIndex): HashIndex {
  const table = emptyTable(index.size);
  table.addKeysOf(index, 0);
  return table;
}
