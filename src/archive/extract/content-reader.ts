/**
 * Items together with their contents. Chunks are asked for page by page, each of many items, and the next page before
 * this one is used up: small files cost no round trip each, and only a bounded number of items is held.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.unpack_many (preload).
 */
import type { Item } from '../../format/item.ts';
import { pagesOfEach } from '../object-pages.ts';
import type { ObjectReader, Read } from '../object-reader.ts';

/** An item, with its chunks behind it. */
type Entry = Item | undefined;

export class ContentReader {
  readonly #reader: ObjectReader;
  readonly #source: AsyncIterable<Item>;
  #entries: AsyncGenerator<Read<Entry>, void, undefined> | undefined;
  /** Chunks of the current item that are still to come. */
  #left = 0;

  constructor(reader: ObjectReader, source: AsyncIterable<Item>) {
    this.#reader = reader;
    this.#source = source;
  }

  /** The items in their order. Contents of an item can be read until the next one is asked for. */
  async *items(): AsyncGenerator<Item, void, undefined> {
    const entries = (this.#entries = this.#reader.readPages(
      pagesOfEach(this.#source, ({ chunks }) => chunks?.map(({ id }) => id) ?? []),
    ));
    try {
      for (;;) {
        const next = await entries.next();
        if (next.done === true) return;
        const item = next.value.about;
        // What was not wanted after all is passed over.
        if (item === undefined) continue;
        this.#left = item.chunks?.length ?? 0;
        yield item;
      }
    } finally {
      await entries.return();
    }
  }

  /** The current item's contents; once only. */
  async *contents(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#left > 0) {
      this.#left -= 1;
      const next = await this.#entries!.next();
      yield next.value!.plaintext!;
    }
  }
}
