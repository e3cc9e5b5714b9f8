/**
 * The item metadata stream on its way into the repository: packed items, cut into chunks of their own.
 *
 * Source: Borg 1.4.5, archive.py, ChunkBuffer and CacheChunkBuffer.
 */
import { createChunker, type Chunker } from '../../chunker/chunker.ts';
import { bytesSource } from '../../chunker/chunk-source.ts';
import { ITEMS_CHUNKER_PARAMS } from '../../chunker/chunker-params.ts';

/** Borg gathers 8 MiB; the cuts are the same, and it is memory. */
const FULL_BYTES = 2 ** 20;
/** Items are added one at a time, and seldom large. */
const BUFFER_BYTES = FULL_BYTES + 2 ** 16;

export class ItemBuffer {
  /** Ids of the chunks written so far, in order. */
  readonly chunkIds: Uint8Array[] = [];
  readonly #chunker: Chunker;
  readonly #writeChunk: (plaintext: Uint8Array) => Promise<Uint8Array>;
  #buffer = new Uint8Array(BUFFER_BYTES);
  #usedBytes = 0;

  /** `writeChunk` stores a chunk and gives its id. */
  constructor(chunkSeed: number, writeChunk: (plaintext: Uint8Array) => Promise<Uint8Array>) {
    this.#chunker = createChunker(ITEMS_CHUNKER_PARAMS, chunkSeed);
    this.#writeChunk = writeChunk;
  }

  /** Appends a packed item; where that fills the buffer, flush() is due. */
  add(packedItem: Uint8Array): void {
    const needed = this.#usedBytes + packedItem.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#usedBytes));
      this.#buffer = larger;
    }
    this.#buffer.set(packedItem, this.#usedBytes);
    this.#usedBytes = needed;
  }

  get isFull(): boolean {
    return this.#usedBytes > FULL_BYTES;
  }

  get isEmpty(): boolean {
    return this.#usedBytes === 0;
  }

  /** Writes whole chunks; the last one, which may go on, only with `all`. */
  async flush(all: boolean): Promise<void> {
    if (this.#usedBytes === 0) return;
    const stream = this.#buffer.subarray(0, this.#usedBytes);
    const chunks: Uint8Array[] = [];
    for (const chunk of this.#chunker.chunks(bytesSource(stream))) {
      // All-zero chunks come without their bytes.
      chunks.push(chunk.kind === 'data' ? chunk.data.slice() : new Uint8Array(chunk.sizeBytes));
    }
    const keepLast = !all && chunks.length > 1;
    const last = keepLast ? chunks.pop() : undefined;
    this.#usedBytes = 0;
    if (last !== undefined) this.add(last);
    for (const chunk of chunks) this.chunkIds.push(await this.#writeChunk(chunk));
  }
}
