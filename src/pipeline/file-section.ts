/**
 * A file's contents that are a part of something larger, as a tar is: of what a descriptor gives, or bytes that were
 * read already; with stretches of zeros left out where it is sparse.
 */
import type { ChunkSource } from '../chunker/chunk-source.ts';

export interface FileSection {
  /** Of the contents, zeros included. */
  readonly sizeBytes: number;
  /** What is there of them. */
  readonly bytes?: Uint8Array | undefined;
  /** Where that begins in the file. Without it, and without `bytes`, it is what the descriptor gives next. */
  readonly offsetBytes?: number | undefined;
  /** Offset and size of each stretch of the contents that is there, ascending; between them is nothing but zeros. */
  readonly stretches?: readonly number[] | undefined;
}

/** What the section is read from ended before the section did. */
export class SectionCutOff extends Error {
  readonly missingBytes: number;

  constructor(missingBytes: number) {
    super(`${missingBytes} bytes are missing`);
    this.missingBytes = missingBytes;
  }
}

/** How many bytes are there of the contents. */
export function storedBytesOf({ sizeBytes, stretches }: FileSection): number {
  if (stretches === undefined) return sizeBytes;
  let storedBytes = 0;
  for (let at = 1; at < stretches.length; at += 2) storedBytes += stretches[at]!;
  return storedBytes;
}

/**
 * The contents. `readStored` fills the beginning of a buffer with what is there, from an offset in that, which only
 * grows; it gives 0 at the end only.
 *
 * Reading throws SectionCutOff.
 */
export function sectionSource(
  section: FileSection,
  readStored: (into: Uint8Array, storedOffset: number) => number,
): ChunkSource {
  const { sizeBytes, stretches = [0, sizeBytes] } = section;
  let position = 0;
  let stored = 0;
  let next = 0;
  return {
    read(into) {
      while (next < stretches.length && position >= stretches[next]! + stretches[next + 1]!) next += 2;
      const start = next < stretches.length ? stretches[next]! : sizeBytes;
      if (position < start) {
        const count = Math.min(into.length, start - position);
        into.fill(0, 0, count);
        position += count;
        return count;
      }
      if (position >= sizeBytes) return 0;
      const left = start + stretches[next + 1]! - position;
      const count = readStored(into.subarray(0, Math.min(into.length, left)), stored);
      if (count === 0) throw new SectionCutOff(storedBytesOf(section) - stored);
      position += count;
      stored += count;
      return count;
    },
  };
}
