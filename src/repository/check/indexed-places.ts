/** Where an index says that the objects of a segment lie. */
import { DELETED, EMPTY, KEY_WORDS, sameKey, wordsOf } from '../../util/hash-bucket.ts';
import type { HashIndex } from '../../util/hash-index.ts';

/** Segment and offset behind the key. */
const BUCKET_WORDS = KEY_WORDS + 2;

/** Can be sent to other threads, if the index is in shared memory. Nobody may change it meanwhile. */
export interface IndexedPlaces {
  /** All buckets of the index. */
  readonly words: Uint32Array;
  readonly segment: number;
}

export function placesIn({ buckets }: HashIndex, segment: number): IndexedPlaces {
  const { buffer, byteOffset, length } = buckets;
  return { words: new Uint32Array(buffer, byteOffset, length / 4), segment };
}

/** Whether the index has the object at this very place. Takes no memory, as there are many to ask for. */
export function isIndexedAt({ words, segment }: IndexedPlaces, key: Uint8Array, offset: number): boolean {
  const sought = wordsOf(key);
  const first = sought[0]!;
  const bucketCount = words.length / BUCKET_WORDS;
  const start = first % bucketCount;
  let bucket = start;
  do {
    const at = bucket * BUCKET_WORDS;
    const indexed = words[at + KEY_WORDS];
    if (indexed === EMPTY) return false;
    if (words[at] === first && indexed !== DELETED && sameKey(words, at, sought, 0)) {
      return indexed === segment && words[at + KEY_WORDS + 1] === offset;
    }
    bucket++;
    if (bucket === bucketCount) bucket = 0;
  } while (bucket !== start);
  return false;
}
