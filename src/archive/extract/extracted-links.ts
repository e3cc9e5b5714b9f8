/**
 * Which extracted path further names of a file link to, and, where the first name was not selected, its chunks.
 *
 * Source: Borg 1.4.5, archiver.py, do_extract (peek_and_store_hardlink_masters); archive.py, extract_helper.
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { isDirectory, isSymlink } from '../../platform/file-stat.ts';
import { fromBinaryString, toBinaryString } from '../../util/bytes.ts';

const ID_BYTES = 32;
const ENTRY_BYTES = ID_BYTES + 8;

export class ExtractedLinks {
  /** By path in the archive: the path where it was extracted, or packed chunks. */
  readonly #masters = new Map<string, { extracted: Uint8Array } | { chunks: Uint8Array | undefined }>();
  readonly #stripComponents: number;

  constructor(stripComponents: number) {
    this.#stripComponents = stripComponents;
  }

  /** Remembers an item that is not selected, since a selected one may be another name of it. */
  skipped(item: Item): void {
    if (item.mode === undefined || isDirectory(item.mode) || isSymlink(item.mode)) return;
    if (item.source !== undefined || item.hardlinkMaster === false) return;
    this.#masters.set(toBinaryString(item.path), { chunks: item.chunks && packChunks(item.chunks) });
  }

  /** What to do for an item with a `source`: link to a path, or extract these chunks. */
  lookUp(source: Uint8Array): { linkTo: Uint8Array } | { chunks: ChunkRef[] | undefined } {
    const master = this.#masters.get(toBinaryString(source));
    if (master === undefined) return { linkTo: stripPath(source, this.#stripComponents) };
    if ('extracted' in master) return { linkTo: master.extracted };
    return { chunks: master.chunks && unpackChunks(master.chunks) };
  }

  /** A name of a file whose first name was not selected has been extracted: the others link to it. */
  extracted(item: Item, path: Uint8Array): void {
    if (item.source === undefined) return;
    const key = toBinaryString(item.source);
    if (this.#masters.has(key)) this.#masters.set(key, { extracted: path });
  }
}

/** The path without its first components; empty where nothing is left. */
export function stripPath(path: Uint8Array, components: number): Uint8Array {
  if (components === 0) return path;
  return fromBinaryString(toBinaryString(path).split('/').slice(components).join('/'));
}

/** 40 bytes a chunk: there may be a list for each file of the archive. */
function packChunks(chunks: readonly ChunkRef[]): Uint8Array {
  const packed = new Uint8Array(chunks.length * ENTRY_BYTES);
  const view = new DataView(packed.buffer);
  chunks.forEach(({ id, size, csize }, index) => {
    packed.set(id, index * ENTRY_BYTES);
    view.setUint32(index * ENTRY_BYTES + ID_BYTES, size);
    view.setUint32(index * ENTRY_BYTES + ID_BYTES + 4, csize);
  });
  return packed;
}

function unpackChunks(packed: Uint8Array): ChunkRef[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const chunks: ChunkRef[] = [];
  for (let at = 0; at < packed.length; at += ENTRY_BYTES) {
    const id = packed.slice(at, at + ID_BYTES);
    chunks.push({ id, size: view.getUint32(at + ID_BYTES), csize: view.getUint32(at + ID_BYTES + 4) });
  }
  return chunks;
}
