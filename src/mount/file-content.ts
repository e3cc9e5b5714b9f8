/**
 * The contents of one open file: which chunks a read is about, and which ones to fetch ahead of reads that go on where the
 * last one ended.
 *
 * Source: Borg 1.4.5, fuse.py, FuseOperations.read.
 */
import { IntegrityError } from '../errors.ts';
import type { ChunkTable } from '../format/packed-item.ts';
import { unlessAborted } from '../util/abortable.ts';
import { concatBytes } from '../util/bytes.ts';
import type { FileChunks, HeldChunk } from './file-chunks.ts';
import { type Soon, type TakeParts, VfsError, type VfsFile } from './vfs.ts';

const ID_BYTES = 32;
/** Reads of one reader may come in another order, by so much. */
const DISORDER_BYTES = 2 ** 20;
/** Who reads less wants only that. */
const AHEAD_FROM_BYTES = 256 * 1024;
const MAX_AHEAD_BYTES = 16 * 2 ** 20;
/** More than this is put together piece by piece, so that no more chunks are held at a time. */
const PIECE_BYTES = 2 ** 20;
const NO_BYTES = new Uint8Array(0);

/** Tells of a chunk that could not be read, and gives what the reader is to be told. */
export type ReadFailure = (error: unknown, chunk: number, id: Uint8Array) => VfsError;

/** A part of the file, and the chunks that it is about. */
interface Range {
  readonly offset: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

export class FileContent implements VfsFile {
  readonly sizeBytes: number;
  readonly #chunks: FileChunks;
  readonly #table: ChunkTable;
  readonly #failed: ReadFailure;
  #lastChunk = 0;
  /** How much was read by reads that follow each other, and where they have come to. */
  #runBytes = 0;
  #reachedBytes = 0;
  /** The last chunk that is, or was, fetched ahead of them. */
  #fetchedTo = 0;

  constructor(chunks: FileChunks, table: ChunkTable, failed: ReadFailure) {
    this.#chunks = chunks;
    this.#table = table;
    this.#failed = failed;
    this.sizeBytes = table.ends.at(-1) ?? 0;
  }

  read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Soon<Uint8Array> {
    if (lengthBytes > PIECE_BYTES) return this.#readPieces(offsetBytes, lengthBytes, signal);
    let bytes: Uint8Array = NO_BYTES;
    const take = (parts: readonly Uint8Array[]) => {
      bytes = concatBytes(parts);
    };
    const reading = this.readParts(offsetBytes, lengthBytes, take, signal);
    return reading instanceof Promise ? reading.then(() => bytes) : bytes;
  }

