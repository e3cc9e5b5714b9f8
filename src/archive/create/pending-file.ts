/** A file on its way into the archive: its content is being read, its item not added yet. */
import type { ChunkRef, Item } from '../../format/item.ts';
import type { FileStat } from '../../platform/file-stat.ts';
import { concatBytes, fromUtf8 } from '../../util/bytes.ts';
import type { BackupError } from '../backup-error.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import type { Verdict } from './file-verification.ts';

export class PendingFile {
  /** As walked, for messages. */
  readonly path: Uint8Array;
  readonly item: Item;
  /** From before its content was read. */
  readonly stat: FileStat | undefined;
  /** Key in the files cache; undefined where it is not to be remembered there. */
  readonly pathHash: Uint8Array | undefined;
  /** When it was about to be read. */
  readonly readNs: bigint | undefined;
  /** Reported before the outcome is: A, M, or i. */
  readonly firstStatus: string;
  /** Its chunks by the files cache, where it is read only to be compared with them. */
  readonly stored: readonly Uint8Array[] | undefined;
  /** What the comparison showed. */
  verdict: Verdict | undefined;
  changed = false;
  error: BackupError | undefined;
  #chunks: ChunkRef[] = [];
  /** Chunks before this one are in part items. */
  #partEnd = 0;
  #parts = 0;

  constructor(fields: {
    path: Uint8Array;
    item: Item;
    stat?: FileStat | undefined;
    pathHash?: Uint8Array | undefined;
    firstStatus: string;
    readNs?: bigint | undefined;
    stored?: readonly Uint8Array[] | undefined;
  }) {
    this.path = fields.path;
    this.item = fields.item;
    this.stat = fields.stat;
    this.pathHash = fields.pathHash;
    this.firstStatus = fields.firstStatus;
    this.readNs = fields.readNs;
    this.stored = fields.stored;
  }

  get chunks(): ChunkRef[] {
    return this.#chunks;
  }

  addChunk(chunk: ChunkRef): void {
    // Most files have one; an array that grows gets room for 17.
    if (this.#chunks.length === 0) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }

  get parts(): number {
    return this.#parts;
  }

  /** Chunks that no part item has. */
  get looseChunks(): ChunkRef[] {
    return this.#chunks.slice(this.#partEnd);
  }

  /** An item for the chunks that no part item has yet; undefined where there are none. */
  takePart(): Item | undefined {
    const chunks = this.looseChunks;
    if (chunks.length === 0) return undefined;
    this.#partEnd = this.#chunks.length;
    this.#parts += 1;
    const path = concatBytes([this.item.path, fromUtf8(`.borg_part_${this.#parts}`)]);
    return { ...this.item, path, chunks, size: totalSize(chunks), part: this.#parts };
  }

  /** At the end: a file that has parts has all of it in parts, and all of it in its own item. */
  finishParts(writer: ArchiveWriter, cache: ChunksCache): void {
    if (this.#parts === 0) return;
    const last = this.takePart();
    if (last !== undefined) writer.addItem(last);
    const { statistics } = writer;
    for (const { id, size } of this.#chunks) cache.incref(id, statistics, size, true);
    statistics.fileParts += this.#parts;
  }
}

export function totalSize(chunks: readonly ChunkRef[]): number {
  let sizeBytes = 0;
  for (const chunk of chunks) sizeBytes += chunk.size;
  return sizeBytes;
}
