/**
 * Reads repository objects in order and opens them: on this thread, or, where there is much to read, on others.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.fetch_many.
 */
import type { Key } from '../keys/key.ts';
import { type OpenedPart, ObjectOpener, type SealedInput } from '../pipeline/object-opener.ts';
import { releaseBuffer } from '../pipeline/open-batch.ts';
import type { Repository } from '../repository/repository.ts';
import { openObject } from './repo-object.ts';

/** Below this much other threads would only cost time. */
const PARALLEL_FROM_BYTES = 4 * 2 ** 20;
const BATCH_BYTES = 512 * 1024;
/** Sealed bytes that are being opened or wait to be taken. */
const MAX_AHEAD_BYTES = 16 * 2 ** 20;

interface Batch {
  readonly ids: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** What was not taken of it yet, as far as it was asked for; undefined at its end. */
  opened: Promise<OpenedPart> | undefined;
}

export class ObjectReader {
  readonly #repository: Repository;
  readonly #key: Key;
  readonly #opener: ObjectOpener | undefined;
  readonly #recycles: boolean;
  #readBytes = 0;

  constructor(repository: Repository, key: Key, opener?: ObjectOpener, recycles = false) {
    this.#repository = repository;
    this.#key = key;
    this.#opener = opener;
    this.#recycles = recycles;
  }

  /** Threads for withOpener(); the caller ends them. */
  createOpener(threads: number): ObjectOpener {
    return new ObjectOpener(this.#key.material, threads);
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

  /** The plaintexts of objects, in the order of `ids`. */
  async *readMany(ids: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
    const source = this.#sealed(ids);
    try {
      while (this.#opener === undefined || this.#readBytes < PARALLEL_FROM_BYTES) {
        const next = await source.next();
        if (next.done === true) return;
        const plaintext = this.#open(next.value);
        // Zeros take next to nothing in the repository.
        this.#readBytes += Math.max(next.value.sealed.length, plaintext.length);
        yield plaintext;
        if (this.#recycles) releaseBuffer(plaintext);
      }
      yield* this.#readParallel(source, this.#opener);
    } finally {
      await source.return();
    }
  }

  async *#sealed(ids: readonly Uint8Array[]): AsyncGenerator<SealedInput, void, undefined> {
    let next = 0;
    for await (const sealed of this.#repository.getMany(ids)) yield { id: ids[next++]!, sealed };
  }

  #open({ id, sealed }: SealedInput): Uint8Array {
    return openObject(this.#key, id, sealed);
  }

  async *#readParallel(
    source: AsyncGenerator<SealedInput, void, undefined>,
    opener: ObjectOpener,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const ahead: Batch[] = [];
    let aheadBytes = 0;
    let ended = false;
    let failure: { readonly error: unknown } | undefined;
    try {
      for (;;) {
        while (!ended && aheadBytes < MAX_AHEAD_BYTES && ahead.length < opener.capacity) {
          const taken = await takeBatch(source);
          ({ ended, failure } = taken);
          if (taken.objects.length === 0) break;
          const ids = taken.objects.map(({ id }) => id);
          ahead.push({ ids, sizeBytes: taken.sizeBytes, opened: opener.open(taken.objects) });
          aheadBytes += taken.sizeBytes;
        }
        const [batch] = ahead;
        if (batch === undefined) break;
        yield* this.#take(batch);
        ahead.shift();
        aheadBytes -= batch.sizeBytes;
      }
    } finally {
      // The threads may serve others after us, and must not wait for room that nobody gives back.
      for (const batch of ahead) discard(batch);
    }
    if (failure !== undefined) throw failure.error;
  }

  async *#take(batch: Batch): AsyncGenerator<Uint8Array, void, undefined> {
    let number = 0;
    while (batch.opened !== undefined) {
      const part = await batch.opened;
      batch.opened = part.next;
      try {
        for (const plaintext of part.plaintexts) {
          const id = batch.ids[number++]!;
          // Read again by this thread, a damaged object tells what is wrong with it.
          if (plaintext === undefined) yield await this.read(id);
          else yield this.#recycles ? plaintext : plaintext.slice();
        }
      } finally {
        part.release();
      }
    }
  }
}

/** Gives back the memory of what is not wanted after all. */
function discard(batch: Batch): void {
  void batch.opened?.then(
    (part) => {
      part.release();
      batch.opened = part.next;
      discard(batch);
    },
    () => {},
  );
}

interface Taken {
  readonly objects: readonly SealedInput[];
  readonly sizeBytes: number;
  readonly ended: boolean;
  /** What ended the source, to be thrown after all that came before it was used. */
  readonly failure: { readonly error: unknown } | undefined;
}

async function takeBatch(source: AsyncGenerator<SealedInput, void, undefined>): Promise<Taken> {
  const objects: SealedInput[] = [];
  let sizeBytes = 0;
  try {
    while (sizeBytes < BATCH_BYTES) {
      const next = await source.next();
      if (next.done === true) return { objects, sizeBytes, ended: true, failure: undefined };
      objects.push(next.value);
      sizeBytes += next.value.sealed.length;
    }
  } catch (error) {
    return { objects, sizeBytes, ended: true, failure: { error } };
  }
  return { objects, sizeBytes, ended: false, failure: undefined };
}
