import type { StreamWriter } from '../../platform/stream-writer.ts';
import { isOsError } from '../../platform/os-error.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';
import type { Output } from '../io.ts';

/** What waits for a reader at most; more is dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Output that never has the program wait for a reader who does not read, so that signals are heard meanwhile: what is not
 * taken at once is kept until flush().
 */
export class PatientOutput implements Output {
  readonly isTerminal = false;
  readonly columns = undefined;
  readonly #before: Output;
  #writer: StreamWriter | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  /** Until a writer is attached, everything goes to `before`. */
  constructor(before: Output) {
    this.#before = before;
  }

  attach(writer: StreamWriter): void {
    this.#writer = writer;
  }

  write(data: string | Uint8Array): void {
    if (this.#writer === undefined) return this.#before.write(data);
    const bytes = typeof data === 'string' ? Buffer.from(removeSurrogates(data)) : data;
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) return;
    const written = this.#waitingBytes === 0 ? this.#tryWrite(bytes) : 0;
    if (written === bytes.length) return;
    this.#waiting.push(bytes.subarray(written));
    this.#waitingBytes += bytes.length - written;
  }

  /** Waits until all of it has been taken. Throws the reason of the writer's signal. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const part = this.#waiting.shift()!;
      this.#waitingBytes -= part.length;
      try {
        await this.#writer!.write(part);
      } catch (error) {
        // Nobody reads: then nobody misses it.
        if (!isOsError(error)) throw error;
      }
    }
  }

  #tryWrite(bytes: Uint8Array): number {
    try {
      return this.#writer!.tryWrite(bytes);
    } catch (error) {
      if (!isOsError(error)) throw error;
      return bytes.length;
    }
  }
}
