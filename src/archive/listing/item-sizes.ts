/**
 * Sizes of an item.
 *
 * Source: Borg 1.4.5, item.pyx, Item.get_size.
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';

const TYPE_MASK = 0o170000;
const SYMLINK = 0o120000;

/** Size of the contents; hard links after the first have none of their own. A symlink's is its target's length. */
export function itemSizeBytes(item: Item): number {
  return item.size ?? computedSize(item, (chunk) => chunk.size);
}

/** As `itemSizeBytes`, compressed and sealed. */
export function itemCsizeBytes(item: Item): number {
  return computedSize(item, (chunk) => chunk.csize);
}

function computedSize(item: Item, size: (chunk: ChunkRef) => number): number {
  if (((item.mode ?? 0) & TYPE_MASK) === SYMLINK) {
    return item.source === undefined ? 0 : Array.from(decodeSurrogateEscaped(item.source)).length;
  }
  let total = 0;
  for (const chunk of item.chunks ?? []) total += size(chunk);
  return total;
}
