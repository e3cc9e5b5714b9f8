/**
 * Memory for opened chunks, shared with the threads that open them. It is used over and over, what was taken longest ago
 * first: memory of its own for each chunk would cost as much, for its pages and for the collector, as opening the chunk.
 */

/** A part of the memory. */
export class ChunkPlace {
  readonly offsetBytes: number;
  readonly endBytes: number;
  readonly bytes: Uint8Array;
  /** As long as there are any, nobody else gets it. */
  users = 1;
  /** Called when somebody else gets it. */
  readonly onLost: () => void;
  /** The one behind it. */
  next: ChunkPlace;

  constructor(bytes: Uint8Array, onLost: () => void, next?: ChunkPlace) {
    this.offsetBytes = bytes.byteOffset;
    this.endBytes = bytes.byteOffset + bytes.length;
    this.bytes = bytes;
    this.onLost = onLost;
    this.next = next ?? this;
  }
}

export class ChunkMemory {
  readonly buffer: SharedArrayBuffer;
  /** Takes no bytes, and is never lost: behind it the memory begins, before it it ends. */
  readonly #first: ChunkPlace;
  #last: ChunkPlace;

  /** Memory that was never used takes none. */
  constructor(sizeBytes: number) {
    this.buffer = new SharedArrayBuffer(sizeBytes);
    this.#first = new ChunkPlace(new Uint8Array(this.buffer, 0, 0), () => {});
    this.#last = this.#first;
  }

  get sizeBytes(): number {
    return this.buffer.byteLength;
  }

  /** A place with one user; undefined where those in use leave no room. */
  take(sizeBytes: number, onLost: () => void): ChunkPlace | undefined {
    for (let ends = 0; ends < 2;) {
      const last = this.#last;
      const { next } = last;
      const isEnd = next === this.#first;
      if ((isEnd ? this.sizeBytes : next.offsetBytes) - last.endBytes >= sizeBytes) {
        const bytes = new Uint8Array(this.buffer, last.endBytes, sizeBytes);
        this.#last = last.next = new ChunkPlace(bytes, onLost, next);
        return this.#last;
      }
      if (isEnd || next.users > 0) {
        if (isEnd) ends++;
        this.#last = next;
      } else {
        last.next = next.next;
        next.onLost();
      }
    }
    return undefined;
  }
}
