/** Collects stretches of bytes into pieces to be written; most stretches begin where the last one ended. */
const PIECE_BYTES = 1 << 20;
const NO_BYTES = new Uint8Array(0);

export class PieceWriter {
  #piece = new Uint8Array(PIECE_BYTES);
  #usedBytes = 0;
  /** What is still to be copied, of `#source`. */
  #source: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;

  get isFull(): boolean {
    return this.#usedBytes + this.#end - this.#start >= PIECE_BYTES;
  }

  /** The bytes must not change before the piece is taken. */
  add(source: Uint8Array, start = 0, end = source.length): void {
    if (this.#source !== source || this.#end !== start) {
      this.#copy();
      this.#source = source;
      this.#start = start;
    }
    this.#end = end;
  }

  take(): Uint8Array {
    this.#copy();
    const piece = this.#piece.subarray(0, this.#usedBytes);
    this.#piece = new Uint8Array(PIECE_BYTES);
    this.#usedBytes = 0;
    return piece;
  }

  #copy(): void {
    const needed = this.#usedBytes + this.#end - this.#start;
    if (needed > this.#piece.length) {
      const larger = new Uint8Array(needed + PIECE_BYTES);
      larger.set(this.#piece.subarray(0, this.#usedBytes));
      this.#piece = larger;
    }
    this.#piece.set(this.#source.subarray(this.#start, this.#end), this.#usedBytes);
    this.#usedBytes = needed;
    this.#start = this.#end;
  }
}
