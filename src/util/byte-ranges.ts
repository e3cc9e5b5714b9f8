/** Parts of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A set of a file's bytes: ranges in order, none of them empty or touching the next. */
export class ByteRanges implements Iterable<ByteRange> {
  #ranges: ByteRange[] = [];

  constructor(ranges: Iterable<ByteRange> = []) {
    for (const { offset, sizeBytes } of ranges) this.add(offset, sizeBytes);
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  get count(): number {
    return this.#ranges.length;
  }

  get sizeBytes(): number {
    return this.#ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  add(offset: number, sizeBytes: number): void {
    if (sizeBytes <= 0) return;
    const first = this.#search(offset);
    let start = offset;
    let end = offset + sizeBytes;
    let last = first;
    for (; last < this.#ranges.length && this.#ranges[last]!.offset <= end; last++) {
      const range = this.#ranges[last]!;
      start = Math.min(start, range.offset);
      end = Math.max(end, range.offset + range.sizeBytes);
    }
    this.#ranges.splice(first, last - first, { offset: start, sizeBytes: end - start });
  }

  /** The first range that has bytes of these. */
  firstIn(offset: number, sizeBytes: number): ByteRange | undefined {
    const range = this.#ranges[this.#search(offset + 1)];
    return range !== undefined && range.offset < offset + sizeBytes ? range : undefined;
  }

  /** The bytes of a file of this size that are not in the set. */
  outside(sizeBytes: number): ByteRanges {
    const others = new ByteRanges();
    let offset = 0;
    for (const range of this.#ranges) {
      others.add(offset, Math.min(range.offset, sizeBytes) - offset);
      offset = range.offset + range.sizeBytes;
    }
    others.add(offset, sizeBytes - offset);
    return others;
  }

  /** What of the set lies in a file of this size. */
  within(sizeBytes: number): ByteRanges {
    return this.outside(sizeBytes).outside(sizeBytes);
  }

  [Symbol.iterator](): Iterator<ByteRange> {
    return this.#ranges[Symbol.iterator]();
  }

  /** Number of the first range that ends at this place or behind it. */
  #search(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle]!;
      if (range.offset + range.sizeBytes < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
