import type { Item } from '../../format/item.ts';
import type { Wanted } from '../object-pages.ts';

/** An item, or, with an id, one of the chunks behind it. */
export type WantedItem = Wanted<Item | undefined>;

/** Pages of items, each with its chunks behind it. Throws what `batches` throws, after a page of what came before it. */
export async function* itemPages(
  batches: AsyncIterable<readonly Item[]>,
  pageEntries: number,
): AsyncGenerator<WantedItem[], void, undefined> {
  let page: WantedItem[] = [];
  try {
    for await (const batch of batches) {
      for (const item of batch) {
        page.push({ about: item });
        for (const { id, csize } of item.chunks ?? []) {
          page.push({ about: undefined, id, sizeBytes: csize });
          if (page.length < pageEntries) continue;
          yield page;
          page = [];
        }
        if (page.length < pageEntries) continue;
        yield page;
        page = [];
      }
    }
  } catch (error) {
    yield page;
    throw error;
  }
  yield page;
}
