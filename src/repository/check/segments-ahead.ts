/** The entries of segments that are sound, as most are; read ahead of the one that is looked at, where others do the work. */
import { hasCode, type ReadHandle } from '../../store/store.ts';
import type { SegmentFiles } from '../segment-files.ts';
import type { EntryList } from './entry-list.ts';

export interface SegmentReader extends AsyncDisposable {
  /** How many segments it reads at a time. */
  readonly capacity: number;
  /** The entries; undefined where anything is wrong with the segment. The file must stay open until then. */
  read(file: ReadHandle): Promise<EntryList | undefined>;
}

export class SegmentsAhead implements AsyncDisposable {
  readonly #files: SegmentFiles;
  readonly #reader: SegmentReader;
  readonly #segments: Iterator<number>;
  readonly #ahead = new Map<number, Promise<EntryList | undefined>>();

  /** `segments` in order. The reader is ended with this. */
  constructor(files: SegmentFiles, reader: SegmentReader, segments: Iterable<number>) {
    this.#files = files;
    this.#reader = reader;
    this.#segments = segments[Symbol.iterator]();
  }

  /** One after the other, in order; some may be left out. Undefined where anything is wrong, also where that may not come again. */
  async read(segment: number): Promise<EntryList | undefined> {
    const ahead = this.#ahead;
    while (ahead.size < this.#reader.capacity) {
      const next = this.#segments.next();
      if (next.done === true) break;
      if (next.value < segment) continue;
      const entries = this.#read(next.value);
      // Awaited in its turn; until then a failure must not count as nobody's.
      entries.catch(() => {});
      ahead.set(next.value, entries);
    }
    try {
      return await ahead.get(segment);
    } finally {
      ahead.delete(segment);
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
        return await this.#reader.read(file);
      } finally {
        file.close();
      }
    } catch (error) {
      if (hasCode(error)) return undefined;
      throw error;
    }
  }
}
