/**
 * Has threads open objects ahead of whoever takes them: in order, and bounded by bytes and by number.
 */
import type { ObjectOpener, OpenedPart } from '../pipeline/object-opener.ts';
import type { SealedInput } from '../pipeline/open-batch.ts';
import { releaseSealed, type Sealed, sealedSizeBytes } from '../util/sealed.ts';
import type { Fetched } from './object-pages.ts';

export interface ReadAheadBounds {
  /** A batch, which goes to a thread as a whole, ends with the object that makes it this large. */
  readonly batchBytes: number;
  /** Or with so many objects, and things that keep their place between objects. */
  readonly batchEntries: number;
  /** Sealed bytes that are being opened or wait to be taken; the last batch may reach beyond. */
  readonly aheadBytes: number;
}

const BOUNDS: ReadAheadBounds = { batchBytes: 512 * 1024, batchEntries: 512, aheadBytes: 16 * 2 ** 20 };

export interface Opened<T> {
  readonly about: T;
  readonly id: Uint8Array | undefined;
  /**
   * Verified. In memory that is shared between threads, good until the next one is asked for. Undefined where the object
   * is damaged, or none came.
   */
  readonly plaintext: Uint8Array | undefined;
}

interface Entry<T> {
  readonly about: T;
  readonly id: Uint8Array | undefined;
  readonly isOpened: boolean;
}

interface Batch<T> {
  readonly entries: readonly Entry<T>[];
  readonly sizeBytes: number;
  /** What was not taken of it yet, as far as it was asked for; undefined at its end. */
  opened: Promise<OpenedPart> | undefined;
}

/** What comes of the source; once only. Throws what the source throws, after all that came before it. */
export class ReadAhead<T> implements AsyncIterable<Opened<T>> {
  readonly #source: AsyncIterator<Fetched<T, Sealed>>;
  readonly #opener: Pick<ObjectOpener, 'open' | 'capacity'>;
  readonly #bounds: ReadAheadBounds;
  readonly #batches: Batch<T>[] = [];
  #aheadBytes = 0;
  #isEnded = false;
  #isLeft = false;
  #failure: { readonly error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  /** The source is left to the caller to close. It may be asked for one more when the reading is left early. */
  constructor(
    source: AsyncIterator<Fetched<T, Sealed>>,
    opener: Pick<ObjectOpener, 'open' | 'capacity'>,
    bounds: Partial<ReadAheadBounds> = {},
  ) {
    this.#source = source;
    this.#opener = opener;
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Opened<T>, void, undefined> {
    void this.#fill();
    try {
      for (;;) {
        const [batch] = this.#batches;
        if (batch !== undefined) {
          yield* take(batch);
          // What may come behind its last object holds places too, if only empty ones, and others wait behind them.
          discard(batch);
          this.#batches.shift();
          this.#aheadBytes -= batch.sizeBytes;
          this.#change();
        } else if (this.#isEnded) break;
        else await this.#changed.promise;
      }
    } finally {
      this.#isLeft = true;
      this.#change();
      // The threads may serve others after us, and must not wait for room that nobody gives back.
      for (const batch of this.#batches) discard(batch);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Goes on while batches are taken, so that neither the source nor the threads wait for the other end. */
  async #fill(): Promise<void> {
    while (!this.#isEnded && !this.#isLeft) {
      if (this.#isFull) await this.#changed.promise;
      else await this.#addBatch();
    }
  }

  get #isFull(): boolean {
    return this.#aheadBytes >= this.#bounds.aheadBytes || this.#batches.length >= this.#opener.capacity;
  }

  async #addBatch(): Promise<void> {
    const entries: Entry<T>[] = [];
    const objects: SealedInput[] = [];
    let sizeBytes = 0;
    try {
      while (sizeBytes < this.#bounds.batchBytes && entries.length < this.#bounds.batchEntries) {
        const { done, value } = await this.#source.next();
        if (this.#isLeft) {
          for (const { sealed } of [...objects, value ?? {}]) releaseSealed(sealed);
          return;
        }
        this.#isEnded = done === true;
        if (done === true) break;
        const { about, id, sealed } = value;
        const isOpened = id !== undefined && sealed !== undefined;
        entries.push({ about, id, isOpened });
        if (!isOpened) continue;
        objects.push({ id, sealed });
        sizeBytes += sealedSizeBytes(sealed);
      }
    } catch (error) {
      this.#failure = { error };
      this.#isEnded = true;
    }
    if (entries.length > 0) {
      const opened = objects.length === 0 ? undefined : this.#opener.open(objects);
      // Awaited in its turn; until then a failure must not count as nobody's.
      opened?.catch(() => {});
      this.#batches.push({ entries, sizeBytes, opened });
      this.#aheadBytes += sizeBytes;
    }
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

async function* take<T>(batch: Batch<T>): AsyncGenerator<Opened<T>, void, undefined> {
  let part: OpenedPart | undefined;
  let index = 0;
  try {
    for (const { about, id, isOpened } of batch.entries) {
      if (!isOpened) {
        yield { about, id, plaintext: undefined };
        continue;
      }
      while (part === undefined || index === part.plaintexts.length) {
        part?.release();
        part = await batch.opened!;
        batch.opened = part.next;
        index = 0;
      }
      yield { about, id, plaintext: part.plaintexts[index++] };
    }
  } finally {
    part?.release();
  }
}

/** Gives back the memory of what is not wanted after all. */
function discard(batch: Batch<unknown>): void {
  void batch.opened?.then(
    (part) => {
      part.release();
      batch.opened = part.next;
      discard(batch);
    },
    () => {},
  );
}
