/**
 * Items together with their contents: the chunks of many items are fetched as one long request, so that small files
 * cost no round trip each, while only a bounded number of items is held.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.unpack_many (preload).
 */
import type { Item } from '../../format/item.ts';
import type { ObjectReader } from '../object-reader.ts';

const BATCH_ITEMS = 1000;
const BATCH_CHUNKS = 1000;

export class ContentReader {
  readonly #reader: ObjectReader;
  readonly #source: AsyncIterable<Item>;
  #chunks: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  /** Chunks of the current item that are still to come. */
  #left = 0;

  constructor(reader: ObjectReader, source: AsyncIterable<Item>) {
    this.#reader = reader;
    this.#source = source;
  }

  /** The items in their order. Contents of an item can be read until the next one is asked for. */
  async *items(): AsyncGenerator<Item, void, undefined> {
    let batch: Item[] = [];
    let chunks = 0;
    for await (const item of this.#source) {
      batch.push(item);
      chunks += item.chunks?.length ?? 0;
      if (batch.length < BATCH_ITEMS && chunks < BATCH_CHUNKS) continue;
      yield* this.#withContents(batch);
      batch = [];
      chunks = 0;
    }
    yield* this.#withContents(batch);
  }

  /** The current item's contents; once only. */
  async *contents(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#left > 0) {
      this.#left -= 1;
      const next = await this.#chunks!.next();
      if (next.done === true) throw new Error('the repository gave fewer objects than asked for');
      yield next.value;
    }
  }

  async *#withContents(batch: readonly Item[]): AsyncGenerator<Item, void, undefined> {
    const ids = batch.flatMap((item) => (item.chunks ?? []).map((chunk) => chunk.id));
    this.#chunks = this.#reader.readMany(ids);
    try {
      for (const item of batch) {
        this.#left = item.chunks?.length ?? 0;
        yield item;
        // What was not wanted after all has to be passed over.
        for (; this.#left > 0; this.#left -= 1) await this.#chunks.next();
      }
    } finally {
      await this.#chunks.return();
    }
  }
}
