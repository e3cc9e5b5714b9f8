/**
 * Cuts contents anew that come as chunks, without holding a whole file.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveRecreater.iter_chunks; helpers/misc.py, ChunkIteratorFileWrapper.
 */
import { type Chunk, bytesSource } from '../../chunker/chunk-source.ts';
import { createChunker, type Chunker } from '../../chunker/chunker.ts';
import type { ChunkerParams } from '../../chunker/chunker-params.ts';

/** Bytes that are cut at a time, at the least. */
const MIN_WINDOW_BYTES = 4 * 2 ** 20;
/** The same, in chunks of the largest size: what the last one of a window holds is looked at twice. */
const WINDOW_CHUNKS = 4;

export class Rechunker {
  readonly #windowBytes: number;
  readonly #chunker: Chunker;
  /** For what follows the first window: a header is only at the beginning of a file. */
  readonly #laterChunker: Chunker;

  constructor(params: ChunkerParams, seed: number) {
    this.#windowBytes = Math.max(MIN_WINDOW_BYTES, WINDOW_CHUNKS * maxChunkBytes(params));
    this.#chunker = createChunker(params, seed);
    const hasHeader = params[0] === 'fixed' && params[2] > 0;
    this.#laterChunker = hasHeader ? createChunker(['fixed', params[1], 0], seed) : this.#chunker;
  }

  /** The chunks of one file, each valid until the next one is asked for. */
  async *cut(contents: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let chunker = this.#chunker;
    let pieces: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const piece of contents) {
      pieces.push(piece);
      sizeBytes += piece.length;
      if (sizeBytes < this.#windowBytes) continue;
      let cutBytes = 0;
      for (const chunk of chunker.chunks(bytesSource(pieces))) {
        // Only the last one depends on where the window ends.
        if (cutBytes + chunk.sizeBytes === sizeBytes) break;
        yield bytesOf(chunk);
        cutBytes += chunk.sizeBytes;
      }
      pieces = withoutBeginning(pieces, cutBytes);
      sizeBytes -= cutBytes;
      chunker = this.#laterChunker;
    }
    for (const chunk of chunker.chunks(bytesSource(pieces))) yield bytesOf(chunk);
  }
}

function maxChunkBytes(params: ChunkerParams): number {
  return params[0] === 'fixed' ? Math.max(params[1], params[2]) : 2 ** params[2];
}

/** All-zero chunks come without their bytes. */
function bytesOf(chunk: Chunk): Uint8Array {
  return chunk.kind === 'data' ? chunk.data : new Uint8Array(chunk.sizeBytes);
}

function withoutBeginning(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let offset = 0;
  for (const piece of pieces) {
    if (offset + piece.length > sizeBytes) kept.push(piece.subarray(Math.max(0, sizeBytes - offset)));
    offset += piece.length;
  }
  return kept;
}
