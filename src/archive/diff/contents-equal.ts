/**
 * Compares two contents that were cut in different ways.
 *
 * Source: Borg 1.4.5, item.pyx, chunks_contents_equal.
 */
import { equalBytes } from '../../util/bytes.ts';

/** Reads both only as far as they are equal. */
export async function contentsEqual(
  first: AsyncIterable<Uint8Array>,
  second: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  await using a = new Pieces(first);
  await using b = new Pieces(second);
  for (;;) {
    const [left, right] = [await a.rest(), await b.rest()];
    if (left === undefined || right === undefined) return left === right;
    const length = Math.min(left.length, right.length);
    if (!equalBytes(left.subarray(0, length), right.subarray(0, length))) return false;
    a.take(length);
    b.take(length);
  }
}

class Pieces implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What is left of the piece at hand, or the next one; undefined at the end. */
  async rest(): Promise<Uint8Array | undefined> {
    while (this.#piece.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#piece = next.value;
    }
    return this.#piece;
  }

  take(length: number): void {
    this.#piece = this.#piece.subarray(length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.();
  }
}
