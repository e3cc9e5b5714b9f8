/**
 * Brings the buckets of a HashIndex to where they belong in a table of another size, within their own memory, and drops
 * deleted ones.
 *
 * Each entry goes to the first bucket, from its home on, that no entry has settled in yet. Who is still waiting there is
 * taken along and is the next to be settled. So a bucket between an entry's home and its place is never empty, neither
 * then nor later, which is all that a search relies on.
 *
 * Threads that read the same memory meanwhile may miss entries. What they find is an entry, as keys of deleted buckets
 * are written over before the mark.
 */

/** Words of a bucket: the key, then the values, the first of which says whether the bucket is in use. */
export interface BucketShape {
  readonly words: number;
  readonly keyWords: number;
  /** The mark of a bucket that was never used, and the smallest mark of one that is not in use. */
  readonly empty: number;
  readonly unused: number;
}

/**
 * `words` holds as many buckets as the larger of the two counts; those from `oldCount` on are unused, those from
 * `newCount` on have no meaning afterwards. Throws a RangeError where a key is there twice.
 */
export function rehash(words: Uint32Array, shape: BucketShape, oldCount: number, newCount: number): void {
  const { words: width, keyWords, empty, unused } = shape;
  const settled = new Uint8Array(Math.ceil(Math.max(oldCount, newCount) / 8));
  const hand = new Uint32Array(width);
  for (let bucket = 0; bucket < oldCount; bucket++) {
    if ((settled[bucket >>> 3]! >>> (bucket & 7)) & 1) continue;
    const at = bucket * width;
    const isUsed = words[at + keyWords]! < unused;
    if (isUsed) for (let i = 0; i < width; i++) hand[i] = words[at + i]!;
    words[at + keyWords] = empty;
    if (isUsed) settle(hand);
  }

  function settle(hand: Uint32Array): void {
    for (;;) {
      let bucket = hand[0]! % newCount;
      while ((settled[bucket >>> 3]! >>> (bucket & 7)) & 1) {
        if (sameKey(bucket * width)) throw new RangeError('a key is in the hash table twice');
        bucket++;
        if (bucket === newCount) bucket = 0;
      }
      settled[bucket >>> 3]! |= 1 << (bucket & 7);
      const to = bucket * width;
      const wasUsed = words[to + keyWords]! < unused;
      for (let i = 0; i < width; i++) {
        const waiting = words[to + i]!;
        words[to + i] = hand[i]!;
        hand[i] = waiting;
      }
      if (!wasUsed) return;
    }
  }

  function sameKey(at: number): boolean {
    for (let i = 0; i < keyWords; i++) if (words[at + i] !== hand[i]) return false;
    return true;
  }
}
