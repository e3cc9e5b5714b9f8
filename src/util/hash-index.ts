/**
 * Borg's hash table: open addressing, linear probing, fixed-size buckets. The memory layout is the bucket array of the
 * files `index.N` and `chunks` (a bucket: hash-bucket.ts), so the order of insertions, growth and deletions shows in their bytes and follows Borg,
 * up to the size from which hash-index-sizes.ts goes its own way.
 *
 * Finding a key behind a deleted bucket moves it there, as in Borg. So find() may write: other threads that see the
 * same shared buckets use probe() of hash-probe.ts, which may miss an entry that is being moved but never invents one.
 *
 * Source: Borg 1.4.5 _hashindex.c, hashindex.pyx (IndexBase).
 */
import { allocateBuckets, growInPlace } from './bucket-memory.ts';
import {
  fitSize,
  growSize,
  isLarge,
  lowerLimit,
  minEmpty,
  shrinkSize,
  upperLimit,
} from './hash-index-sizes.ts';
import { DELETED, EMPTY, KEY_BYTES, KEY_WORDS, MAX_VALUE, sameKey, wordsOf } from './hash-bucket.ts';
import { rehash } from './rehash.ts';

export { capacityFor } from './hash-index-sizes.ts';
export { KEY_BYTES, MAX_VALUE } from './hash-bucket.ts';

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1)
  throw new Error('big-endian machines are not supported');

export interface HashIndexOptions {
  /** uint32 values of an entry: 2 in a repository's index, 3 in a chunks cache. */
  valueWords: number;
  /** Buckets to start with, rounded up to a table size; see capacityFor(). */
  capacity?: number;
  /** Keep the buckets in shared memory. */
  shared?: boolean;
}

export interface BucketOptions extends HashIndexOptions {
  buckets: Uint8Array;
  /** Number of entries that the file's header gives. */
  size: number;
  /** The table may be full, without a single empty bucket (Borg: permit_compact). */
  compact?: boolean;
}

export class HashIndex {
  readonly valueWords: number;
  readonly #shared: boolean;
  readonly #bucketWords: number;
  #words: Uint32Array;
  #bucketCount: number;
  #size = 0;
  #emptyCount: number;
  #generation = 0;

  constructor(options: HashIndexOptions) {
    this.valueWords = options.valueWords;
    this.#shared = options.shared ?? false;
    this.#bucketWords = KEY_WORDS + this.valueWords;
    this.#bucketCount = fitSize(options.capacity ?? 0);
    this.#emptyCount = this.#bucketCount;
    this.#words = this.#allocate(this.#bucketCount);
    this.#markEmpty(0);
  }

  /** Memory to read the buckets of a file into, which fromBuckets() takes over. */
  static allocate(bucketCount: number, { valueWords, shared = false }: HashIndexOptions): Uint8Array {
    return new Uint8Array(allocateBuckets(bucketCount, KEY_BYTES + 4 * valueWords, shared));
  }

  /**
   * Takes over the buckets of a file; they are copied only where they are not aligned, or to shared memory. Throws a
   * RangeError where their length, their values or the number of entries is wrong.
   */
  static fromBuckets(options: BucketOptions): HashIndex {
    const index = new HashIndex({ ...options, capacity: 0 });
    index.#load(options);
    return index;
  }

  /** Finding a key may move it. */
  get hasDeleted(): boolean {
    return this.#size + this.#emptyCount < this.#bucketCount;
  }

