/**
 * Reads entries of segments through a cache of open files. Every length that a file gives is checked before anything
 * is allocated by it. Errors: IntegrityError for what is damaged or missing.
 *
 * Source: Borg 1.4.5 repository.py, LoggedIO.read, iter_objects, get_fd.
 */
import { crc32 } from 'node:zlib';
import { IntegrityError } from '../errors.ts';
import {
  ENTRY_HEADER_SIZE_BYTES,
  KEY_SIZE_BYTES,
  MAGIC_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  SEGMENT_MAGIC,
  TAG_COMMIT,
  TAG_DELETE,
  TAG_PUT,
  checksumMismatch,
  decodeEntryHeader,
  invalidMagic,
  shortRead,
  unacceptableTag,
  verifyEntryCrc,
  wrongKey,
} from '../format/segment.ts';
import { hasCode } from '../store/store.ts';
import type { ReadHandle } from '../store/store.ts';
import { equalBytes } from '../util/bytes.ts';
import type { SegmentFiles } from './segment-files.ts';

/** An entry of a segment, at `offset`. `key` is empty for a COMMIT; `key` and `data` are valid until the next one. */
export interface SegmentEntry {
  readonly tag: number;
  readonly key: Uint8Array;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly data: Uint8Array;
}

const MAX_OPEN_FILES = 90;
/** Files unused for longer are closed: a handle on a network file system goes stale. */
const MAX_IDLE_MS = 4 * 60 * 1000;
const SMALLEST_GUESS_BYTES = 4096;
const LARGEST_GUESS_BYTES = 256 * 1024;
const WINDOW_SIZE_BYTES = 1024 * 1024;
const HEADERS_WINDOW_SIZE_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

