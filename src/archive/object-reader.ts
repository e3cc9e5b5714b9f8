/**
 * Reads repository objects in order and opens them: on this thread, or, where there is much to read, on others.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.fetch_many.
 */
import type { Key } from '../keys/key.ts';
import { ObjectOpener } from '../pipeline/object-opener.ts';
import type { FileOutcome, FileWrite } from '../pipeline/file-write.ts';
import { releaseBuffer, type SealedInput } from '../pipeline/open-batch.ts';
import { SealedOpener } from '../pipeline/sealed-opener.ts';
import { Plaintexts } from '../pipeline/plaintexts.ts';
import { writeFiles } from '../pipeline/write-file-contents.ts';
import { copyMemory } from '../platform/copy-memory.ts';
import { batches } from '../util/batches.ts';
import { isPlace, releaseSealed, type Sealed, sealedSizeBytes, type Unread } from '../util/sealed.ts';
import {
  type Fetched,
  fetchPages,
  fetchPlaces,
  fetchUnread,
  getPlaces,
  type ObjectSource,
  PAGE_ENTRIES,
  type Pages,
  type Wanted,
} from './object-pages.ts';
import { ReadAhead } from './read-ahead.ts';
import { openObject } from './repo-object.ts';

/** Below this much other threads would only cost time. */
const PARALLEL_FROM_BYTES = 4 * 2 ** 20;

/** Few enough that they are forgotten before the collector has moved them. */
const LOCATED_ENTRIES = 64;

/** What was read, or what keeps its place between objects. */
export interface Read<T> {
  readonly about: T;
  readonly plaintext: Uint8Array | undefined;
}

export class ObjectReader {
  readonly #repository: ObjectSource;
  readonly #key: Key;
  readonly #opener: ObjectOpener | undefined;
  readonly #recycles: boolean;
  /** For what this thread does of writeFiles() and openInto(). */
  #ownOpener: SealedOpener | undefined;
  #readBytes = 0;

  constructor(repository: ObjectSource, key: Key, opener?: ObjectOpener, recycles = false) {
    this.#repository = repository;
    this.#key = key;
    this.#opener = opener;
    this.#recycles = recycles;
  }

