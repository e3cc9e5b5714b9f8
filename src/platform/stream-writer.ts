/** Writing to what may have us wait: a pipe, a terminal, a socket. */
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fstat, isRegular } from './file-stat.ts';
import { cFunction, lastErrno } from './libc.ts';
import { errnoNumber, isOsError } from './os-error.ts';

const poll = cFunction<[Int32Array, number, number]>(
  'int poll(void *descriptors, unsigned long count, int timeout)',
);

const POLLOUT = 4;
/** A pipe that poll(2) calls writable takes as much at once. */
const PIPE_BUF_BYTES = 4096;
/** How long a reader that does nothing keeps us from looking whether to stop. */
const WAIT_MS = 50;

/** Writes to a descriptor, and stays open for signals while nobody reads on the other side. */
export class StreamWriter {
  readonly #fd: number;
  readonly #signal: AbortSignal;
  readonly #maxBytes: number;

  constructor(fd: number, signal: AbortSignal) {
    this.#fd = fd;
    this.#signal = signal;
    this.#maxBytes = isRegular(fstat(fd).mode) ? Infinity : PIPE_BUF_BYTES;
  }

  /** Returns when all of it is written. Throws EPIPE where nobody reads any more, and the signal's reason. */
  async write(data: Uint8Array): Promise<void> {
    for (let offset = 0; offset < data.length;) {
      if (this.#maxBytes !== Infinity) await this.#waitWritable();
      const sizeBytes = Math.min(this.#maxBytes, data.length - offset);
      try {
        offset += writeSync(this.#fd, data, offset, sizeBytes);
      } catch (error) {
        if (!isOsError(error, 'EAGAIN', 'EINTR')) throw error;
      }
    }
  }

  async #waitWritable(): Promise<void> {
    // struct pollfd: int fd, short events, short revents.
    const descriptor = Int32Array.of(this.#fd, POLLOUT);
    for (;;) {
      const count = poll(descriptor, 1, WAIT_MS);
      if (count !== 0 && !(count < 0 && lastErrno() === errnoNumber('EINTR'))) return;
      await setImmediate();
      this.#signal.throwIfAborted();
    }
  }
}