export class SegmentReader {
  readonly #files: SegmentFiles;
  /** In order of use, the oldest first. */
  readonly #open = new Map<number, { readonly handle: ReadHandle; usedMs: number }>();
  #lastSegment = -1;
  #lastHandle: ReadHandle | undefined;
  readonly #scratch: Uint8Array = Buffer.allocUnsafeSlow(LARGEST_GUESS_BYTES);
  /** Running mean of the entries' sizes: how much to read before an entry's size is known. */
  #meanSizeBytes = 16 * 1024;

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /** The data of the PUT of `key` at this place; in one read for an object of about the usual size. */
  readPut(segment: number, offset: number, key: Uint8Array): Uint8Array {
    const place = { segment, offset };
    const file = this.#file(segment);
    const guess = Math.min(
      Math.max(SMALLEST_GUESS_BYTES, Math.ceil(1.5 * this.#meanSizeBytes)),
      LARGEST_GUESS_BYTES,
    );
    const head = this.#scratch.subarray(0, guess);
    const got = file.read(head, offset);
    const header = decodeEntryHeader(head, 0, got, place, PUT_HEADER_SIZE_BYTES);
    const { sizeBytes } = header;
    this.#meanSizeBytes += (sizeBytes - this.#meanSizeBytes) / 16;
    const dataSizeBytes = sizeBytes - PUT_HEADER_SIZE_BYTES;
    const data: Uint8Array = new Uint8Array(dataSizeBytes);
    if (sizeBytes <= got) {
      verifyEntryCrc(head, 0, header, place);
      data.set(head.subarray(PUT_HEADER_SIZE_BYTES, sizeBytes));
    } else {
      const there = got - PUT_HEADER_SIZE_BYTES;
      data.set(head.subarray(PUT_HEADER_SIZE_BYTES, got));
      const rest = got < guess ? 0 : file.read(data.subarray(there), offset + got);
      if (there + rest !== dataSizeBytes) throw shortRead(place, dataSizeBytes, there + rest);
      const crc = crc32(data, crc32(head.subarray(4, PUT_HEADER_SIZE_BYTES)));
      if (crc !== header.crc) throw checksumMismatch(place);
    }
    if (header.tag !== TAG_PUT) throw unacceptableTag(place);
    if (!equalBytes(head.subarray(ENTRY_HEADER_SIZE_BYTES, PUT_HEADER_SIZE_BYTES), key))
      throw wrongKey(place);
    return data;
  }

  /** Size of the PUT of `key` at this place. Its data is not read, so the CRC is not verified. */
  readPutSize(segment: number, offset: number, key: Uint8Array): number {
    const place = { segment, offset };
    const head = this.#scratch.subarray(0, PUT_HEADER_SIZE_BYTES);
    const got = this.#file(segment).read(head, offset);
    const { tag, sizeBytes } = decodeEntryHeader(head, 0, got, place, PUT_HEADER_SIZE_BYTES);
    if (tag !== TAG_PUT) throw unacceptableTag(place);
    if (!equalBytes(head.subarray(ENTRY_HEADER_SIZE_BYTES), key)) throw wrongKey(place);
    return sizeBytes;
  }

  /** The first bytes of a segment, eight unless it is shorter. */
  readMagic(segment: number): Uint8Array {
    const magic = new Uint8Array(MAGIC_SIZE_BYTES);
    return magic.subarray(0, this.#file(segment).read(magic, 0));
  }

  /** Whether the last entry is a COMMIT, going by the file's last bytes alone. */
  endsWith(segment: number, bytes: Uint8Array): boolean {
    const file = this.#file(segment);
    const sizeBytes = file.sizeBytes();
    if (sizeBytes < bytes.length) return false;
    const tail = new Uint8Array(bytes.length);
    return file.read(tail, sizeBytes - tail.length) === tail.length && equalBytes(tail, bytes);
  }

  /**
   * The entries of a segment in order, CRCs verified. With `headersOnly` the data is skipped: no CRC, `data` empty.
   * `from` is 0 (the magic is checked then), or the offset of an entry.
   */
  *entries(segment: number, options: { from?: number; headersOnly?: boolean } = {}): Generator<SegmentEntry> {
    const { from = 0, headersOnly = false } = options;
    const window = new ReadWindow(
      () => this.#file(segment),
      headersOnly ? HEADERS_WINDOW_SIZE_BYTES : WINDOW_SIZE_BYTES,
    );
    let offset = from;
    if (from === 0) {
      const got = window.load(0, MAGIC_SIZE_BYTES);
      if (got < MAGIC_SIZE_BYTES || !equalBytes(window.view(0, MAGIC_SIZE_BYTES), SEGMENT_MAGIC)) {
        throw invalidMagic(segment);
      }
      offset = MAGIC_SIZE_BYTES;
    }
    for (;;) {
      const place = { segment, offset };
      const there = window.load(offset, PUT_HEADER_SIZE_BYTES);
      if (there === 0) return;
      const header = decodeEntryHeader(window.bytes, window.at(offset), there, place);
      const { tag, sizeBytes } = header;
      const keyed = tag === TAG_PUT || tag === TAG_DELETE;
      const headSizeBytes = keyed ? PUT_HEADER_SIZE_BYTES : ENTRY_HEADER_SIZE_BYTES;
      if (headersOnly) {
        const inFile = window.load(offset, headSizeBytes);
        if (inFile < headSizeBytes) throw shortRead(place, KEY_SIZE_BYTES, inFile - ENTRY_HEADER_SIZE_BYTES);
      } else {
        const inFile = window.load(offset, sizeBytes);
        if (inFile < sizeBytes) {
          throw shortRead(place, sizeBytes - ENTRY_HEADER_SIZE_BYTES, inFile - ENTRY_HEADER_SIZE_BYTES);
        }
        verifyEntryCrc(window.bytes, window.at(offset), header, place);
      }
      if (!keyed && tag !== TAG_COMMIT) throw unacceptableTag(place);
      const key = keyed ? window.view(offset + ENTRY_HEADER_SIZE_BYTES, KEY_SIZE_BYTES) : NO_BYTES;
      const data =
        headersOnly || sizeBytes === headSizeBytes
          ? NO_BYTES
          : window.view(offset + headSizeBytes, sizeBytes - headSizeBytes);
      yield { tag, key, offset, sizeBytes, data };
      offset += sizeBytes;
    }
  }

  /** Closes the segment's file, before it is removed or replaced. */
  forget(segment: number): void {
    this.#open.get(segment)?.handle.close();
    this.#open.delete(segment);
    if (segment === this.#lastSegment) this.#lastSegment = -1;
  }

  close(): void {
    for (const segment of this.#open.keys()) this.forget(segment);
  }

  #file(segment: number): ReadHandle {
    if (segment === this.#lastSegment) return this.#lastHandle!;
    const nowMs = performance.now();
    let file = this.#open.get(segment);
    if (file === undefined) {
      file = { handle: this.#openFile(segment), usedMs: nowMs };
    } else {
      this.#open.delete(segment);
      file.usedMs = nowMs;
    }
    this.#open.set(segment, file);
    for (const [old, { usedMs }] of this.#open) {
      if (this.#open.size <= MAX_OPEN_FILES && nowMs - usedMs <= MAX_IDLE_MS) break;
      this.forget(old);
    }
    this.#lastSegment = segment;
    this.#lastHandle = file.handle;
    return file.handle;
  }

  #openFile(segment: number): ReadHandle {
    try {
      return this.#files.store.openFile(this.#files.path(segment));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      throw new IntegrityError([`Segment file is missing [segment ${segment}]`], error);
    }
  }
}

/** A piece of a file, moved along and made larger as needed. */
class ReadWindow {
  bytes: Uint8Array;
  readonly #file: () => ReadHandle;
  #start = 0;
  #sizeBytes = 0;

  constructor(file: () => ReadHandle, sizeBytes: number) {
    this.#file = file;
    this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Has the window hold `sizeBytes` from `offset`; returns how many of them the file has. */
  load(offset: number, sizeBytes: number): number {
    const there = this.#start + this.#sizeBytes - offset;
    if (offset >= this.#start && there >= sizeBytes) return sizeBytes;
    if (sizeBytes > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
    this.#start = offset;
    this.#sizeBytes = this.#file().read(this.bytes, offset);
    return Math.min(sizeBytes, this.#sizeBytes);
  }

  /** Place of the file's `offset` in `bytes`. */
  at(offset: number): number {
    return offset - this.#start;
  }

  view(offset: number, sizeBytes: number): Uint8Array {
    return this.bytes.subarray(offset - this.#start, offset - this.#start + sizeBytes);
  }
}
