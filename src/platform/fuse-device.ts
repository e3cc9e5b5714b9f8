/**
 * The device by which the kernel asks the server of a mounted file system.
 *
 * A read from it blocks, and one that blocks in a thread would keep the process from ending. So it is open without
 * blocking, and a thread of Node's pool waits for it and for a word to stop. When requests come one after the other and all
 * are answered at once, waiting by way of a thread takes longer than answering: then the main thread itself waits for the
 * next one, for a millisecond at most.
 */
import { closeSync, readSync, writevSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { concatBytes } from '../util/bytes.ts';
import { cFunction } from './libc.ts';
import { isOsError, lastOsError } from './os-error.ts';
import { Readiness } from './readiness.ts';

const eventfd = cFunction<[number, number]>('int eventfd(unsigned int value, int flags)');
const EFD_CLOEXEC = 0o2000000;

/** The kernel wants room for its largest request, and that is of at least this size. */
const MESSAGE_BYTES = 2 * 8192;
/** What one call takes (IOV_MAX); a message must be written by one. */
const MAX_PARTS = 1024;
const LINGER_MS = 1;
/** After so long the rest of the process has its turn. */
const TURN_MS = 8;

export interface FuseServer {
  /** Takes one message, of which nothing is needed when this returns. A promise: takes no other before it settles. */
  handle(message: Uint8Array): Promise<void> | undefined;
  /** Requests that are not answered yet. */
  readonly underWay: number;
}

export class FuseDevice implements Disposable {
  readonly #fd: number;
  readonly #stopFd: number;
  readonly #device: Readiness;
  #stopped = false;
  #closed = false;
  readonly #onExit = () => this.stop();

  /** The device must be open without blocking; close() closes it. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#device = new Readiness(fd);
    this.#stopFd = eventfd(0, EFD_CLOEXEC);
    if (this.#stopFd < 0) throw lastOsError('eventfd');
    // Whatever ends the process: a thread that waits would hold it up.
    process.once('exit', this.#onExit);
  }

  /** Has the server answer until the file system is unmounted, or until stop(). */
  async serve(server: FuseServer): Promise<'unmounted' | 'stopped'> {
    const buffer = new Uint8Array(MESSAGE_BYTES);
    const any = new Readiness(this.#fd, this.#stopFd);
    for (;;) {
      await any.wait();
      const endMs = performance.now() + TURN_MS;
      do {
        if (this.#stopped) return 'stopped';
        const bytes = this.#receive(buffer);
        if (bytes === undefined) return 'unmounted';
        const pause = bytes === 0 ? undefined : server.handle(buffer.subarray(0, bytes));
        if (pause !== undefined) await pause;
      } while (performance.now() < endMs && this.#device.within(server.underWay === 0 ? LINGER_MS : 0));
      await setImmediate();
    }
  }

  /** Sends one message. Whoever waited for it may be gone, and so may be the mount: there is nobody to tell then. */
  send(parts: readonly Uint8Array[]): void {
    if (this.#closed) return;
    try {
      writevSync(this.#fd, parts.length <= MAX_PARTS ? parts : [concatBytes(parts)]);
    } catch (error) {
      if (!isOsError(error, 'ENOENT', 'ENODEV', 'EINTR')) throw error;
    }
  }

  /** Has serve() come to its end. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (!this.#closed) writeSync(this.#stopFd, new Uint8Array(new BigUint64Array([1n]).buffer));
  }

  /** After serve() has come to its end. Whoever still uses the file system is told that nobody serves it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#onExit);
    closeSync(this.#fd);
    closeSync(this.#stopFd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The size of the next message; 0: there is none, undefined: there will be none any more. */
  #receive(buffer: Uint8Array): number | undefined {
    try {
      return readSync(this.#fd, buffer);
    } catch (error) {
      if (isOsError(error, 'ENODEV')) return undefined;
      // ENOENT: who asked is gone.
      if (isOsError(error, 'EAGAIN', 'EINTR', 'ENOENT')) return 0;
      throw error;
    }
  }
}
