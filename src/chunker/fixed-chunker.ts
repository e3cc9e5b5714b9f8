import { type Chunk, type ChunkSource, chunkOf, holeChunk } from './chunk-source.ts';
import type { ChunkOptions, Chunker } from './chunker.ts';
import { type SparseRange, sparseMap } from './sparse-map.ts';

/** Read at once where blocks are smaller. */
const READ_SIZE = 2 ** 20;

/**
 * Cuts every `blockSize` bytes, after a header of another size where there is one. The last block of the header,
 * of a range of data and of a hole may be shorter.
 *
 * Other than Borg, which takes a short read for the end, it reads on until there is nothing more, so that nothing of
 * a pipe is lost. Source: Borg 1.4.5 chunker.pyx, ChunkerFixed.
 */
export function createFixedChunker(blockSize: number, headerSize: number, beforeReuse?: () => void): Chunker {
  const header = Math.max(0, headerSize);
  let buffer = new Uint8Array(0);

  function* chunks(source: ChunkSource, options: ChunkOptions = {}): Generator<Chunk> {
    if (buffer.length === 0) buffer = new Uint8Array(Math.max(blockSize, READ_SIZE));
    const ranges = options.sparse === true ? sparseRanges(source) : undefined;
    let position = ranges?.[0]?.offset ?? 0;
    for (const range of ranges ?? wholeRanges()) {
      if (range.offset !== position) source.seek?.(range.offset, 'set');
      position = range.offset;
      for (const chunk of range.isData ? readBlocks(source, range.sizeBytes) : cutHole(source, range)) {
        position += chunk.sizeBytes;
        yield chunk;
      }
      // The source ended within the range.
      if (position !== range.offset + range.sizeBytes) return;
    }
  }

  /** The stretches to cut, each from its own beginning. */
  function wholeRanges(): SparseRange[] {
    return [...headerRange(0), { offset: header, sizeBytes: Infinity, isData: true }];
  }

  function sparseRanges(source: ChunkSource): SparseRange[] | undefined {
    const map = sparseMap(source, header);
    return map && [...headerRange(map.offset), ...map.ranges];
  }

  function headerRange(offset: number): SparseRange[] {
    return header > 0 ? [{ offset, sizeBytes: header, isData: true }] : [];
  }

  function* readBlocks(source: ChunkSource, sizeBytes: number): Generator<Chunk> {
    let unread = sizeBytes;
    let start = 0;
    let filled = 0;
    for (;;) {
      const wanted = Math.min(blockSize, filled - start + unread);
      if (wanted === 0) return;
      if (filled - start < wanted) {
        beforeReuse?.();
        buffer.copyWithin(0, start, filled);
        filled -= start;
        start = 0;
        while (filled < wanted) {
          const count = source.read(
            buffer.subarray(filled, filled + Math.min(unread, buffer.length - filled)),
          );
          if (count === 0) break;
          filled += count;
          unread -= count;
        }
        if (filled < wanted) {
          if (filled > 0) yield chunkOf(buffer.subarray(0, filled));
          return;
        }
      }
      start += wanted;
      yield chunkOf(buffer.subarray(start - wanted, start));
    }
  }

  function* cutHole(source: ChunkSource, range: SparseRange): Generator<Chunk> {
    source.seek?.(range.offset + range.sizeBytes, 'set');
    for (let left = range.sizeBytes; left > 0; left -= blockSize) yield holeChunk(Math.min(left, blockSize));
  }

  return { chunks };
}
