/** The entries of segments that are sound, as most are; read ahead of the one that is looked at, where others do the work. */
import { hasCode, type ReadHandle } from '../../store/store.ts';
import type { SegmentFiles } from '../segment-files.ts';
import type { EntryList } from './entry-list.ts';
import type { IndexComparison } from './index-comparison.ts';
import type { IndexedPlaces } from './indexed-places.ts';

export interface SegmentReader extends AsyncDisposable {
  /** How many segments it reads at a time. */
  readonly capacity: number;
  /** The entries (see EntryList); undefined where anything is wrong with the segment. The file must stay open until then. */
  read(file: ReadHandle, places?: IndexedPlaces): Promise<EntryList | undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

export class SegmentsAhead implements AsyncDisposable {
  readonly #files: SegmentFiles;
  readonly #reader: SegmentReader;
  readonly #segments: Iterator<number>;
  readonly #last: number;
  readonly #comparison: IndexComparison | undefined;
  readonly #ahead = new Map<number, Promise<EntryList | undefined>>();

  /** Of segments up to `last`; what the index of the comparison has at its place is only counted. The reader is ended with this. */
  constructor(files: SegmentFiles, reader: SegmentReader, last: number, comparison?: IndexComparison) {
    this.#files = files;
    this.#reader = reader;
    this.#segments = files.ascending();
    this.#last = last;
    this.#comparison = comparison;
  }

  /** One after the other, in order; some may be left out. Undefined where anything is wrong, also where that may not come again. */
  async read(segment: number): Promise<EntryList | undefined> {
    const ahead = this.#ahead;
    let isAtEnd = false;
    while (ahead.size < this.#reader.capacity && !isAtEnd) {
      const { value: next, done } = this.#segments.next();
      isAtEnd = done === true || next > this.#last;
      if (isAtEnd || next < segment) continue;
      const entries = this.#read(next);
      // Awaited in its turn; until then a failure must not count as nobody's.
      entries.catch(() => {});
      ahead.set(next, entries);
    }
    try {
      return await ahead.get(segment);
    } finally {
      ahead.delete(segment);
      // Nobody waits for the reader's end then.
      if (isAtEnd && ahead.size === 0) this.#reader[Symbol.asyncDispose]().catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
    await Promise.allSettled(this.#ahead.values());
  }

  async #read(segment: number): Promise<EntryList | undefined> {
    try {
      const file = this.#files.store.openFile(this.#files.path(segment));
      try {
        return await this.#reader.read(file, this.#comparison?.placesIn(segment));
      } finally {
        file.close();
      }
    } catch (error) {
      if (hasCode(error)) return undefined;
      throw error;
    }
  }
}
