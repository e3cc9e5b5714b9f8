import type { WorkerControl } from './worker-control.ts';

/**
 * Memory of a thread's ring. The default's largest chunk (8 MiB) fits when nothing else is there, some three of usual size
 * at a time; a larger one travels in memory of its own.
 */
export const RING_BYTES = 9 * 2 ** 20;

/** Where a chunk's id and envelope are. */
export interface RingPlace {
  /** In the ring; -1 where it is `large`. */
  readonly offset: number;
  /** To release when the chunk was dealt with. */
  readonly costBytes: number;
  readonly bytes: Uint8Array;
  /** Memory of its own, for what does not fit into the ring. */
  readonly large?: Uint8Array<ArrayBuffer>;
}

/**
 * Memory that a worker fills and the main thread reads, over and over: fresh memory for each envelope would cost more
 * time, for its pages, than the encryption, and leave the collector behind. Places are released in the order in which
 * they were taken.
 */
export class Ring {
  readonly #bytes: Uint8Array;
  readonly #control: WorkerControl;
  #next = 0;

  constructor(buffer: SharedArrayBuffer, control: WorkerControl) {
    this.#bytes = new Uint8Array(buffer);
    this.#control = control;
  }

  /** Takes a place, once there is room; `beforeWaiting` must send what holds places. */
  reserve(sizeBytes: number, beforeWaiting: () => void): RingPlace {
    const capacity = this.#bytes.length;
    // With little to do it stays at its beginning: in the processor's cache, and without taking all of its memory.
    if (this.#control.nothingInFlight) this.#next = 0;
    if (sizeBytes > capacity) {
      this.#acquire(sizeBytes, beforeWaiting);
      const large = new Uint8Array(sizeBytes);
      return { offset: -1, costBytes: sizeBytes, bytes: large, large };
    }
    // A place does not go round the end: what is left there is taken along, and released with it.
    const left = capacity - this.#next;
    const goesRound = sizeBytes > left;
    const skipped = goesRound ? left : 0;
    const offset = goesRound ? 0 : this.#next;
    const costBytes = skipped + sizeBytes;
    this.#acquire(costBytes, beforeWaiting);
    this.#next = offset + sizeBytes;
    return { offset, costBytes, bytes: this.#bytes.subarray(offset, offset + sizeBytes) };
  }

  /** Keeps only the beginning of the place that was taken last. Returns how much less there is to release. */
  shorten(place: RingPlace, sizeBytes: number): number {
    const sparedBytes = place.bytes.length - sizeBytes;
    if (place.offset < 0 || sparedBytes <= 0) return 0;
    this.#next -= sparedBytes;
    this.#control.release(sparedBytes);
    return sparedBytes;
  }

  #acquire(costBytes: number, beforeWaiting: () => void): void {
    const capacity = this.#bytes.length;
    if (this.#control.tryAcquire(costBytes, capacity)) return;
    beforeWaiting();
    this.#control.acquire(costBytes, capacity);
  }
}
