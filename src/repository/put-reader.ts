/**
 * Reads the PUT at a known place. Every length that a file gives is checked before anything is allocated by it.
 * Errors: IntegrityError.
 *
 * Source: Borg 1.4.5 repository.py, LoggedIO.read.
 */
import {
  PUT_HEADER_SIZE_BYTES,
  checkPut,
  checksumMismatch,
  decodeEntryHeader,
  readUint32,
  shortRead,
  viewPutData,
} from '../format/segment.ts';
import type { EntryPlace } from '../format/segment.ts';
import { crc32 } from '../util/crc32.ts';
import type { SealedPlace } from '../util/sealed.ts';
import type { OpenSegments } from './open-segments.ts';

const SMALLEST_GUESS_BYTES = 4096;
const LARGEST_GUESS_BYTES = 256 * 1024;
/** Room for a mebibyte of entries and the last of them. */
const LOAD_SIZE_BYTES = 1024 * 1024 + LARGEST_GUESS_BYTES;
/** Of what findPut() finds. */
const SEALED_HEAD_BYTES = 64;
const NO_BYTES = new Uint8Array(0);

export class PutReader {
  readonly #open: OpenSegments;
  #scratch: Uint8Array = NO_BYTES;
  /** Running mean of the entries' sizes: how much to read before an entry's size is known. */
  #meanSizeBytes = 16 * 1024;
  /** What load() has read: `#loaded` lies in the segment from `#loadedStart` on. */
  #loadBuffer: Uint8Array = NO_BYTES;
  #loaded: Uint8Array = NO_BYTES;
  #loadedSegment = -1;
  #loadedStart = 0;

  constructor(open: OpenSegments) {
    this.#open = open;
  }

  /** The data of the PUT of `key` at this place; in one read for an object of about the usual size. */
  readPut(segment: number, offset: number, key: Uint8Array): Uint8Array {
    const place = { segment, offset };
    const loaded = this.#findLoaded(place);
    if (loaded !== undefined) return copyData(loaded, place, key);
    const file = this.#open.file(segment);
    const guess = Math.min(Math.max(SMALLEST_GUESS_BYTES, 1.5 * this.#meanSizeBytes), LARGEST_GUESS_BYTES);
    const head = this.#scratchOf(guess);
    const got = file.read(head, offset);
    const { crc, sizeBytes, tag } = decodeEntryHeader(head, 0, got, place, PUT_HEADER_SIZE_BYTES);
    this.#meanSizeBytes += (sizeBytes - this.#meanSizeBytes) / 16;
    if (sizeBytes <= got) return copyData(head.subarray(0, sizeBytes), place, key);
    const data = new Uint8Array(sizeBytes - PUT_HEADER_SIZE_BYTES);
    const there = got - PUT_HEADER_SIZE_BYTES;
    data.set(head.subarray(PUT_HEADER_SIZE_BYTES, got));
    const rest = got < head.length ? 0 : file.read(data.subarray(there), offset + got);
    if (there + rest !== data.length) throw shortRead(place, data.length, there + rest);
    if (crc32(data, crc32(head.subarray(4, PUT_HEADER_SIZE_BYTES))) !== crc) throw checksumMismatch(place);
    checkPut(head, 0, tag, key, place);
    return data;
  }

  /**
   * Where the data of the PUT of `key` at this place is, for another thread to read; undefined where there is less than
   * `fromBytes` of it, or load() has read it already. The CRC is not verified.
   */
  findPut(segment: number, offset: number, key: Uint8Array, fromBytes: number): SealedPlace | undefined {
    const place = { segment, offset };
    if (this.#findLoaded(place) !== undefined) return undefined;
    const head = this.#scratchOf(PUT_HEADER_SIZE_BYTES + SEALED_HEAD_BYTES);
    const got = this.#open.file(segment).read(head, offset);
    const { tag, sizeBytes } = decodeEntryHeader(head, 0, got, place, PUT_HEADER_SIZE_BYTES);
    const dataBytes = sizeBytes - PUT_HEADER_SIZE_BYTES;
    if (dataBytes < fromBytes || got < head.length) return undefined;
    checkPut(head, 0, tag, key, place);
    const lease = this.#open.lease(segment);
    return (
      lease && {
        ...lease,
        offsetBytes: offset,
        sizeBytes: dataBytes,
        head: Uint8Array.from(head.subarray(PUT_HEADER_SIZE_BYTES)),
      }
    );
  }

  /** Size of the PUT of `key` at this place. Its data is not read, so the CRC is not verified. */
  readPutSize(segment: number, offset: number, key: Uint8Array): number {
    const place = { segment, offset };
    const head = this.#scratchOf(PUT_HEADER_SIZE_BYTES);
    const got = this.#open.file(segment).read(head, offset);
    const { tag, sizeBytes } = decodeEntryHeader(head, 0, got, place, PUT_HEADER_SIZE_BYTES);
    checkPut(head, 0, tag, key, place);
    return sizeBytes;
  }

  /** Reads `sizeBytes` (at most a mebibyte) and some more from `offset`, for readPut() to find. */
  load(segment: number, offset: number, sizeBytes: number): void {
    const at = offset - this.#loadedStart;
    if (segment === this.#loadedSegment && at >= 0 && at + sizeBytes <= this.#loaded.length) return;
    if (this.#loadBuffer.length === 0) this.#loadBuffer = Buffer.allocUnsafeSlow(LOAD_SIZE_BYTES);
    const tailBytes = Math.min(LARGEST_GUESS_BYTES, 2 * this.#meanSizeBytes);
    const buffer = this.#loadBuffer.subarray(0, sizeBytes + tailBytes);
    this.#loadedSegment = -1;
    this.#loaded = buffer.subarray(0, this.#open.file(segment).read(buffer, offset));
    this.#loadedStart = offset;
    this.#loadedSegment = segment;
  }

  /** Drops what was loaded of the segment, before it is removed or replaced. */
  forget(segment: number): void {
    if (segment === this.#loadedSegment) this.#loadedSegment = -1;
  }

  #scratchOf(sizeBytes: number): Uint8Array {
    if (this.#scratch.length < sizeBytes)
      this.#scratch = Buffer.allocUnsafeSlow(Math.max(4096, 2 * sizeBytes));
    return this.#scratch.subarray(0, sizeBytes);
  }

  /** The entry at this place, where load() has read all of it. */
  #findLoaded({ segment, offset }: EntryPlace): Uint8Array | undefined {
    if (segment !== this.#loadedSegment) return undefined;
    const at = offset - this.#loadedStart;
    if (at < 0 || at + PUT_HEADER_SIZE_BYTES > this.#loaded.length) return undefined;
    const sizeBytes = readUint32(this.#loaded, at + 4);
    if (sizeBytes < PUT_HEADER_SIZE_BYTES || at + sizeBytes > this.#loaded.length) return undefined;
    return this.#loaded.subarray(at, at + sizeBytes);
  }
}

/** A copy of the data of a whole PUT, verified. */
function copyData(entry: Uint8Array, place: EntryPlace, key: Uint8Array): Uint8Array {
  const header = decodeEntryHeader(entry, 0, entry.length, place, PUT_HEADER_SIZE_BYTES);
  return new Uint8Array(viewPutData(entry, 0, header, key, place));
}
