/**
 * The entries of a segment, without their data. There may be a hundred thousand; as objects they would take longer to
 * keep and to collect than to read.
 */
import { KEY_SIZE_BYTES, TAG_DELETE, TAG_PUT } from '../../format/segment.ts';
import { type IndexedPlaces, isIndexedAt } from './indexed-places.ts';
import type { EntryRecord } from './salvaged-segment.ts';

const FIRST_CAPACITY = 64;
/** Numbers of an entry: tag, offset, size. */
const NUMBERS = 3;

/** What a list consists of, for another thread: its memory goes along, and may be larger than needed. */
export interface EntryListParts {
  readonly length: number;
  readonly indexedCount: number;
  readonly lastTag: number | undefined;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly keys: Uint8Array<ArrayBuffer>;
}

export class EntryList implements Iterable<EntryRecord> {
  readonly #places: IndexedPlaces | undefined;
  #length = 0;
  #indexedCount = 0;
  #lastTag: number | undefined;
  #numbers = new Float64Array(FIRST_CAPACITY * NUMBERS);
  #keys = new Uint8Array(FIRST_CAPACITY * KEY_SIZE_BYTES);

  /** With `places`, objects that the index has at their places are only counted. */
  constructor(places?: IndexedPlaces) {
    this.#places = places;
  }

  /** Takes over the parts of a list. */
  static of({ length, indexedCount, lastTag, numbers, keys }: EntryListParts): EntryList {
    const list = new EntryList();
    list.#length = length;
    list.#indexedCount = indexedCount;
    list.#lastTag = lastTag;
    list.#numbers = numbers;
    list.#keys = keys;
    return list;
  }

  get parts(): EntryListParts {
    return {
      length: this.#length,
      indexedCount: this.#indexedCount,
      lastTag: this.#lastTag,
      numbers: this.#numbers,
      keys: this.#keys,
    };
  }

  /** How many objects were only counted. */
  get indexedCount(): number {
    return this.#indexedCount;
  }

  /** The key is copied. */
  push({ tag, key, offset, sizeBytes }: EntryRecord): void {
    this.#lastTag = tag;
    if (this.#places !== undefined && tag === TAG_PUT && isIndexedAt(this.#places, key, offset)) {
      this.#indexedCount++;
      return;
    }
    const at = this.#length * NUMBERS;
    if (at === this.#numbers.length) this.#grow();
    this.#numbers[at] = tag;
    this.#numbers[at + 1] = offset;
    this.#numbers[at + 2] = sizeBytes;
    this.#keys.set(key, this.#length * KEY_SIZE_BYTES);
    this.#length++;
  }

  /** Undefined where there are no entries. */
  get lastTag(): number | undefined {
    return this.#lastTag;
  }

  *[Symbol.iterator](): Generator<EntryRecord, void, undefined> {
    for (let number = 0; number < this.#length; number++) {
      const at = number * NUMBERS;
      const tag = this.#numbers[at]!;
      const keyAt = number * KEY_SIZE_BYTES;
      const keyBytes = tag === TAG_PUT || tag === TAG_DELETE ? KEY_SIZE_BYTES : 0;
      const key = this.#keys.subarray(keyAt, keyAt + keyBytes);
      yield { tag, key, offset: this.#numbers[at + 1]!, sizeBytes: this.#numbers[at + 2]! };
    }
  }

  #grow(): void {
    const numbers = new Float64Array(2 * this.#numbers.length);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    const keys = new Uint8Array(2 * this.#keys.length);
    keys.set(this.#keys);
    this.#keys = keys;
  }
}
