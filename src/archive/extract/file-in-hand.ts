/** A regular file whose objects are arriving. A large one is open meanwhile, and written in parts. */
import type { ChunkRef, Item } from '../../format/item.ts';
import type { SealedInput } from '../../pipeline/open-batch.ts';
import type { At } from '../../platform/file-stat.ts';
import { closeFile } from '../../platform/open-file.ts';
import { replaceFile, truncateFile } from '../../platform/write-file.ts';
import { releaseSealed, sealedSizeBytes, type Unread } from '../../util/sealed.ts';
import { extractIo } from './extract-error.ts';
import type { PathUnderWay } from './paths-under-way.ts';

/** What compresses very well is no small work all the same. */
const PLAIN_BYTES_PER_SEALED = 8;

/** Objects of a file that are written together. */
export interface FilePart {
  readonly objects: readonly SealedInput[];
  /** What the item says of them. */
  readonly chunks: readonly ChunkRef[];
  readonly offsetBytes: number;
  /** About how much work they are. */
  readonly sizeBytes: number;
}

export class FileInHand {
  readonly item: Item;
  readonly path: Uint8Array;
  /** Open until the next item begins. */
  readonly at: At;
  readonly underWay: PathUnderWay;
  /** Of the objects at hand. */
  sizeBytes = 0;
  /** Of its front so much has been written. */
  writtenBytes = 0;
  isAnnounced = false;
  /** Nothing more is to be written to it. */
  isGivenUp = false;
  /** There is another in its place. */
  isReplaced = false;
  readonly #chunks: readonly ChunkRef[];
  #objects: SealedInput[] = [];
  #arrived = 0;
  #taken = 0;
  #offsetBytes = 0;
  #isLarge = false;
  #fd: number | undefined;

  constructor(item: Item, path: Uint8Array, at: At, underWay: PathUnderWay) {
    this.item = item;
    this.path = path;
    this.at = at;
    this.underWay = underWay;
    this.#chunks = item.chunks ?? [];
  }

  get isComplete(): boolean {
    return this.#arrived === this.#chunks.length;
  }

  /** Those at hand. */
  get objects(): readonly SealedInput[] {
    return this.#objects;
  }

  /** It is written in parts. */
  get isLarge(): boolean {
    return this.#isLarge;
  }

  /** Where it is open. */
  get fd(): number | undefined {
    return this.#fd;
  }

  add(id: Uint8Array, sealed: Unread): void {
    const plainBytes = this.#chunks[this.#arrived++]?.size ?? 0;
    if (this.isGivenUp) return releaseSealed(sealed);
    this.#objects.push({ id, sealed });
    this.sizeBytes += Math.max(sealedSizeBytes(sealed), plainBytes / PLAIN_BYTES_PER_SEALED);
  }

  /** All objects, which are the caller's from now on. */
  takeAll(): readonly SealedInput[] {
    const objects = this.#objects;
    this.#objects = [];
    return objects;
  }

  /** The objects at hand, which are the caller's from now on. */
  takePart(): FilePart {
    const { sizeBytes } = this;
    const [objects, offsetBytes] = [this.#objects, this.#offsetBytes];
    const chunks = this.#chunks.slice(this.#taken, this.#arrived);
    this.#taken = this.#arrived;
    this.#offsetBytes += plainBytesOf(chunks);
    [this.#objects, this.sizeBytes] = [[], 0];
    return { objects, chunks, offsetBytes, sizeBytes };
  }

  /** Makes the file, for parts to be written; throws a BackupError. */
  open(): number {
    this.#isLarge = true;
    this.#fd ??= extractIo('open', () => replaceFile(this.path, this.at), this.path);
    return this.#fd;
  }

  /** No more of it is to be written, and what is at hand goes. */
  giveUp(): void {
    this.isGivenUp = true;
    for (const { sealed } of this.takePart().objects) releaseSealed(sealed);
  }

  /** Makes the open file as large as what was written from its front on. To be called when no thread writes to it. */
  cut(): void {
    const fd = this.#fd;
    if (fd !== undefined) extractIo('truncate_and_attrs', () => truncateFile(fd, this.writtenBytes));
  }

  close(): void {
    if (this.#fd !== undefined) closeFile(this.#fd);
    this.#fd = undefined;
  }
}

export function plainBytesOf(chunks: readonly ChunkRef[]): number {
  return chunks.reduce((sum, { size }) => sum + size, 0);
}
