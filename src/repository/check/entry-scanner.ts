/**
 * Finds the entries of a segment that comes in pieces, and verifies their CRCs, without holding one as a whole. It only
 * knows what is sound: what is wrong with anything else is for readEntries() to say.
 */
import {
  CRC_SIZE_BYTES,
  ENTRY_HEADER_SIZE_BYTES,
  MAGIC_SIZE_BYTES,
  MAX_ENTRY_SIZE_BYTES,
  KEY_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  readUint32,
  SEGMENT_MAGIC,
  TAG_COMMIT,
  TAG_DELETE,
  TAG_PUT,
} from '../../format/segment.ts';
import { crc32 } from '../../util/crc32.ts';
import { equalBytes } from '../../util/bytes.ts';
import { EntryList } from './entry-list.ts';
import type { IndexedPlaces } from './indexed-places.ts';

const SIZE_OFFSET = 4;
const TAG_OFFSET = 8;

export class EntryScanner {
  readonly entries: EntryList;
  /** The magic, or the head of an entry, where a piece ends within. */
  readonly #head = new Uint8Array(PUT_HEADER_SIZE_BYTES);
  #headBytes = 0;
  #headNeedsBytes = MAGIC_SIZE_BYTES;
  #hasMagic = false;
  /** Where the next entry begins. */
  #offset = MAGIC_SIZE_BYTES;
  /** Of what the CRC covers, and what that comes to so far. */
  #leftBytes = 0;
  #crc = 0;
  #expectedCrc = 0;

  /** See EntryList. */
  constructor(places?: IndexedPlaces) {
    this.entries = new EntryList(places);
  }

  /** Takes the next piece; false where something is wrong. */
  add(bytes: Uint8Array): boolean {
    let isSound = true;
    for (let at = 0; isSound && at < bytes.length;) {
      if (this.#leftBytes > 0) {
        const end = Math.min(bytes.length, at + this.#leftBytes);
        isSound = this.#cover(bytes, at, end);
        at = end;
      } else if (this.#isBetween && bytes.length - at >= PUT_HEADER_SIZE_BYTES) {
        isSound = this.#begin(bytes, at);
        at += CRC_SIZE_BYTES;
      } else {
        const end = Math.min(bytes.length, at + this.#headNeedsBytes - this.#headBytes);
        this.#head.set(bytes.subarray(at, end), this.#headBytes);
        this.#headBytes += end - at;
        isSound = this.#headBytes < this.#headNeedsBytes || this.#takeHead();
        at = end;
      }
    }
    return isSound;
  }

  /** Whether what came so far is a whole segment. */
  get isWhole(): boolean {
    return this.#isBetween && this.#leftBytes === 0;
  }

  get #isBetween(): boolean {
    return this.#hasMagic && this.#headBytes === 0;
  }

  #takeHead(): boolean {
    const head = this.#head;
    if (this.#hasMagic) {
      const isKeyed = head[TAG_OFFSET] !== TAG_COMMIT;
      if (isKeyed && this.#headBytes < PUT_HEADER_SIZE_BYTES) {
        this.#headNeedsBytes = PUT_HEADER_SIZE_BYTES;
        return true;
      }
      if (!this.#begin(head, 0) || !this.#cover(head, CRC_SIZE_BYTES, this.#headBytes)) return false;
    } else {
      this.#hasMagic = equalBytes(head.subarray(0, MAGIC_SIZE_BYTES), SEGMENT_MAGIC);
      if (!this.#hasMagic) return false;
    }
    this.#headBytes = 0;
    this.#headNeedsBytes = ENTRY_HEADER_SIZE_BYTES;
    return true;
  }

  /** Takes the entry whose head is at `at`; a COMMIT's ends within that of others. */
  #begin(bytes: Uint8Array, at: number): boolean {
    const sizeBytes = readUint32(bytes, at + SIZE_OFFSET);
    const tag = bytes[at + TAG_OFFSET]!;
    if (tag === TAG_COMMIT) {
      if (sizeBytes !== ENTRY_HEADER_SIZE_BYTES) return false;
    } else if (tag === TAG_PUT || tag === TAG_DELETE) {
      if (sizeBytes < PUT_HEADER_SIZE_BYTES || sizeBytes > MAX_ENTRY_SIZE_BYTES) return false;
    } else return false;
    const keyAt = at + ENTRY_HEADER_SIZE_BYTES;
    const key = bytes.subarray(keyAt, tag === TAG_COMMIT ? keyAt : keyAt + KEY_SIZE_BYTES);
    this.entries.push({ tag, key, offset: this.#offset, sizeBytes });
    this.#offset += sizeBytes;
    this.#leftBytes = sizeBytes - CRC_SIZE_BYTES;
    this.#crc = 0;
    this.#expectedCrc = readUint32(bytes, at);
    return true;
  }

  /** False where the entry ends, and its CRC is wrong. */
  #cover(bytes: Uint8Array, from: number, to: number): boolean {
    this.#crc = crc32(bytes.subarray(from, to), this.#crc);
    this.#leftBytes -= to - from;
    return this.#leftBytes > 0 || this.#crc === this.#expectedCrc;
  }
}