  /** The same table in memory of its own. */
  copy(): HashIndex {
    const copy = new HashIndex({ valueWords: this.valueWords, shared: this.#shared });
    copy.#words = copy.#allocate(this.#bucketCount);
    copy.#words.set(this.#words);
    copy.#bucketCount = this.#bucketCount;
    copy.#size = this.#size;
    copy.#emptyCount = this.#emptyCount;
    return copy;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  get bucketCount(): number {
    return this.#bucketCount;
  }

  /** All buckets, as they go into a file. A view: it changes with the table, until `generation` does. */
  get buckets(): Uint8Array {
    const length = this.#bucketCount * this.#bucketWords * 4;
    return new Uint8Array(this.#words.buffer, this.#words.byteOffset, length);
  }

  /** Changes whenever the buckets move, to another buffer or within theirs. */
  get generation(): number {
    return this.#generation;
  }

  /** The key's bucket number, or -1; good until the next change or find(). */
  find(key: Uint8Array): number {
    return Math.max(this.#lookup(wordsOf(key), 0), -1);
  }

  /** The same, and nothing is moved. */
  peek(key: Uint8Array): number {
    return Math.max(this.#lookup(wordsOf(key), 0, false), -1);
  }

  has(key: Uint8Array): boolean {
    return this.#lookup(wordsOf(key), 0) >= 0;
  }

  valueAt(bucket: number, word: number): number {
    return this.#words[bucket * this.#bucketWords + KEY_WORDS + word]!;
  }

  /** Throws a RangeError where word 0 would exceed MAX_VALUE. */
  setValueAt(bucket: number, word: number, value: number): void {
    if (word === 0) checkFirstWord(value);
    this.#words[bucket * this.#bucketWords + KEY_WORDS + word] = value;
  }

  /** A copy of the key in a used bucket. */
  keyAt(bucket: number): Uint8Array {
    const key = new Uint8Array(KEY_BYTES);
    let at = bucket * this.#bucketWords;
    for (let i = 0; i < KEY_BYTES; i += 4) {
      const word = this.#words[at++]!;
      key[i] = word;
      key[i + 1] = word >>> 8;
      key[i + 2] = word >>> 16;
      key[i + 3] = word >>> 24;
    }
    return key;
  }

  /** As find(), for the key in a used bucket of another table. */
  findKeyOf(other: HashIndex, bucket: number): number {
    return Math.max(this.#lookup(other.#words, bucket * other.#bucketWords), -1);
  }

  /** The same, and nothing is moved. */
  peekKeyOf(other: HashIndex, bucket: number): number {
    return Math.max(this.#lookup(other.#words, bucket * other.#bucketWords, false), -1);
  }

  /** Adds or replaces an entry. Throws a RangeError where the first value exceeds MAX_VALUE, or the table is full. */
  set(key: Uint8Array, ...values: number[]): void {
    if (values.length !== this.valueWords) throw new RangeError(`expected ${this.valueWords} values`);
    checkFirstWord(values[0]!);
    const words = wordsOf(key);
    let bucket = this.#lookup(words, 0);
    if (bucket < 0) {
      bucket = this.#claim(words, 0, -1 - bucket);
      const at = bucket * this.#bucketWords;
      for (let i = 0; i < KEY_WORDS; i++) this.#words[at + i] = words[i]!;
    }
    const at = bucket * this.#bucketWords + KEY_WORDS;
    for (let i = 0; i < values.length; i++) this.#words[at + i] = values[i]!;
  }

  /** Adds all keys of another table, in its order, with the same values; entries that there are already stay as they are. */
  addKeysOf(other: HashIndex, ...values: number[]): void {
    if (values.length !== this.valueWords) throw new RangeError(`expected ${this.valueWords} values`);
    checkFirstWord(values[0]!);
    for (let bucket = other.nextBucket(-1); bucket >= 0; bucket = other.nextBucket(bucket)) {
      const from = bucket * other.#bucketWords;
      const place = this.#lookup(other.#words, from);
      if (place >= 0) continue;
      const at = this.#claim(other.#words, from, -1 - place) * this.#bucketWords;
      for (let i = 0; i < KEY_WORDS; i++) this.#words[at + i] = other.#words[from + i]!;
      for (let i = 0; i < values.length; i++) this.#words[at + KEY_WORDS + i] = values[i]!;
    }
  }

  /** Says whether there was such an entry. */
  delete(key: Uint8Array): boolean {
    const bucket = this.#lookup(wordsOf(key), 0);
    if (bucket < 0) return false;
    this.#words[bucket * this.#bucketWords + KEY_WORDS] = DELETED;
    this.#size--;
    if (this.#size < lowerLimit(this.#bucketCount)) this.#rebuild(shrinkSize(this.#bucketCount));
    return true;
  }

  /** Numbers of used buckets, in order. The table may not change meanwhile, except by setValueAt(). */
  *usedBuckets(): Generator<number, void, undefined> {
    for (let bucket = this.nextBucket(-1); bucket >= 0; bucket = this.nextBucket(bucket)) yield bucket;
  }

  /** Number of the next used bucket after `bucket` (-1: the first), or -1. */
  nextBucket(bucket: number): number {
    for (let next = bucket + 1; next < this.#bucketCount; next++) {
      if (this.#words[next * this.#bucketWords + KEY_WORDS]! < DELETED) return next;
    }
    return -1;
  }

  /** Keys in bucket order, after the given one; throws a RangeError where that is missing. */
  *keys(after?: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (const [key] of this.entries(after)) yield key;
  }

  /** Keys with their bucket numbers, in bucket order. The table may not change meanwhile, except by setValueAt(). */
  *entries(after?: Uint8Array): Generator<[key: Uint8Array, bucket: number], void, undefined> {
    const start = after === undefined ? -1 : this.find(after);
    if (after !== undefined && start < 0) throw new RangeError('no entry has the key to start after');
    for (let bucket = this.nextBucket(start); bucket >= 0; bucket = this.nextBucket(bucket)) {
      yield [this.keyAt(bucket), bucket];
    }
  }

  clear(): void {
    this.#become(new HashIndex({ valueWords: this.valueWords, shared: this.#shared }));
  }

  /** Moves all entries to the front and drops the other buckets, as before writing a `.compact` file. */
  compact(): void {
    const width = this.#bucketWords;
    if (this.#size === 0) {
      this.#words.fill(0, 0, width);
      this.#words[KEY_WORDS] = EMPTY;
    } else if (this.#bucketCount !== this.#size) {
      let end = 0;
      for (let bucket = this.nextBucket(-1); bucket >= 0; bucket = this.nextBucket(bucket)) {
        this.#words.copyWithin(end, bucket * width, (bucket + 1) * width);
        end += width;
      }
    }
    this.#bucketCount = Math.max(this.#size, 1);
    this.#emptyCount = this.#size === 0 ? 1 : 0;
  }

  #allocate(bucketCount: number): Uint32Array {
    const width = this.#bucketWords;
    return new Uint32Array(allocateBuckets(bucketCount, width * 4, this.#shared), 0, bucketCount * width);
  }

  #markEmpty(from: number): void {
    const words = this.#words;
    for (let at = from * this.#bucketWords + KEY_WORDS; at < words.length; at += this.#bucketWords)
      words[at] = EMPTY;
  }

  /** The bucket of the key at `from` in `key`; where it is missing, -1 minus the bucket to put it into. */
  #lookup(key: Uint32Array, from: number, moves = true): number {
    const words = this.#words;
    const width = this.#bucketWords;
    const count = this.#bucketCount;
    const first = key[from]!;
    const start = first % count;
    let deleted = -1;
    let bucket = start;
    do {
      const at = bucket * width;
      const mark = words[at + KEY_WORDS]!;
      if (mark === EMPTY) break;
      if (mark === DELETED) {
        if (deleted < 0) deleted = bucket;
      } else if (words[at] === first && sameKey(words, at, key, from)) {
        if (deleted < 0 || !moves) return bucket;
        words.copyWithin(deleted * width, at, at + width);
        words[at + KEY_WORDS] = DELETED;
        return deleted;
      }
      bucket++;
      if (bucket === count) bucket = 0;
    } while (bucket !== start);
    return -1 - (deleted < 0 ? bucket : deleted);
  }

  /** Makes room for a new entry and counts it; gives its bucket. */
  #claim(key: Uint32Array, from: number, found: number): number {
    let bucket = found;
    if (this.#size > upperLimit(this.#bucketCount)) {
      const next = growSize(this.#bucketCount);
      if (next !== this.#bucketCount) {
        this.#rebuild(next);
        bucket = -1 - this.#lookup(key, from);
      } else if (this.#size >= this.#bucketCount) throw new RangeError('the hash table is full');
    }
    if (this.#words[bucket * this.#bucketWords + KEY_WORDS] === EMPTY) {
      if (this.#emptyCount <= minEmpty(this.#bucketCount)) {
        this.#rebuild(this.#bucketCount);
        bucket = -1 - this.#lookup(key, from);
      }
      this.#emptyCount--;
    }
    this.#size++;
    return bucket;
  }

  /** Gives the table another size, or the same, and drops deleted buckets. */
  #rebuild(bucketCount: number): void {
    const { buffer, byteOffset } = this.#words;
    const end = byteOffset + bucketCount * this.#bucketWords * 4;
    if (isLarge(bucketCount) && growInPlace(buffer, end)) this.#rebuildInPlace(bucketCount);
    else this.#move(bucketCount);
  }

  #rebuildInPlace(bucketCount: number): void {
    const oldCount = this.#bucketCount;
    const width = this.#bucketWords;
    const { buffer, byteOffset } = this.#words;
    if (bucketCount > oldCount) {
      this.#words = new Uint32Array(buffer, byteOffset, bucketCount * width);
      this.#markEmpty(oldCount);
    }
    const shape = { words: width, keyWords: KEY_WORDS, empty: EMPTY, unused: DELETED };
    rehash(this.#words, shape, oldCount, bucketCount);
    this.#bucketCount = bucketCount;
    this.#emptyCount = bucketCount - this.#size;
    this.#generation++;
  }

  /** Puts all entries, in their order, into a new table. */
  #move(capacity: number): void {
    const fresh = new HashIndex({ valueWords: this.valueWords, capacity, shared: this.#shared });
    const width = this.#bucketWords;
    for (let bucket = this.nextBucket(-1); bucket >= 0; bucket = this.nextBucket(bucket)) {
      const from = bucket * width;
      const place = fresh.#lookup(this.#words, from);
      if (place >= 0) throw new RangeError('a key is in the hash table twice');
      const to = fresh.#claim(this.#words, from, -1 - place) * width;
      for (let i = 0; i < width; i++) fresh.#words[to + i] = this.#words[from + i]!;
    }
    this.#become(fresh);
  }

  #become(other: HashIndex): void {
    this.#words = other.#words;
    this.#bucketCount = other.#bucketCount;
    this.#size = other.#size;
    this.#emptyCount = other.#bucketCount - other.#size;
    this.#generation++;
  }

  #load(options: BucketOptions): void {
    const { buckets } = options;
    const width = this.#bucketWords;
    if (buckets.length === 0 || buckets.length % (width * 4) !== 0) {
      throw new RangeError(`${buckets.length} bytes are no whole number of buckets`);
    }
    const aligned = buckets.byteOffset % 4 === 0;
    if (aligned && (!this.#shared || buckets.buffer instanceof SharedArrayBuffer)) {
      this.#words = new Uint32Array(buckets.buffer, buckets.byteOffset, buckets.length / 4);
    } else {
      this.#words = this.#allocate(buckets.length / width / 4);
      new Uint8Array(this.#words.buffer).set(buckets);
    }
    this.#bucketCount = buckets.length / width / 4;
    this.#countMarks();
    if (this.#size !== options.size) {
      throw new RangeError(`expected ${options.size} entries, found ${this.#size}`);
    }
    if (options.compact === true) this.#emptyCount = this.#bucketCount - this.#size;
    else if (this.#emptyCount < minEmpty(this.#bucketCount)) this.#rebuild(this.#bucketCount);
  }

  #countMarks(): void {
    this.#size = 0;
    this.#emptyCount = 0;
    for (let at = KEY_WORDS; at < this.#words.length; at += this.#bucketWords) {
      const mark = this.#words[at]!;
      if (mark === EMPTY) this.#emptyCount++;
      else if (mark <= MAX_VALUE) this.#size++;
      else if (mark !== DELETED) throw new RangeError('a value of the hash table is out of range');
    }
  }
}

function checkFirstWord(value: number): void {
  if (value > MAX_VALUE) throw new RangeError(`the first value ${value} is reserved`);
}
