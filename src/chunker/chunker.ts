import { BuzhashChunker } from './buzhash-chunker.ts';
import type { Chunk, ChunkSource } from './chunk-source.ts';
import type { ChunkerParams } from './chunker-params.ts';
import { createFixedChunker } from './fixed-chunker.ts';

export interface ChunkOptions {
  /** Ask the source for holes and don't read them. Only the fixed chunker can. */
  readonly sparse?: boolean;
}

/** Cuts sources into chunks, one source at a time; keeps its buffer for the next. */
export interface Chunker {
  /** Their data is good until the next chunk is taken, or, if the chunker was given `beforeReuse`, until that is called. */
  chunks(source: ChunkSource, options?: ChunkOptions): Iterable<Chunk>;
}

/**
 * A chunker whose cut points are Borg's for the same parameters and seed. It calls `beforeReuse` before it overwrites any
 * chunk, of this source or one before, that it gave since the last call.
 */
export function createChunker(params: ChunkerParams, seed: number, beforeReuse?: () => void): Chunker {
  if (params[0] === 'fixed') return createFixedChunker(params[1], params[2], beforeReuse);
  const [, minExponent, maxExponent, maskBits, windowSize] = params;
  return new BuzhashChunker({ minExponent, maxExponent, maskBits, windowSize, seed }, beforeReuse);
}
