/**
 * Memory for what is given back more or less in the order in which it was taken: the same pages over and over, as fresh
 * ones would cost more than what is done with them.
 */
export class FifoMemory {
  readonly #sizeBytes: number;
  #memory = new Uint8Array(0);
  /** In order; those given back stay as long as an older one is not. */
  readonly #pieces: MemoryPiece[] = [];

  /** Pages of it count only once they are written to. */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** Where to take the next piece: as much as there is, if not less than so many bytes, and otherwise what is most. */
  room(leastBytes: number): Uint8Array {
    if (this.#memory.length === 0) this.#memory = new Uint8Array(this.#sizeBytes);
    const [first, last] = [this.#pieces[0], this.#pieces.at(-1)];
    // At its beginning again: it may be in the processor's cache, and not all of it is needed.
    if (first === undefined || last === undefined) return this.#memory;
    if (last.endBytes < first.endBytes) return this.#memory.subarray(last.endBytes, first.startBytes);
    const behind = this.#memory.subarray(last.endBytes);
    const before = this.#memory.subarray(0, first.startBytes);
    return behind.length >= leastBytes || behind.length >= before.length ? behind : before;
  }

  /** The beginning of a room, which must be the last that room() gave. */
  takeOf(room: Uint8Array, sizeBytes: number): MemoryPiece {
    const startBytes = room.byteOffset - this.#memory.byteOffset;
    const piece = new MemoryPiece(room.subarray(0, sizeBytes), startBytes);
    if (sizeBytes > 0) this.#pieces.push(piece);
    return piece;
  }

  release(piece: MemoryPiece): void {
    piece.isFree = true;
    while (this.#pieces[0]?.isFree === true) this.#pieces.shift();
    while (this.#pieces.at(-1)?.isFree === true) this.#pieces.pop();
  }
}

export class MemoryPiece {
  readonly bytes: Uint8Array;
  readonly startBytes: number;
  readonly endBytes: number;
  isFree = false;

  constructor(bytes: Uint8Array, startBytes: number) {
    this.bytes = bytes;
    this.startBytes = startBytes;
    this.endBytes = startBytes + bytes.length;
  }
}