  /** Threads for withOpener(), and, with `memory`, for openInto(); the caller ends them. */
  createOpener(threads: number, memory?: SharedArrayBuffer): ObjectOpener {
    return new ObjectOpener(this.#key.material, threads, memory);
  }

  /**
   * A reader of the same objects that has other threads open them. With `recycles`, a plaintext may only be used
   * until the next one is asked for: its memory, shared with other threads, is taken back then.
   */
  withOpener(opener: ObjectOpener, options: { recycles?: boolean } = {}): ObjectReader {
    return new ObjectReader(this.#repository, this.#key, opener, options.recycles ?? false);
  }

  /** The plaintext of one object; throws ObjectNotFound, IntegrityError, DecompressionError. */
  async read(id: Uint8Array): Promise<Uint8Array> {
    return openObject(this.#key, id, await this.#repository.get(id));
  }

  /**
   * Opens an object into memory that it fills; false where that is not possible: read() tells why. With an opener, whose
   * memory it must be, another thread does it, behind what it has been given before.
   */
  async openInto(id: Uint8Array, into: Uint8Array, opener?: ObjectOpener): Promise<boolean> {
    // The memory of what comes is given away, so it must be ours.
    for await (const sealed of getPlaces(this.#repository, [id])) {
      if (opener !== undefined) return await opener.openInto({ id, sealed }, into);
      try {
        return this.#openHere({ id, sealed }, into);
      } finally {
        releaseSealed(sealed);
        if (!isPlace(sealed)) releaseBuffer(sealed);
      }
    }
    return false;
  }

  /** The plaintexts of objects, in the order of `ids`. */
  async *readMany(ids: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const { plaintext } of this.readPages(pagesOf(ids))) yield plaintext!;
  }

  /** The plaintexts of what the pages want, in its order; see fetchPages(). */
  async *readPages<T>(pages: Pages<T>): AsyncGenerator<Read<T>, void, undefined> {
    const fetch = this.#opener === undefined ? fetchPages : fetchPlaces;
    const source: AsyncGenerator<Fetched<T, Sealed>, void, undefined> = fetch(this.#repository, pages);
    try {
      while (this.#opener === undefined || this.#readBytes < PARALLEL_FROM_BYTES) {
        const next = await source.next();
        if (next.done === true) return;
        const { about, id, sealed } = next.value;
        const plaintext = id && sealed && this.#open(id, await this.#bytesOf(id, sealed));
        yield { about, plaintext };
        if (this.#recycles && plaintext !== undefined) releaseBuffer(plaintext);
      }
      for await (const { about, id, plaintext } of new ReadAhead(source, this.#opener)) {
        // Read again by this thread, a damaged object tells what is wrong with it.
        if (plaintext === undefined) yield { about, plaintext: id && (await this.read(id)) };
        else yield { about, plaintext: this.#recycles ? plaintext : plaintext.slice() };
      }
    } finally {
      // Whoever leaves early does not wait for what is under way.
      source.return().catch(() => {});
    }
  }

  /** What the pages want, in its order, still sealed: for writeFiles(). See fetchUnread(). */
  fetchSealed<T>(pages: Pages<T>): AsyncGenerator<readonly Fetched<T, Unread>[], void, undefined> {
    return fetchUnread(this.#repository, pages);
  }

  /** How many entries of pages are asked for at once: few, where it costs nothing to ask. */
  get pageEntries(): number {
    return this.#repository.locate === undefined ? PAGE_ENTRIES : LOCATED_ENTRIES;
  }

  /**
   * Opens the objects, whose memory it takes over, and writes their plaintexts to files: here, or, where there is much, in
   * other threads. What the writes name must stay open until the promise is settled. Rejected only where threads fail.
   */
  async writeFiles(objects: readonly SealedInput[], writes: readonly FileWrite[]): Promise<FileOutcome[]> {
    if (this.#opener !== undefined && this.#readBytes >= PARALLEL_FROM_BYTES) {
      return this.#opener.write(objects, writes);
    }
    const plaintexts = new Plaintexts(this.#openerHere.openEach(objects));
    let outcomes: FileOutcome[];
    try {
      outcomes = writeFiles(plaintexts, writes);
    } finally {
      plaintexts.end();
    }
    for (const { sealed } of objects) releaseSealed(sealed);
    const sealedBytes = objects.reduce((sum, { sealed }) => sum + sealedSizeBytes(sealed), 0);
    const plainBytes = outcomes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#readBytes += Math.max(sealedBytes, plainBytes);
    return outcomes;
  }

  get #openerHere(): SealedOpener {
    return (this.#ownOpener ??= new SealedOpener(this.#key.material));
  }

  #openHere(object: SealedInput, into: Uint8Array): boolean {
    let isOpened = false;
    for (const plaintext of this.#openerHere.openEach([object])) {
      isOpened = plaintext?.length === into.length;
      if (isOpened) copyMemory(into, plaintext!);
    }
    return isOpened;
  }

  async #bytesOf(id: Uint8Array, sealed: Sealed): Promise<Uint8Array> {
    if (!isPlace(sealed)) return sealed;
    sealed.release();
    return this.#repository.get(id);
  }

  #open(id: Uint8Array, sealed: Uint8Array): Uint8Array {
    const sealedBytes = sealed.length;
    const plaintext = openObject(this.#key, id, sealed);
    // Zeros take next to nothing in the repository.
    this.#readBytes += Math.max(sealedBytes, plaintext.length);
    return plaintext;
  }
}

function* pagesOf(ids: readonly Uint8Array[]): Generator<Wanted<undefined>[], void, undefined> {
  for (const page of batches(ids, PAGE_ENTRIES)) yield page.map((id) => ({ about: undefined, id }));
}