  readParts(offsetBytes: number, lengthBytes: number, take: TakeParts, signal?: AbortSignal): Soon<void> {
    if (!(offsetBytes >= 0 && lengthBytes >= 0)) throw new VfsError('EINVAL', 'no such place in a file');
    const end = Math.min(offsetBytes + lengthBytes, this.sizeBytes);
    if (offsetBytes >= end) return take([]);
    const first = this.#chunkAt(offsetBytes);
    const last = end <= this.#table.ends[first]! ? first : this.#chunkAt(end - 1);
    const range: Range = { offset: offsetBytes, end, first, last };
    const held = [this.#hold(first)];
    while (isAtHand(held.at(-1)!) && first + held.length <= last) held.push(this.#hold(first + held.length));
    const reading = held.every(isAtHand) ? undefined : this.#gather(held, range, take, signal);
    // Behind what is wanted now.
    this.#fetchAhead(offsetBytes, end, last);
    if (reading !== undefined) return signal === undefined ? reading : unlessAborted(reading, signal);
    try {
      return take(held.map(({ data }, index) => this.#part(data as Uint8Array, first + index, range)));
    } finally {
      for (const chunk of held) chunk.release();
    }
  }

  close(): void {
    // What is fetched ahead still comes in, and may be of use to the next reader.
  }

  async #readPieces(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const result = new Uint8Array(Math.max(Math.min(length, this.sizeBytes - offset), 0));
    for (let at = 0; at < result.length; at += PIECE_BYTES) {
      const piece = await this.read(offset + at, Math.min(PIECE_BYTES, result.length - at), signal);
      result.set(piece, at);
    }
    return result;
  }

  /** `held`: the first chunks of the range. */
  async #gather(
    held: HeldChunk[],
    range: Range,
    take: TakeParts,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const parts: Uint8Array[] = [];
    try {
      for (let chunk = range.first; chunk <= range.last; chunk++) {
        if (held.length === parts.length) held.push(this.#hold(chunk));
        parts.push(this.#part(await this.#opened(held[parts.length]!, chunk), chunk, range));
      }
      // Who was interrupted has been told so.
      signal?.throwIfAborted();
      take(parts);
    } finally {
      for (const chunk of held) chunk.release();
    }
  }

  #hold(chunk: number): HeldChunk {
    return this.#chunks.hold(this.#id(chunk), this.#sizeOf(chunk));
  }

  async #opened({ data }: HeldChunk, chunk: number): Promise<Uint8Array> {
    try {
      return await data;
    } catch (error) {
      throw this.#failed(error, chunk, this.#id(chunk));
    }
  }

  /** What of a chunk lies in the range. */
  #part(data: Uint8Array, chunk: number, { offset, end }: Range): Uint8Array {
    const size = this.#sizeOf(chunk);
    if (data.length !== size) {
      const error = new IntegrityError([`a chunk of ${size} bytes has ${data.length}`]);
      throw this.#failed(error, chunk, this.#id(chunk));
    }
    const start = this.#startOf(chunk);
    return data.subarray(Math.max(offset - start, 0), end - start);
  }

  /** The further somebody has read on, the further ahead. */
  #fetchAhead(offset: number, end: number, last: number): void {
    const goesOn = Math.abs(offset - this.#reachedBytes) <= DISORDER_BYTES;
    this.#runBytes = end - offset + (goesOn ? this.#runBytes : 0);
    this.#reachedBytes = Math.max(end, goesOn ? this.#reachedBytes : 0);
    if (!goesOn) this.#fetchedTo = last;
    if (this.#runBytes < AHEAD_FROM_BYTES) return;
    const aheadBytes = Math.min(this.#runBytes, MAX_AHEAD_BYTES, this.#chunks.maxAheadBytes);
    const { ends } = this.#table;
    for (let chunk = Math.max(this.#fetchedTo, last) + 1; chunk < ends.length; chunk++) {
      if (this.#startOf(chunk) > this.#reachedBytes + aheadBytes) return;
      if (!this.#chunks.fetchAhead(this.#id(chunk), this.#sizeOf(chunk))) return;
      this.#fetchedTo = chunk;
    }
  }

  /** The chunk that holds a byte of the file; a chunk without bytes holds none. */
  #chunkAt(offset: number): number {
    const { ends } = this.#table;
    const near = this.#lastChunk;
    for (let chunk = near; chunk <= near + 1 && chunk < ends.length; chunk++) {
      if (offset >= this.#startOf(chunk) && offset < ends[chunk]!) return (this.#lastChunk = chunk);
    }
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]! > offset) high = middle;
      else low = middle + 1;
    }
    return (this.#lastChunk = low);
  }

  #startOf(chunk: number): number {
    return chunk === 0 ? 0 : this.#table.ends[chunk - 1]!;
  }

  #sizeOf(chunk: number): number {
    return this.#table.ends[chunk]! - this.#startOf(chunk);
  }

  #id(chunk: number): Uint8Array {
    return this.#table.ids.subarray(chunk * ID_BYTES, (chunk + 1) * ID_BYTES);
  }
}

function isAtHand({ data }: HeldChunk): boolean {
  return !(data instanceof Promise);
}
