/**
 * The opened chunks of files, for all readers together: what was used last stays within a bound, and what several wait for
 * is fetched once. Other threads open what is fetched ahead, and, once they run, large chunks altogether.
 *
 * Source: Borg 1.4.5, fuse.py, FuseOperations.read (data_cache).
 */
import type { ObjectReader } from '../archive/object-reader.ts';
import { toBinaryString } from '../util/bytes.ts';
import { ByteCache } from '../util/byte-cache.ts';

type Opener = ReturnType<ObjectReader['createOpener']>;

export interface FileChunksOptions {
  readonly cacheBytes: number;
  /** That open objects; 0: none. */
  readonly threads: number;
}

/** Smaller ones are opened in less time than it takes to hand them over. */
const THREADED_FROM_BYTES = 64 * 1024;

export class FileChunks implements AsyncDisposable {
  readonly #reader: ObjectReader;
  readonly #cache: ByteCache<string>;
  readonly #pending = new Map<string, Promise<Uint8Array>>();
  readonly #opener: Opener | undefined;
  #areThreadsRunning = false;
  #aheadBytes = 0;

  constructor(reader: ObjectReader, options: FileChunksOptions) {
    this.#reader = reader;
    this.#cache = new ByteCache(options.cacheBytes);
    this.#opener = options.threads > 0 ? reader.createOpener(options.threads) : undefined;
  }

  /** How much of one file may be fetched ahead: what it takes must not push itself out. */
  get maxAheadBytes(): number {
    return this.#cache.maxBytes / 2;
  }

  get cachedBytes(): number {
    return this.#cache.sizeBytes;
  }

  /** The chunk, if it is at hand. */
  peek(id: Uint8Array): Uint8Array | undefined {
    return this.#cache.get(toBinaryString(id));
  }

  /** Throws what reading an object throws. `id` is copied. */
  fetch(id: Uint8Array, sizeBytes: number): Promise<Uint8Array> {
    const key = toBinaryString(id);
    const known = this.#cache.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const isThreaded = this.#areThreadsRunning && sizeBytes >= THREADED_FROM_BYTES;
    return this.#pending.get(key) ?? this.#start(key, id, isThreaded);
  }

  /** Has the chunk come in, if there is room for it; false where there is none. Nobody hears of failures. */
  fetchAhead(id: Uint8Array, sizeBytes: number): boolean {
    const key = toBinaryString(id);
    if (this.#cache.has(key) || this.#pending.has(key)) return true;
    if (this.#aheadBytes + sizeBytes > this.maxAheadBytes) return false;
    this.#aheadBytes += sizeBytes;
    const fetching = this.#start(key, id, sizeBytes >= THREADED_FROM_BYTES);
    const done = () => (this.#aheadBytes -= sizeBytes);
    void fetching.then(done, done);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cache.clear();
    await this.#opener?.[Symbol.asyncDispose]();
    await Promise.allSettled(this.#pending.values());
  }

  #start(key: string, id: Uint8Array, isThreaded: boolean): Promise<Uint8Array> {
    const fetching = this.#read(id.slice(), isThreaded).then(
      (data) => {
        this.#pending.delete(key);
        this.#cache.set(key, data);
        return data;
      },
      (error: unknown) => {
        this.#pending.delete(key);
        throw error;
      },
    );
    this.#pending.set(key, fetching);
    return fetching;
  }

  async #read(id: Uint8Array, isThreaded: boolean): Promise<Uint8Array> {
    if (this.#opener === undefined || !isThreaded) return this.#reader.read(id);
    const data = await this.#reader.readBy(this.#opener, id);
    this.#areThreadsRunning = true;
    return data;
  }
}
