/** Collects stretches of bytes into pieces to be written; most stretches begin where the last one ended. */
const PIECE_BYTES = 1 << 20;
const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

export class PieceWriter {
  #piece = NO_BYTES;
  #usedBytes = 0;
  /** What is still to be copied, of `#source`. */
  #source: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;

  get isFull(): boolean {
    return this.#usedBytes + this.#end - this.#start >= PIECE_BYTES;
  }

  /** The bytes must not change as long as the piece is used. */
  add(source: Uint8Array, start = 0, end = source.length): void {
    if (this.#source !== source || this.#end !== start) {
      this.#copy();
      this.#source = source;
      this.#start = start;
    }
    this.#end = end;
  }

  take(): Uint8Array {
    // One stretch is most often all that there is.
    if (this.#usedBytes === 0) return this.#takeStretch();
    this.#copy();
    const piece = this.#piece.subarray(0, this.#usedBytes);
    this.#piece = NO_BYTES;
    this.#usedBytes = 0;
    return piece;
  }

  #takeStretch(): Uint8Array {
    const stretch = this.#source.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return stretch;
  }

  #copy(): void {
    const stretch = this.#takeStretch();
    const needed = this.#usedBytes + stretch.length;
    if (needed > this.#piece.length) {
      const larger = new Uint8Array(needed + PIECE_BYTES);
      larger.set(this.#piece.subarray(0, this.#usedBytes));
      this.#piece = larger;
    }
    this.#piece.set(stretch, this.#usedBytes);
    this.#usedBytes = needed;
  }
}
