import type { ChunkSource } from '../../src/chunker/chunk-source.ts';

/** Bytes that look random but are the same in every run and in every language (xorshift32, low byte). */
export function noise(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let at = 0; at < sizeBytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

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
