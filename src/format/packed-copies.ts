/** Copies of short byte ranges, cheaply. */

/** Arrays up to this size live among the objects of JavaScript; memory for longer ones is costly to get, and to free. */
const SINGLE_BYTES = 64;
/** Longer ones have memory of their own: whoever keeps one copy keeps not much else. */
const SHARED_BYTES = 1024;
const BLOCK_BYTES = 8192;

export class PackedCopies {
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;

  copy(bytes: Uint8Array, from: number, length: number): Uint8Array {
    if (length > SHARED_BYTES) {
      const own = new Uint8Array(length);
      // Not slice(), which gives a window where the bytes are a Buffer's.
      own.set(bytes.subarray(from, from + length));
      return own;
    }
    const copy = length > SINGLE_BYTES ? this.#share(length) : new Uint8Array(length);
    for (let i = 0; i < length; i++) copy[i] = bytes[from + i]!;
    return copy;
  }

  #share(length: number): Uint8Array {
    if (this.#used + length > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const shared = new Uint8Array(this.#block.buffer, this.#used, length);
    this.#used += length;
    return shared;
  }
}
