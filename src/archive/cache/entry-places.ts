/**
 * Where the entries of a files cache lie, found by their path hashes, which stay where they are: in the blocks of packed
 * entries. An open-addressing table with slots of three uint32:
 *
 * | word | content                                |
 * |------|----------------------------------------|
 * | 0    | the first four bytes of the path hash  |
 * | 1    | block number + 1, 0: empty             |
 * | 2    | where in the block the entry begins    |
 */
import type { EntryBlock } from './entry-block.ts';
import { hasPathHash, PATH_HASH_OFFSET } from './packed-entry.ts';

const SLOT_WORDS = 3;
const MIN_BITS = 10;
/** Of the slots that are used. */
const MAX_LOAD = 0.7;
/** Spreads hashes over the table, also such that differ in few bits. */
const MULTIPLIER = 0x9e3779b1;

export class EntryPlaces {
  /** The caller's, who adds to them. */
  readonly #blocks: readonly EntryBlock[];
  #bits: number;
  #slots: Uint32Array;
  #size = 0;

  constructor(blocks: readonly EntryBlock[], expectedEntries = 0) {
    this.#blocks = blocks;
    this.#bits = Math.max(MIN_BITS, Math.ceil(Math.log2(expectedEntries / MAX_LOAD + 1)));
    this.#slots = new Uint32Array(SLOT_WORDS * 2 ** this.#bits);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of the entry with this path hash, or -1; good until the next set(). */
  find(pathHash: Uint8Array): number {
    const slot = this.#search(pathHash, 0);
    return this.#slots[slot + 1] === 0 ? -1 : slot;
  }

  blockOf(slot: number): number {
    return this.#slots[slot + 1]! - 1;
  }

  /** Where in its block the entry begins. */
  startOf(slot: number): number {
    return this.#slots[slot + 2]!;
  }

  /** Adds an entry of a block, or puts it in the place of one with the same path hash. */
  set(block: number, start: number): void {
    const { bytes } = this.#blocks[block]!;
    const hashOffset = start + PATH_HASH_OFFSET;
    let slot = this.#search(bytes, hashOffset);
    if (this.#slots[slot + 1] === 0) {
      if (this.#size >= MAX_LOAD * 2 ** this.#bits) {
        this.#grow();
        slot = this.#search(bytes, hashOffset);
      }
      this.#size += 1;
    }
    this.#slots[slot] = firstWord(bytes, hashOffset);
    this.#slots[slot + 1] = block + 1;
    this.#slots[slot + 2] = start;
  }

  /** The slot of the path hash at `at` of `bytes`, or the empty one that it would get. */
  #search(bytes: Uint8Array, at: number): number {
    const slots = this.#slots;
    const first = firstWord(bytes, at);
    for (
      let slot = this.#homeOf(first);
      ;
      slot = slot + SLOT_WORDS === slots.length ? 0 : slot + SLOT_WORDS
    ) {
      const number = slots[slot + 1]!;
      if (number === 0) return slot;
      if (slots[slot] !== first) continue;
      if (hasPathHash(this.#blocks[number - 1]!.bytes, slots[slot + 2]!, bytes, at)) return slot;
    }
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
