/** Reads parts of files one after the other into the same memory: fresh memory for each would cost more than the reading. */
import { readFileAt } from '../platform/read-file.ts';
import { releaseBuffer } from './open-batch.ts';

export class FileStretches {
  readonly #leastBytes: number;
  #memory = new Uint8Array(0);

  /** Of memory at least so much is taken; pages of it count only once they are written to. */
  constructor(leastBytes = 0) {
    this.#leastBytes = leastBytes;
  }

  /** Good until the next call; undefined where the file can't be read, or ends before. */
  read(fd: number, offsetBytes: number, sizeBytes: number): Uint8Array | undefined {
    try {
      const bytes = this.readUpTo(fd, offsetBytes, sizeBytes);
      return bytes.length === sizeBytes ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** As much of it as there is in the file; good until the next call. Throws the operating system's errors. */
  readUpTo(fd: number, offsetBytes: number, sizeBytes: number): Uint8Array {
    const bytes = this.#room(sizeBytes);
    let done = 0;
    while (done < sizeBytes) {
      const more = readFileAt(fd, bytes.subarray(done), offsetBytes + done);
      if (more === 0) break;
      done += more;
    }
    return bytes.subarray(0, done);
  }

  #room(sizeBytes: number): Uint8Array {
    if (this.#memory.length < sizeBytes) {
      // There is so little garbage in a thread that the collector would leave it for long.
      releaseBuffer(this.#memory);
      const room = Math.max(sizeBytes, this.#leastBytes);
      this.#memory = new Uint8Array(Buffer.allocUnsafeSlow(room).buffer);
    }
    return this.#memory.subarray(0, sizeBytes);
  }
}
