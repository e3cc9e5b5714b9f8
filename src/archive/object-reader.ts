/**
 * Reads repository objects in order and opens them: on this thread, or, where there is much to read, on others.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.fetch_many.
 */
import type { Key } from '../keys/key.ts';
import { type OpenedBatch, ObjectOpener, type SealedInput } from '../pipeline/object-opener.ts';
import type { Repository } from '../repository/repository.ts';
import { openObject } from './repo-object.ts';

/** Below this much other threads would only cost time. */
const PARALLEL_FROM_BYTES = 4 * 2 ** 20;
const BATCH_BYTES = 512 * 1024;
/** Sealed bytes that are being opened or wait to be taken. */
const MAX_AHEAD_BYTES = 24 * 2 ** 20;

interface Batch {
  readonly objects: readonly SealedInput[];
  readonly sizeBytes: number;
  readonly opened: Promise<OpenedBatch>;
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
   * until the next one is asked for: its memory is taken back then.
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
        this.#readBytes += next.value.sealed.length;
        yield this.#open(next.value);
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
    for (;;) {
      while (!ended && aheadBytes < MAX_AHEAD_BYTES && ahead.length < opener.capacity) {
        const taken = await takeBatch(source);
        ended = taken.ended;
        failure = taken.failure;
        if (taken.objects.length === 0) break;
        const batch = { ...taken, opened: opener.open(taken.objects) };
        // Awaited in its turn; until then a failure must not count as nobody's.
        batch.opened.catch(() => {});
        ahead.push(batch);
        aheadBytes += batch.sizeBytes;
      }
      const batch = ahead.shift();
      if (batch === undefined) break;
      yield* this.#take(batch, opener);
      aheadBytes -= batch.sizeBytes;
    }
    if (failure !== undefined) throw failure.error;
  }

  async *#take(batch: Batch, opener: ObjectOpener): AsyncGenerator<Uint8Array, void, undefined> {
    let objects: readonly SealedInput[] = batch.objects;
    for (let opening: Promise<OpenedBatch> | undefined = batch.opened; opening !== undefined;) {
      const opened = await opening;
      const rest = objects.slice(opened.plaintexts.length);
      opening = rest.length > 0 ? opener.open(rest) : undefined;
      opening?.catch(() => {});
      for (const [index, plaintext] of opened.plaintexts.entries())
        yield plaintext ?? this.#open(objects[index]!);
      if (this.#recycles) opened.release();
      objects = rest;
    }
  }
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
