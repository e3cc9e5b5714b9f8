/**
 * Where the entries of a files cache lie, found by their path hashes, which stay where they are: in the blocks of packed
 * entries. An open-addressing table with slots of three uint32:
 *
 * | word | content                                                   |
 * |------|-----------------------------------------------------------|
 * | 0    | the first four bytes of the path hash                     |
 * | 1    | block number + 1, 0: empty; bit 31: seen in this backup   |
 * | 2    | where in the block the path hash begins                   |
 */
const SLOT_WORDS = 3;
const SEEN = 2 ** 31;
const MIN_BITS = 10;
/** Of the slots that are used. */
const MAX_LOAD = 0.7;
/** Spreads hashes over the table, also such that differ in few bits. */
const MULTIPLIER = 0x9e3779b1;

export const PATH_HASH_BYTES = 32;

export class EntryPlaces {
  /** The caller's, who adds to them. */
  readonly #blocks: readonly Uint8Array[];
  #bits: number;
  #slots: Uint32Array;
  #size = 0;

  constructor(blocks: readonly Uint8Array[], expectedEntries = 0) {
    this.#blocks = blocks;
    this.#bits = Math.max(MIN_BITS, Math.ceil(Math.log2(expectedEntries / MAX_LOAD + 1)));
    this.#slots = new Uint32Array(SLOT_WORDS * 2 ** this.#bits);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of the entry whose path hash is the one at `at` of `bytes`, or -1; good until the next set(). */
  find(bytes: Uint8Array, at = 0): number {
    const slot = this.#search(bytes, at);
    return this.#slots[slot + 1] === 0 ? -1 : slot;
  }

  blockOf(slot: number): number {
    return (this.#slots[slot + 1]! & ~SEEN) - 1;
  }

  /** Where in its block the path hash begins; the rest of the entry lies behind that. */
  offsetOf(slot: number): number {
    return this.#slots[slot + 2]!;
  }

  isSeen(slot: number): boolean {
    return this.#slots[slot + 1]! >= SEEN;
  }

  setSeen(slot: number): void {
    this.#slots[slot + 1]! |= SEEN;
  }

  /** Adds an entry whose path hash is in a block, or puts it in the place of an older one. */
  set(block: number, offset: number, isSeen: boolean): void {
    const bytes = this.#blocks[block]!;
    let slot = this.#search(bytes, offset);
    if (this.#slots[slot + 1] === 0) {
      if (this.#size >= MAX_LOAD * 2 ** this.#bits) {
        this.#grow();
        slot = this.#search(bytes, offset);
      }
      this.#size += 1;
    }
    this.#slots[slot] = firstWord(bytes, offset);
    this.#slots[slot + 1] = block + 1 + (isSeen ? SEEN : 0);
    this.#slots[slot + 2] = offset;
  }

  /** The slot of this path hash, or the empty one that it would get. */
  #search(bytes: Uint8Array, at: number): number {
    const slots = this.#slots;
    const first = firstWord(bytes, at);
    for (
      let slot = this.#homeOf(first);
      ;
      slot = slot + SLOT_WORDS === slots.length ? 0 : slot + SLOT_WORDS
    ) {
      if (slots[slot + 1] === 0) return slot;
      if (slots[slot] === first && this.#hasHash(slot, bytes, at)) return slot;
    }
  }

  #hasHash(slot: number, bytes: Uint8Array, at: number): boolean {
    const block = this.#blocks[this.blockOf(slot)]!;
    const offset = this.offsetOf(slot);
    for (let i = 0; i < PATH_HASH_BYTES; i++) if (block[offset + i] !== bytes[at + i]) return false;
    return true;
  }

  #homeOf(first: number): number {
    return SLOT_WORDS * (Math.imul(first, MULTIPLIER) >>> (32 - this.#bits));
  }

  #grow(): void {
    const old = this.#slots;
    this.#bits += 1;
    const slots = new Uint32Array(SLOT_WORDS * 2 ** this.#bits);
    for (let from = 0; from < old.length; from += SLOT_WORDS) {
      if (old[from + 1] === 0) continue;
      let to = this.#homeOf(old[from]!);
      while (slots[to + 1] !== 0) to = to + SLOT_WORDS === slots.length ? 0 : to + SLOT_WORDS;
      for (let word = 0; word < SLOT_WORDS; word++) slots[to + word] = old[from + word]!;
    }
    this.#slots = slots;
  }
}

function firstWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
