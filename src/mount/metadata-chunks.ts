/**
 * The chunks of metadata streams, by numbers from 0: read in order when a tree is made, and one at a time, through a small
 * cache, when an item is looked at afterwards.
 */
import type { ObjectReader } from '../archive/object-reader.ts';
import { ByteCache } from '../util/byte-cache.ts';

const ID_BYTES = 32;
const CACHE_BYTES = 8 * 2 ** 20;
const FIRST_IDS = 64;

export class MetadataChunks {
  readonly #reader: ObjectReader;
  readonly #cache: ByteCache<number>;
  readonly #pending = new Map<number, Promise<Uint8Array>>();
  #ids = new Uint8Array(FIRST_IDS * ID_BYTES);
  #count = 0;
  /** What was asked for last, since neighbours follow. */
  #last: { readonly number: number; readonly data: Uint8Array | undefined } = { number: -1, data: undefined };
  /** Number behind the last chunk of each stream. */
  #streamEnds: number[] = [];

  constructor(reader: ObjectReader, cacheBytes = CACHE_BYTES) {
    this.#reader = reader;
    this.#cache = new ByteCache(cacheBytes);
  }

  get count(): number {
    return this.#count;
  }

  /** Numbers the chunks of a stream; returns the first number. */
  add(ids: readonly Uint8Array[]): number {
    const first = this.#count;
    const needed = (first + ids.length) * ID_BYTES;
    if (needed > this.#ids.length) {
      const grown = new Uint8Array(Math.max(needed, first === 0 ? 0 : 2 * this.#ids.length));
      grown.set(this.#ids);
      this.#ids = grown;
    }
    ids.forEach((id, index) => this.#ids.set(id, (first + index) * ID_BYTES));
    this.#count += ids.length;
    this.#streamEnds.push(this.#count);
    return first;
  }

  /** The number behind the last chunk of the stream that this one belongs to. */
  streamEnd(number: number): number {
    return this.#streamEnds.find((end) => number < end) ?? this.#count;
  }

  /** The chunks from `first`, in order; what the cache has room for is kept. */
  async *stream(first: number, count: number): AsyncGenerator<Uint8Array, void, undefined> {
    let number = first;
    for await (const data of this.#reader.readMany(this.#idsFrom(first, count))) {
      if (this.#cache.sizeBytes + data.length <= this.#cache.maxBytes) this.#cache.set(number, data);
      number++;
      yield data;
    }
  }

  /** The chunk, if it is at hand. */
  peek(number: number): Uint8Array | undefined {
    if (number === this.#last.number) return this.#last.data;
    const data = this.#cache.get(number);
    if (data !== undefined) this.#last = { number, data };
    return data;
  }

  /** Throws what reading an object throws. */
  async fetch(number: number): Promise<Uint8Array> {
    const known = this.#cache.get(number) ?? this.#pending.get(number);
    if (known !== undefined) return known;
    const fetching = this.#reader.read(this.#idAt(number));
    this.#pending.set(number, fetching);
    try {
      const data = await fetching;
      this.#cache.set(number, data);
      return data;
    } finally {
      this.#pending.delete(number);
    }
  }

  #idAt(number: number): Uint8Array {
    return this.#ids.slice(number * ID_BYTES, (number + 1) * ID_BYTES);
  }

  #idsFrom(first: number, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) => this.#idAt(first + index));
  }
}
