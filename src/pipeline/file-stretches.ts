/** Reads parts of files into the same memory over and over: fresh memory for each would cost more than the reading. */
import { readFileAt } from '../platform/read-file.ts';
import { releaseBuffer } from './open-batch.ts';

export class FileStretches {
  readonly #leastBytes: number;
  #memory = new Uint8Array(0);
  /** What is used of it. */
  #usedBytes = 0;
  /** What had too little room left, but is used. */
  readonly #full: Uint8Array[] = [];

  /** Of memory at least so much is taken; pages of it count only once they are written to. */
  constructor(leastBytes: number) {
    this.#leastBytes = leastBytes;
  }

  /** Takes back the memory of all that was read. */
  clear(): void {
    this.#usedBytes = 0;
    // There is so little garbage in a thread that the collector would leave it for long.
    while (this.#full.length > 0) releaseBuffer(this.#full.pop()!);
  }

  /** Undefined where the file can't be read, or ends before. */
  read(fd: number, offsetBytes: number, sizeBytes: number): Uint8Array | undefined {
    try {
      const bytes = this.readUpTo(fd, offsetBytes, sizeBytes);
      return bytes.length === sizeBytes ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** As much of it as there is in the file. Throws the operating system's errors. */
  readUpTo(fd: number, offsetBytes: number, sizeBytes: number): Uint8Array {
    const bytes = this.#room(sizeBytes);
    const done = readUpTo(fd, bytes, offsetBytes);
    this.#usedBytes += done;
    return bytes.subarray(0, done);
  }

  #room(sizeBytes: number): Uint8Array {
    if (this.#memory.length - this.#usedBytes < sizeBytes) {
      if (this.#usedBytes === 0) releaseBuffer(this.#memory);
      else this.#full.push(this.#memory);
      this.#memory = new Uint8Array(Buffer.allocUnsafeSlow(Math.max(sizeBytes, this.#leastBytes)).buffer);
      this.#usedBytes = 0;
    }
    return this.#memory.subarray(this.#usedBytes, this.#usedBytes + sizeBytes);
  }
}

/** Fills the beginning, with as much as there is in the file. Throws the operating system's errors. */
export function readUpTo(fd: number, into: Uint8Array, offsetBytes: number): number {
  let done = 0;
  while (done < into.length) {
    const more = readFileAt(fd, into.subarray(done), offsetBytes + done);
    if (more === 0) break;
    done += more;
  }
  return done;
}
