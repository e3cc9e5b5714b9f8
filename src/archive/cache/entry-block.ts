/** A stretch of packed entries, one behind the other, and what became of each in this backup. */
import { MsgpackCursor } from './msgpack-cursor.ts';

/** A file that was not seen yet, that was seen, and an entry in whose place there is another. */
export const [UNSEEN, SEEN, REPLACED] = [0, 1, 2];

/** 32 bytes are less than an entry has, so that no two begin in one grain. */
const GRAIN_BITS = 5;

export class EntryBlock {
  readonly bytes: Uint8Array;
  /** Where the last entry ends. */
  usedBytes: number;
  /** Good until the next call that reads: making one takes longer than to read an entry. */
  readonly cursor: MsgpackCursor;
  /** By where an entry begins. */
  readonly #marks: Uint8Array;

  constructor(bytes: Uint8Array, usedBytes: number) {
    this.bytes = bytes;
    this.usedBytes = usedBytes;
    this.cursor = new MsgpackCursor(bytes);
    this.#marks = new Uint8Array((bytes.length >>> GRAIN_BITS) + 1);
  }

  /** Its cursor, at the entry that begins there. */
  at(start: number): MsgpackCursor {
    this.cursor.offset = start;
    return this.cursor;
  }

  markOf(start: number): number {
    return this.#marks[start >>> GRAIN_BITS]!;
  }

  mark(start: number, mark: number): void {
    this.#marks[start >>> GRAIN_BITS] = mark;
  }

  /** Whether there is room behind the last entry. */
  hasRoomFor(sizeBytes: number): boolean {
    return this.usedBytes + sizeBytes <= this.bytes.length;
  }

  /** Adds a packed entry, and gives where it begins. */
  add(packed: Uint8Array): number {
    const start = this.usedBytes;
    this.bytes.set(packed, start);
    this.usedBytes = start + packed.length;
    return start;
  }
}
