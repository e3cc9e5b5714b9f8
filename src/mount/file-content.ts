/**
 * The contents of one open file: which chunks a read is about, and which ones to fetch ahead of reads that go on where the
 * last one ended.
 *
 * Source: Borg 1.4.5, fuse.py, FuseOperations.read.
 */
import { IntegrityError } from '../errors.ts';
import type { ChunkTable } from '../format/packed-item.ts';
import { unlessAborted } from '../util/abortable.ts';
import type { FileChunks } from './file-chunks.ts';
import { type Soon, VfsError, type VfsFile } from './vfs.ts';

const ID_BYTES = 32;
/** Reads of one reader may come in another order, by so much. */
const DISORDER_BYTES = 2 ** 20;
/** Who reads less wants only that. */
const AHEAD_FROM_BYTES = 256 * 1024;
const MAX_AHEAD_BYTES = 16 * 2 ** 20;
const NO_BYTES = new Uint8Array(0);

/** Tells of a chunk that could not be read, and gives what the reader is to be told. */
export type ReadFailure = (error: unknown, chunk: number, id: Uint8Array) => VfsError;

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
    if (!(offsetBytes >= 0 && lengthBytes >= 0)) throw new VfsError('EINVAL', 'no such place in a file');
    const end = Math.min(offsetBytes + lengthBytes, this.sizeBytes);
    if (offsetBytes >= end) return NO_BYTES;
    const first = this.#chunkAt(offsetBytes);
    const last = end <= this.#table.ends[first]! ? first : this.#chunkAt(end - 1);
    const known = first === last ? this.#peek(first) : undefined;
    const reading = known === undefined ? this.#gather(offsetBytes, end, first, last) : undefined;
    // Behind what is wanted now.
    this.#fetchAhead(offsetBytes, end, last);
    if (reading === undefined) {
      const start = this.#startOf(first);
      return known!.subarray(offsetBytes - start, end - start);
    }
    return signal === undefined ? reading : unlessAborted(reading, signal);
  }

  close(): void {
    // What is fetched ahead still comes in, and may be of use to the next reader.
  }

  async #gather(offset: number, end: number, first: number, last: number): Promise<Uint8Array> {
    if (first === last) {
      const data = await this.#fetch(first);
      const start = this.#startOf(first);
      return data.subarray(offset - start, end - start);
    }
    const result = new Uint8Array(end - offset);
    for (let chunk = first; chunk <= last; chunk++) {
      const data = this.#peek(chunk) ?? (await this.#fetch(chunk));
      const start = this.#startOf(chunk);
      const from = Math.max(offset - start, 0);
      result.set(data.subarray(from, Math.min(end - start, data.length)), start + from - offset);
    }
    return result;
  }

  #peek(chunk: number): Uint8Array | undefined {
    const data = this.#chunks.peek(this.#id(chunk));
    return data?.length === this.#sizeOf(chunk) ? data : undefined;
  }

  async #fetch(chunk: number): Promise<Uint8Array> {
    const id = this.#id(chunk);
    const size = this.#sizeOf(chunk);
    try {
      const data = await this.#chunks.fetch(id, size);
      if (data.length === size) return data;
      throw new IntegrityError([`a chunk of ${size} bytes has ${data.length}`]);
    } catch (error) {
      throw this.#failed(error, chunk, id);
    }
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
