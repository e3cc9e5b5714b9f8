/** Writing to what may have us wait: a pipe, a terminal, a socket. */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { isFifo, isSocket } from './file-stat.ts';
import { cFunction, lastErrno } from './libc.ts';
import { errnoNumber, isOsError } from './os-error.ts';

const poll = cFunction<[Int32Array, number, number]>(
  'int poll(void *descriptors, unsigned long count, int timeout)',
);

const POLLOUT = 4;
const POLLERR_POLLHUP = 8 | 16;
/** What poll(2) calls writable takes as much at once. */
const PIPE_BUF_BYTES = 4096;
/** How long a reader that does nothing keeps us from looking whether to stop. */
const WAIT_MS = 50;

/** Writes to a descriptor, and stays open for signals while nobody reads on the other side. */
export class StreamWriter {
  readonly #signal: AbortSignal;
  readonly #fd: number;
  /** A descriptor of our own for the same pipe, which never has us wait, whatever others set for theirs. */
  #ownFd: number | undefined;
  readonly #maxBytes: number;
  readonly #mayWait: boolean;

  constructor(fd: number, signal: AbortSignal) {
    this.#signal = signal;
    const { mode } = fstatSync(fd);
    this.#ownFd = isFifo(mode) ? openNonBlocking(fd) : undefined;
    this.#fd = this.#ownFd ?? fd;
    const isSlow = isFifo(mode) || isSocket(mode) || isatty(fd);
    this.#mayWait = isSlow && this.#ownFd === undefined;
    this.#maxBytes = this.#mayWait ? PIPE_BUF_BYTES : Infinity;
  }

  /** Returns when all of it is written. Throws EPIPE where nobody reads any more, and the signal's reason. */
  async write(data: Uint8Array): Promise<void> {
    for (let offset = 0; offset < data.length;) {
      if (this.#mayWait) await this.#waitWritable();
      const sizeBytes = Math.min(this.#maxBytes, data.length - offset);
      try {
        offset += writeSync(this.#fd, data, offset, sizeBytes);
      } catch (error) {
        if (isOsError(error, 'EAGAIN')) await this.#waitWritable();
        else if (!isOsError(error, 'EINTR')) throw error;
      }
    }
  }

  /** Writes what is taken without waiting; says how many bytes that were. */
  tryWrite(data: Uint8Array): number {
    let offset = 0;
    while (offset < data.length && (!this.#mayWait || this.#isWritable())) {
      try {
        offset += writeSync(this.#fd, data, offset, Math.min(this.#maxBytes, data.length - offset));
      } catch (error) {
        if (isOsError(error, 'EAGAIN')) break;
        if (!isOsError(error, 'EINTR')) throw error;
      }
    }
    return offset;
  }

  #isWritable(): boolean {
    return poll(Int32Array.of(this.#fd, POLLOUT), 1, 0) > 0;
  }

  /** Whether it can be seen that nobody will read any more. */
  isAbandoned(): boolean {
    // A 16-bit field each for what is asked and what is said: errors are said unasked.
    const descriptor = Int32Array.of(this.#fd, 0);
    return poll(descriptor, 1, 0) > 0 && ((descriptor[1]! >> 16) & POLLERR_POLLHUP) !== 0;
  }

  /** Gives back what is its own; the descriptor that it was given stays open. */
  close(): void {
    if (this.#ownFd !== undefined) closeSync(this.#ownFd);
    this.#ownFd = undefined;
  }

  async #waitWritable(): Promise<void> {
    // struct pollfd: int fd, short events, short revents.
    const descriptor = Int32Array.of(this.#fd, POLLOUT);
    for (;;) {
      // First of all: a reader that is slow, but reads, must not keep signals away.
      await setImmediate();
      this.#signal.throwIfAborted();
      const count = poll(descriptor, 1, WAIT_MS);
      if (count !== 0 && !(count < 0 && lastErrno() === errnoNumber('EINTR'))) return;
    }
  }
}

/** Undefined where the system does not let us open the pipe again. */
function openNonBlocking(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
