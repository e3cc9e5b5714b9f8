/**
 * Whether an index is the one that the segments give, without making that. Of what an index has, one PUT is the last word
 * of the log: it lies where the index says, and nothing about the object comes behind it.
 */
import { TAG_DELETE, TAG_PUT } from '../../format/segment.ts';
import { HashIndex } from '../../util/hash-index.ts';
import type { EntryList } from './entry-list.ts';
import { type IndexedPlaces, isIndexedAt, placesIn } from './indexed-places.ts';

export class IndexComparison {
  readonly #index: HashIndex;
  /** Objects where the index says that they are. */
  #found = 0;
  /** Something about an object of the index comes behind the place that the index has for it. */
  #isOutdated = false;
  /** Objects that the log has so far, and the index has not. */
  readonly #others = new HashIndex({ valueWords: 1 });

  /** Nobody may change the index meanwhile. */
  constructor(index: HashIndex) {
    this.#index = index;
  }

  /** What the index says of a segment. */
  placesIn(segment: number): IndexedPlaces {
    return placesIn(this.#index, segment);
  }

  /** Takes the next segment; `entries` may leave out, and count, what the index has at its place. */
  follow(segment: number, entries: EntryList): void {
    const places = this.placesIn(segment);
    this.#found += entries.indexedCount;
    for (const { tag, key, offset } of entries) {
      if (tag !== TAG_PUT && tag !== TAG_DELETE) continue;
      const bucket = this.#index.peek(key);
      if (bucket >= 0) {
        if (tag === TAG_PUT && isIndexedAt(places, key, offset)) this.#found++;
        else if (this.#isBehind(segment, offset, bucket)) this.#isOutdated = true;
      } else if (tag === TAG_PUT) this.#others.set(key, 0);
      else this.#others.delete(key);
    }
  }

  /** After all segments. */
  get isSame(): boolean {
    return !this.#isOutdated && this.#others.size === 0 && this.#found === this.#index.size;
  }

  #isBehind(segment: number, offset: number, bucket: number): boolean {
    const indexed = this.#index.valueAt(bucket, 0);
    return segment > indexed || (segment === indexed && offset > this.#index.valueAt(bucket, 1));
  }
}
