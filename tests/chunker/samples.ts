import type { ChunkSource } from '../../src/chunker/chunk-source.ts';

/** A source that gives at most the next of these counts at each read, over and over, as a pipe may. */
export function shortReads(data: Uint8Array, counts: readonly number[]): ChunkSource {
  let offset = 0;
  let turn = 0;
  return {
    read(into) {
      const count = Math.min(into.length, counts[turn++ % counts.length] ?? 1, data.length - offset);
      into.set(data.subarray(offset, offset + count));
      offset += count;
      return count;
    },
  };
}
