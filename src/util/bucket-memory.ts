/**
 * Memory for the buckets of a HashIndex.
 *
 * A large table gets shared memory that can grow where it is, whoever asks for it: Node gives outgrown shared buffers
 * back late, so that a table that moves at each step would hold several times what it needs.
 */
import { isLarge } from './hash-index-sizes.ts';

/** Address space, not memory: the largest table that Borg can have fits. */
const RESERVED_BYTES = 2 ** 37;

/** Zeros. */
export function allocateBuckets(bucketCount: number, bucketBytes: number, shared: boolean): ArrayBufferLike {
  const sizeBytes = bucketCount * bucketBytes;
  const Buffer = shared ? SharedArrayBuffer : ArrayBuffer;
  if (isLarge(bucketCount)) {
    try {
      return new Buffer(sizeBytes, { maxByteLength: RESERVED_BYTES });
    } catch (error) {
      // The address space may be limited (ulimit -v): the table moves when it grows, then.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return new Buffer(sizeBytes);
}

/** Makes the buffer at least as long as this, where that can be done in its place; says whether it is. */
export function growInPlace(buffer: ArrayBufferLike, sizeBytes: number): boolean {
  const isShared = buffer instanceof SharedArrayBuffer;
  if (!(isShared ? buffer.growable : buffer.resizable) || sizeBytes > buffer.maxByteLength) return false;
  if (sizeBytes <= buffer.byteLength) return true;
  if (isShared) buffer.grow(sizeBytes);
  else buffer.resize(sizeBytes);
  return true;
}
