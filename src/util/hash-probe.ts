/** Looks up keys in the buckets of a HashIndex that another thread changes. */
import { DELETED, EMPTY, KEY_BYTES, littleEndian } from './hash-bucket.ts';

/**
 * Whether the key is in the buckets. Reads only and allocates nothing: for threads that share the buckets with the one
 * that changes them.
 */
export function probe(
  buckets: Uint8Array,
  bucketCount: number,
  valueWords: number,
  key: Uint8Array,
): boolean {
  const width = KEY_BYTES + 4 * valueWords;
  const start = littleEndian(key, 0) % bucketCount;
  let bucket = start;
  do {
    const at = bucket * width;
    const mark = littleEndian(buckets, at + KEY_BYTES);
    if (mark === EMPTY) return false;
    if (mark !== DELETED) {
      let same = 0;
      while (same < KEY_BYTES && buckets[at + same] === key[same]) same++;
      if (same === KEY_BYTES) return true;
    }
    bucket++;
    if (bucket === bucketCount) bucket = 0;
  } while (bucket !== start);
  return false;
}
