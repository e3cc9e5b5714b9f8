import { type BuzhashKernel, createBuzhashKernel } from './buzhash-kernel.ts';
import type { Chunker } from './chunker.ts';
import { type Chunk, type ChunkSource, chunkOf } from './chunk-source.ts';

/** Read at once: little enough that the bytes are still in the processor's cache when they are hashed. */
const READ_SIZE = 2 ** 20;
/** Small sources are put one behind the other up to here: so much stays in the processor's cache. */
const GATHERED_BYTES = 2 ** 18;

export interface BuzhashOptions {
  readonly minExponent: number;
  readonly maxExponent: number;
  readonly maskBits: number;
  readonly windowSize: number;
  readonly seed: number;
}

/**
 * Cuts where the content says so: at the first position, at least the minimum after the last cut, where the sum of
 * the window that follows has none of the mask's bits. The window must end before the end of the source and before
 * the maximum size, else the cut is there.
 *
 * Source: Borg 1.4.5 _chunker.c, chunker_process.
 */
export class BuzhashChunker implements Chunker {
  readonly #minSize: number;
  readonly #maxSize: number;
  readonly #windowSize: number;
  readonly #kernel: BuzhashKernel;
  readonly #buffer: Uint8Array;
  /** The chunk at hand begins at `start`; what was read ends at `filled`. */
  #start = 0;
  #filled = 0;
  #atEnd = false;

  readonly #beforeReuse: (() => void) | undefined;

  constructor(options: BuzhashOptions, beforeReuse?: () => void) {
    this.#beforeReuse = beforeReuse;
    this.#minSize = 2 ** options.minExponent;
    this.#maxSize = 2 ** options.maxExponent;
    this.#windowSize = options.windowSize;
    this.#kernel = createBuzhashKernel(options, this.#maxSize + READ_SIZE);
    this.#buffer = this.#kernel.buffer;
  }

  *chunks(source: ChunkSource): Generator<Chunk> {
    if (this.#filled > GATHERED_BYTES) this.#reuse(this.#filled);
    this.#start = this.#filled;
    this.#atEnd = false;
    for (;;) {
      const size = this.#nextSize(source);
      if (size === 0) return;
      const start = this.#start;
      this.#start += size;
      yield chunkOf(this.#buffer.subarray(start, start + size));
    }
  }

  #nextSize(source: ChunkSource): number {
    const smallestCut = this.#minSize + this.#windowSize + 1;
    while (!this.#atEnd && this.#available < smallestCut) this.#fill(source);
    if (this.#available < smallestCut) return this.#available;
    let size = this.#minSize;
    this.#kernel.start(this.#start + size);
    for (;;) {
      const end = Math.min(this.#available, this.#maxSize);
      const stop = this.#start + end - this.#windowSize;
      const found = this.#kernel.scan(this.#start + size, stop);
      if (found < stop) return found - this.#start;
      if (end === this.#maxSize) return end;
      size = end - this.#windowSize;
      this.#fill(source);
      if (this.#atEnd) return this.#available;
    }
  }

  get #available(): number {
    return this.#filled - this.#start;
  }

  #fill(source: ChunkSource): void {
    const buffer = this.#buffer;
    if (buffer.length - this.#filled < READ_SIZE) this.#reuse(this.#start);
    const count = source.read(buffer.subarray(this.#filled, this.#filled + READ_SIZE));
    this.#filled += count;
    this.#atEnd = count === 0;
  }

  /** Makes room by giving up all that is before `from`. */
  #reuse(from: number): void {
    this.#beforeReuse?.();
    this.#buffer.copyWithin(0, from, this.#filled);
    this.#filled -= from;
    this.#start = 0;
  }
}
