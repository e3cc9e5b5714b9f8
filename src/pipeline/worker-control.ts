/**
 * Words in memory that a worker shares with the main thread, by which each can wait for the other while the worker
 * runs one file after the other without returning to its event loop.
 *
 * | word (int32) | meaning |
 * |---|---|
 * | 0 | stop: not 0 once the worker is to stop |
 * | 1 | bytes in flight: taken in the ring and not yet dealt with |
 * | 2 | leases: counts the nonce ranges that were granted |
 * | 3 | index: counts the messages on the index port |
 * | 4, 5 | first nonce of the last range (int64) |
 * | 6 | ready: not 0 once the worker takes messages |
 */
const [STOP, IN_FLIGHT, LEASES, INDEX] = [0, 1, 2, 3];
const LEASE_FIRST_OFFSET = 16;
const READY = 6;
const CONTROL_BYTES = 32;
const WAIT_MS = 1000;

/** Thrown in a worker that is to stop. */
export class WorkerStopped extends Error {}

export class WorkerControl {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #leaseFirst: BigInt64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(CONTROL_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#leaseFirst = new BigInt64Array(buffer, LEASE_FIRST_OFFSET, 1);
  }

  // --- the main thread's side ---

  stop(): void {
    Atomics.store(this.#words, STOP, 1);
    for (const word of [IN_FLIGHT, LEASES]) Atomics.notify(this.#words, word);
  }

  /** These bytes are no longer in flight. */
  release(sizeBytes: number): void {
    Atomics.sub(this.#words, IN_FLIGHT, sizeBytes);
    Atomics.notify(this.#words, IN_FLIGHT);
  }

  grantLease(first: bigint): void {
    Atomics.store(this.#leaseFirst, 0, first);
    Atomics.add(this.#words, LEASES, 1);
    Atomics.notify(this.#words, LEASES);
  }

  /** Whether the worker takes messages: a thread takes some 40 ms to start. */
  get isReady(): boolean {
    return Atomics.load(this.#words, READY) !== 0;
  }

  announceIndex(): void {
    Atomics.add(this.#words, INDEX, 1);
  }

  // --- the worker's side ---

  announceReady(): void {
    Atomics.store(this.#words, READY, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  checkStopped(): void {
    if (this.isStopped) throw new WorkerStopped();
  }

  /** Counts these bytes as in flight where they fit under the limit; anything fits when nothing is in flight. */
  tryAcquire(sizeBytes: number, limitBytes: number): boolean {
    const inFlight = Atomics.load(this.#words, IN_FLIGHT);
    if (inFlight !== 0 && inFlight + sizeBytes > limitBytes) return false;
    Atomics.add(this.#words, IN_FLIGHT, sizeBytes);
    return true;
  }

  get nothingInFlight(): boolean {
    return Atomics.load(this.#words, IN_FLIGHT) === 0;
  }

  /** The same, waiting until they fit. */
  acquire(sizeBytes: number, limitBytes: number): void {
    while (!this.tryAcquire(sizeBytes, limitBytes)) {
      this.checkStopped();
      const inFlight = Atomics.load(this.#words, IN_FLIGHT);
      if (inFlight !== 0 && inFlight + sizeBytes > limitBytes) {
        Atomics.wait(this.#words, IN_FLIGHT, inFlight, WAIT_MS);
      }
    }
  }

  /** Asks for a range of nonces by `request`, and waits for it. */
  awaitLease(request: () => void): bigint {
    const before = Atomics.load(this.#words, LEASES);
    request();
    while (Atomics.load(this.#words, LEASES) === before) {
      this.checkStopped();
      Atomics.wait(this.#words, LEASES, before, WAIT_MS);
    }
    return BigInt.asUintN(64, Atomics.load(this.#leaseFirst, 0));
  }

  get indexCount(): number {
    return Atomics.load(this.#words, INDEX);
  }
}
