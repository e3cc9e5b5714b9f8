/** Where an index says that the objects of a segment lie. */
import { KEY_BYTES, littleEndian } from '../../util/hash-bucket.ts';
import { probeBucket } from '../../util/hash-probe.ts';

/** Segment and offset. */
const VALUE_WORDS = 2;
const BUCKET_BYTES = KEY_BYTES + 4 * VALUE_WORDS;

/** Can be sent to other threads, if the buckets are in shared memory. Nobody may change the index meanwhile. */
export interface IndexedPlaces {
  /** Of the index. */
  readonly buckets: Uint8Array;
  readonly bucketCount: number;
  readonly segment: number;
}

/** Whether the index has the object at this very place. */
export function isIndexedAt(
  { buckets, bucketCount, segment }: IndexedPlaces,
  key: Uint8Array,
  offset: number,
): boolean {
  const bucket = probeBucket(buckets, bucketCount, VALUE_WORDS, key);
  if (bucket < 0) return false;
  const at = bucket * BUCKET_BYTES + KEY_BYTES;
  return littleEndian(buckets, at) === segment && littleEndian(buckets, at + 4) === offset;
}
