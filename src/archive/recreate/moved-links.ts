/**
 * Hard links of an archive of which only a part is taken over: where the first name is left out, the next one takes
 * its place, and all that follow name that one.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveRecreater.process_items.
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { toBinaryString } from '../../util/bytes.ts';
import { isLinkable, isLinkMaster } from '../hard-links.ts';

interface Contents {
  readonly chunks: ChunkRef[] | undefined;
  readonly chunksHealthy: ChunkRef[] | undefined;
}

export class MovedLinks {
  /** By path of the first name: what it had, or the path that has it now. */
  readonly #masters = new Map<string, Contents | { readonly movedTo: Uint8Array }>();

  /** Remembers an item that is left out. */
  leftOut(item: Item): void {
    if (!isLinkMaster(item)) return;
    const { chunks, chunksHealthy } = item;
    this.#masters.set(toBinaryString(item.path), { chunks, chunksHealthy });
  }

  /** Changes an item that is taken over, where what it names as its source is not. */
  takenOver(item: Item): void {
    if (item.source === undefined || !isLinkable(item)) return;
    const key = toBinaryString(item.source);
    const master = this.#masters.get(key);
    if (master === undefined) return;
    if ('movedTo' in master) {
      item.source = master.movedTo;
      return;
    }
    if (master.chunks !== undefined) item.chunks = master.chunks;
    if (master.chunksHealthy !== undefined) item.chunksHealthy = master.chunksHealthy;
    delete item.source;
    this.#masters.set(key, { movedTo: item.path });
  }
}
