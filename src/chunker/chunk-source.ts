/** A piece of a file. */
export interface Chunk {
  /** `data`; `alloc`: read and found to be all zeros; `hole`: known to be all zeros without reading. */
  readonly kind: 'data' | 'alloc' | 'hole';
  readonly sizeBytes: number;
  /** The bytes, in memory that the chunker uses again; empty for `alloc` and `hole`. */
  readonly data: Uint8Array;
}

/** What a chunker reads from: a file, a pipe, bytes in memory. */
export interface ChunkSource {
  /** Fills the beginning of `into` and returns how many bytes; 0 at the end only. */
  read(into: Uint8Array): number;
  /**
   * lseek(2); absent where the source has no positions. Returns the new position, or undefined for ENXIO (`data`,
   * `hole`: nothing there up to the end); throws whatever else goes wrong.
   */
  seek?(offset: number, whence: SeekWhence): number | undefined;
}

export type SeekWhence = 'set' | 'current' | 'end' | 'data' | 'hole';

/** A source of bytes in memory. */
export function bytesSource(bytes: Uint8Array | readonly Uint8Array[]): ChunkSource {
  const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
  let index = 0;
  let offset = 0;
  return {
    read(into) {
      let copied = 0;
      while (copied < into.length) {
        const part = parts[index];
        if (part === undefined) break;
        const piece = part.subarray(offset, offset + into.length - copied);
        into.set(piece, copied);
        copied += piece.length;
        offset += piece.length;
        if (offset === part.length) {
          index++;
          offset = 0;
        }
      }
      return copied;
    },
  };
}

const NO_BYTES = new Uint8Array(0);

/** The chunk of these bytes: `alloc` where they are all zeros. */
export function chunkOf(data: Uint8Array): Chunk {
  if (isZero(data)) return { kind: 'alloc', sizeBytes: data.length, data: NO_BYTES };
  return { kind: 'data', sizeBytes: data.length, data };
}

export function holeChunk(sizeBytes: number): Chunk {
  return { kind: 'hole', sizeBytes, data: NO_BYTES };
}

/** All zeros: the first byte is, and each byte equals the one before it. */
function isZero(data: Uint8Array): boolean {
  if (data[0] !== 0) return data.length === 0;
  return Buffer.compare(data.subarray(1), data.subarray(0, -1)) === 0;
}
