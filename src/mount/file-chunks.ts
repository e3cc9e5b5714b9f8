/**
 * The opened chunks of files, for all readers together: what came last stays within a bound, and what several wait for is
 * fetched once. Other threads open what is fetched ahead, and, once they run, large chunks altogether.
 *
 * Source: Borg 1.4.5, fuse.py, FuseOperations.read (data_cache).
 */
import type { ObjectReader } from '../archive/object-reader.ts';
import { toBinaryString } from '../util/bytes.ts';
import { ChunkMemory, type ChunkPlace } from './chunk-memory.ts';
import type { Soon } from './vfs.ts';

type Opener = ReturnType<ObjectReader['createOpener']>;

export interface FileChunksOptions {
  readonly cacheBytes: number;
  /** That open objects; 0: none. */
  readonly threads: number;
}

/** A chunk as those see it who asked for it. */
export interface HeldChunk {
  /** The bytes, good until release(). Rejects with what reading an object rejects with. */
  readonly data: Soon<Uint8Array>;
  /** To be called once by each who asked. */
  release(): void;
}

/** Smaller ones are opened in less time than it takes to hand them over. */
const THREADED_FROM_BYTES = 64 * 1024;
/** When so much was opened by this thread, others are started for it: until then that takes longer than it saves. */
const THREADS_FROM_BYTES = 16 * 2 ** 20;

class Chunk implements HeldChunk {
  readonly #place: ChunkPlace | undefined;
  data: Soon<Uint8Array>;

  constructor(place: ChunkPlace | undefined, data: Promise<Uint8Array>) {
    this.#place = place;
    this.data = data;
  }

  hold(): this {
    if (this.#place !== undefined) this.#place.users++;
    return this;
  }

  release(): void {
    if (this.#place !== undefined) this.#place.users--;
  }
}

export class FileChunks implements AsyncDisposable {
  readonly #reader: ObjectReader;
  readonly #memory: ChunkMemory;
  /** At hand, or on their way. */
  readonly #chunks = new Map<string, Chunk>();
  readonly #underWay = new Set<Promise<Uint8Array>>();
  readonly #opener: Opener | undefined;
  #areThreadsRunning = false;
  #openedHereBytes = 0;
  #aheadBytes = 0;

  constructor(reader: ObjectReader, { cacheBytes, threads }: FileChunksOptions) {
    this.#reader = reader;
    this.#memory = new ChunkMemory(cacheBytes);
    this.#opener = threads > 0 ? reader.createOpener(threads, this.#memory.buffer) : undefined;
  }

  /** How much of one file may be fetched ahead: what it takes must not push itself out. */
  get maxAheadBytes(): number {
    return this.#memory.sizeBytes / 2;
  }

  /** `id` is copied. */
  hold(id: Uint8Array, sizeBytes: number): HeldChunk {
    const key = toBinaryString(id);
    const mayThread = this.#areThreadsRunning || this.#openedHereBytes >= THREADS_FROM_BYTES;
    return (this.#chunks.get(key) ?? this.#start(key, id, sizeBytes, mayThread)).hold();
  }

  /** Has the chunk come in, if there is room for it; false where there is none. Nobody hears of failures. */
  fetchAhead(id: Uint8Array, sizeBytes: number): boolean {
    const key = toBinaryString(id);
    if (this.#chunks.has(key)) return true;
    if (this.#aheadBytes + sizeBytes > this.maxAheadBytes) return false;
    this.#aheadBytes += sizeBytes;
    const { data } = this.#start(key, id, sizeBytes, true);
    const done = () => (this.#aheadBytes -= sizeBytes);
    void Promise.resolve(data).then(done, done);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks.clear();
    await this.#opener?.[Symbol.asyncDispose]();
    await Promise.allSettled(this.#underWay);
  }

  #start(key: string, id: Uint8Array, sizeBytes: number, mayThread: boolean): Chunk {
    const forget = () => {
      if (this.#chunks.get(key) === chunk) this.#chunks.delete(key);
    };
    const place = this.#memory.take(sizeBytes, forget);
    const isThreaded = mayThread && sizeBytes >= THREADED_FROM_BYTES;
    const opening = this.#open(id.slice(), place?.bytes, isThreaded);
    this.#underWay.add(opening);
    // The place's first user is whoever fills it.
    const chunk = new Chunk(place, opening);
    this.#chunks.set(key, chunk);
    const done = (data?: Uint8Array) => {
      this.#underWay.delete(opening);
      if (data === undefined || data !== place?.bytes) forget();
      else chunk.data = data;
      chunk.release();
    };
    opening.then(done, () => done());
    return chunk;
  }

  /** Gives `into`, filled, or memory of its own where that is not possible. */
  async #open(id: Uint8Array, into: Uint8Array | undefined, isThreaded: boolean): Promise<Uint8Array> {
    if (into !== undefined) {
      const opener = isThreaded ? this.#opener : undefined;
      const isOpened = await this.#reader.openInto(id, into, opener);
      if (opener !== undefined) this.#areThreadsRunning = true;
      else this.#openedHereBytes += into.length;
      if (isOpened) return into;
    }
    // Read again by this thread, a damaged object tells what is wrong with it.
    return this.#reader.read(id);
  }
}
