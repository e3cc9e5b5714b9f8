import type { Output } from '../io.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';

export interface StreamOptions {
  readonly isTerminal: boolean;
  /** Asked for anew each time, since terminals change. */
  columns(): number | undefined;
  /** Writes all of it, and returns when it is written; throws an error of the system. */
  writeAll(data: Uint8Array): void;
  /** Called before bytes go out, e.g. to write what stands in another stream. */
  beforeWrite?(): void;
}

const FLUSH_SIZE_BYTES = 65536;

/** Gathers small writes; a terminal gets each at once. A reader that went away is no error: it has seen enough. */
export class StreamOutput implements Output {
  readonly isTerminal: boolean;
  readonly #options: StreamOptions;
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;
  #closed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.isTerminal = options.isTerminal;
  }

  get columns(): number | undefined {
    return this.isTerminal ? this.#options.columns() : undefined;
  }

  write(data: string | Uint8Array): void {
    if (this.#closed || data.length === 0) return;
    const bytes =
      typeof data === 'string' ? Buffer.from(removeSurrogates(data), 'utf8') : Uint8Array.from(data);
    this.#parts.push(bytes);
    this.#sizeBytes += bytes.length;
    if (this.isTerminal || this.#sizeBytes >= FLUSH_SIZE_BYTES) this.flush();
  }

  flush(): void {
    if (this.#parts.length === 0) return;
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#sizeBytes = 0;
    this.#options.beforeWrite?.();
    try {
      this.#options.writeAll(whole);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      this.#closed = true;
    }
  }
}
