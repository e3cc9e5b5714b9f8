/**
 * Reads a segment from start to end. Every length that a file gives is checked before anything is allocated by it.
 *
 * Source: Borg 1.4.5 repository.py, LoggedIO.iter_objects.
 */
import type { IntegrityError } from '../errors.ts';
import {
  ENTRY_HEADER_SIZE_BYTES,
  KEY_SIZE_BYTES,
  MAGIC_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  SEGMENT_MAGIC,
  TAG_DELETE,
  TAG_PUT,
  decodeEntryHeader,
  findCrcDamage,
  findTagDamage,
  invalidMagic,
  shortRead,
} from '../format/segment.ts';
import { equalBytes } from '../util/bytes.ts';
import type { OpenSegments } from './open-segments.ts';

/** An entry of a segment, at `offset`. `key` is empty for a COMMIT; `key` and `data` are valid until the next one. */
export interface SegmentEntry {
  readonly tag: number;
  readonly key: Uint8Array;
  readonly offset: number;
  readonly sizeBytes: number;
  /** As its header has it. */
  readonly crc: number;
  readonly data: Uint8Array;
  /** What is wrong with it; only where damaged entries were asked for. */
  readonly damage?: IntegrityError;
}

export interface EntriesOptions {
  /** 0 (the magic is checked then), or the offset of an entry. Default 0. */
  readonly from?: number;
  /** Skip the data: no CRC, `data` empty. */
  readonly headersOnly?: boolean;
  /** Also give entries whose CRC or tag is wrong, where their size lets one find the next. */
  readonly includeDamaged?: boolean;
}

const WINDOW_SIZE_BYTES = 1024 * 1024;
const SMALLEST_WINDOW_BYTES = 256;
const HEADERS_WINDOW_SIZE_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/** The entries of a segment in order; throws an IntegrityError at the first that is damaged. */
export function* readEntries(
  open: OpenSegments,
  segment: number,
  options: EntriesOptions = {},
): Generator<SegmentEntry> {
  const { from = 0, headersOnly = false, includeDamaged = false } = options;
  const window = new ReadWindow(open, segment, headersOnly ? HEADERS_WINDOW_SIZE_BYTES : WINDOW_SIZE_BYTES);
  let offset = from;
  if (from === 0) {
    window.load(0, MAGIC_SIZE_BYTES);
    if (!equalBytes(window.view(0, MAGIC_SIZE_BYTES), SEGMENT_MAGIC)) throw invalidMagic(segment);
    offset = MAGIC_SIZE_BYTES;
  }
  for (;;) {
    const place = { segment, offset };
    const there = window.load(offset, PUT_HEADER_SIZE_BYTES);
    if (there === 0) return;
    const header = decodeEntryHeader(window.bytes, window.at(offset), there, place);
    const { crc, tag, sizeBytes } = header;
    const isKeyed = tag === TAG_PUT || tag === TAG_DELETE;
    const headSizeBytes = isKeyed ? PUT_HEADER_SIZE_BYTES : ENTRY_HEADER_SIZE_BYTES;
    const neededBytes = headersOnly ? headSizeBytes : sizeBytes;
    const inFile = window.load(offset, neededBytes);
    if (inFile < neededBytes) {
      throw shortRead(place, neededBytes - ENTRY_HEADER_SIZE_BYTES, inFile - ENTRY_HEADER_SIZE_BYTES);
    }
    const crcDamage = headersOnly ? undefined : findCrcDamage(window.bytes, window.at(offset), header, place);
    const damage = crcDamage ?? findTagDamage(header, place);
    if (damage !== undefined && !includeDamaged) throw damage;
    const key = isKeyed ? window.view(offset + ENTRY_HEADER_SIZE_BYTES, KEY_SIZE_BYTES) : NO_BYTES;
    const data = headersOnly ? NO_BYTES : window.view(offset + headSizeBytes, sizeBytes - headSizeBytes);
    const entry = { tag, key, offset, sizeBytes, crc, data };
    yield damage === undefined ? entry : { ...entry, damage };
    offset += sizeBytes;
  }
}

/** Whether the segment's last bytes are these. */
export function endsWith(open: OpenSegments, segment: number, bytes: Uint8Array): boolean {
  const file = open.file(segment);
  const start = file.sizeBytes() - bytes.length;
  if (start < 0) return false;
  const tail = new Uint8Array(bytes.length);
  return file.read(tail, start) === tail.length && equalBytes(tail, bytes);
}

/** A piece of a segment, moved along and made larger as needed. */
class ReadWindow {
  bytes: Uint8Array;
  readonly #open: OpenSegments;
  readonly #segment: number;
  #start = 0;
  #sizeBytes = 0;

  constructor(open: OpenSegments, segment: number, sizeBytes: number) {
    this.#open = open;
    this.#segment = segment;
    // Many segments are a COMMIT only.
    const fileSizeBytes = open.file(segment).sizeBytes();
    this.bytes = Buffer.allocUnsafeSlow(Math.min(sizeBytes, Math.max(SMALLEST_WINDOW_BYTES, fileSizeBytes)));
  }

  /** Has the window hold `sizeBytes` from `offset`; returns how many of them the file has. */
  load(offset: number, sizeBytes: number): number {
    const there = this.#start + this.#sizeBytes - offset;
    if (offset >= this.#start && there >= sizeBytes) return sizeBytes;
    if (sizeBytes > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
    this.#start = offset;
    this.#sizeBytes = this.#open.file(this.#segment).read(this.bytes, offset);
    return Math.min(sizeBytes, this.#sizeBytes);
  }

  /** Place of the file's `offset` in `bytes`. */
  at(offset: number): number {
    return offset - this.#start;
  }

  /** What is loaded of these bytes. */
  view(offset: number, sizeBytes: number): Uint8Array {
    const at = this.at(offset);
    return this.bytes.subarray(at, Math.min(at + sizeBytes, this.#sizeBytes));
  }
}
