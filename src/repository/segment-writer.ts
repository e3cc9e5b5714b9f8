/**
 * The segment being written: entries gather in a buffer and go to the file a mebibyte at a time, large ones straight
 * from where they lie. Nothing is durable before `close()` (or `sync()`).
 */
import {
  COMMIT_ENTRY,
  MAGIC_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  SEGMENT_MAGIC,
  encodeDeleteInto,
  encodePutHeaderInto,
  encodePutInto,
  readUint32,
} from '../format/segment.ts';
import type { WriteHandle } from '../store/store.ts';
import type { SegmentFiles } from './segment-files.ts';

const BUFFER_SIZE_BYTES = 1024 * 1024;
/** Copying a larger object into the buffer costs more than a system call of its own. */
const DIRECT_SIZE_BYTES = 64 * 1024;

/** The buffer outlives the writer: the next segment's writer takes it over. */
export interface WriteBuffer {
  bytes: Uint8Array;
}

export function createWriteBuffer(): WriteBuffer {
  return { bytes: Buffer.allocUnsafeSlow(0) };
}

export class SegmentWriter {
  readonly segment: number;
  readonly #files: SegmentFiles;
  readonly #handle: WriteHandle;
  readonly #buffer: Uint8Array;
  #buffered = MAGIC_SIZE_BYTES;
  #flushedBytes = 0;
  #failed = false;

  /** Creates the file; throws EEXIST where there is one. */
  constructor(files: SegmentFiles, segment: number, buffer: WriteBuffer) {
    this.segment = segment;
    this.#files = files;
    if (buffer.bytes.length === 0) buffer.bytes = Buffer.allocUnsafeSlow(BUFFER_SIZE_BYTES);
    this.#buffer = buffer.bytes;
    this.#handle = files.create(segment);
    this.#buffer.set(SEGMENT_MAGIC);
  }

  /** Size of the segment with all that was appended: the offset of the next entry. */
  get offset(): number {
    return this.#flushedBytes + this.#buffered;
  }

  get hasBuffered(): boolean {
    return this.#buffered > 0;
  }

  /** Returns the CRC of the entry. */
  appendPut(key: Uint8Array, data: Uint8Array): number {
    const sizeBytes = PUT_HEADER_SIZE_BYTES + data.length;
    const isDirect = sizeBytes > DIRECT_SIZE_BYTES;
    this.#makeRoom(isDirect ? PUT_HEADER_SIZE_BYTES : sizeBytes);
    const at = this.#buffered;
    if (!isDirect) {
      this.#buffered += encodePutInto(this.#buffer, at, key, data);
      return readUint32(this.#buffer, at);
    }
    encodePutHeaderInto(this.#buffer, at, key, data);
    this.#buffered += PUT_HEADER_SIZE_BYTES;
    this.#write(this.#buffer.subarray(0, this.#buffered), data);
    return readUint32(this.#buffer, at);
  }

  appendDelete(key: Uint8Array): void {
    this.#makeRoom(PUT_HEADER_SIZE_BYTES);
    this.#buffered += encodeDeleteInto(this.#buffer, this.#buffered, key);
  }

  appendCommit(): void {
    this.#makeRoom(COMMIT_ENTRY.length);
    this.#buffer.set(COMMIT_ENTRY, this.#buffered);
    this.#buffered += COMMIT_ENTRY.length;
  }

  /** Hands the buffer to the file, so that a reader sees all that was appended. */
  flush(): void {
    if (this.#buffered > 0) this.#write(this.#buffer.subarray(0, this.#buffered));
  }

  /** Makes all that was appended durable. */
  sync(): void {
    this.flush();
    this.#handle.sync();
  }

  /** Syncs the file and its name. */
  close(): void {
    try {
      this.sync();
    } finally {
      this.#handle.close();
    }
    this.#files.syncName(this.segment);
  }

  /** Closes the file as it is: for a segment that will be removed. */
  abandon(): void {
    this.#handle.close();
  }

  #makeRoom(sizeBytes: number): void {
    if (this.#buffered + sizeBytes > this.#buffer.length) this.flush();
  }

  #write(...parts: Uint8Array[]): void {
    // After a failed write nobody knows what the file holds, and where.
    if (this.#failed) throw new Error(`segment ${this.segment}: an earlier write failed`);
    this.#failed = true;
    this.#handle.write(...parts);
    this.#failed = false;
    this.#buffered = 0;
    for (const part of parts) this.#flushedBytes += part.length;
  }
}
