/**
 * Whether descriptors that Node can't watch have something to read, by poll(2): `struct pollfd` is the descriptor in 4 bytes,
 * what is asked in 2, and what is so in 2.
 */
import { backgroundCFunction, cFunction } from './libc.ts';

type Poll = [fds: Uint8Array, count: number, timeoutMs: number];
const PROTOTYPE = 'int poll(void *fds, unsigned long count, int timeoutMs)';
const poll = cFunction<Poll>(PROTOTYPE);
const pollInBackground = backgroundCFunction<Poll>(PROTOTYPE);

const POLLIN = 1;
const POLLFD_BYTES = 8;

export class Readiness {
  readonly #fds: Uint8Array;
  readonly #count: number;

  /** A descriptor that is closed, or at its end, is ready, too. */
  constructor(...fds: readonly number[]) {
    const memory = new ArrayBuffer(fds.length * POLLFD_BYTES);
    this.#fds = new Uint8Array(memory);
    this.#count = fds.length;
    for (const [index, fd] of fds.entries()) {
      new Int32Array(memory)[index * 2] = fd;
      new Int16Array(memory)[index * 4 + 2] = POLLIN;
    }
  }

  /** Whether one of them is ready within so long, for which everything else stands still. */
  within(timeoutMs: number): boolean {
    return poll(this.#fds, this.#count, timeoutMs) > 0;
  }

  /** Settles when one of them is ready, or, rarely, before. Takes a thread of Node's pool meanwhile. */
  async wait(): Promise<void> {
    await pollInBackground(this.#fds, this.#count, -1);
  }
}
