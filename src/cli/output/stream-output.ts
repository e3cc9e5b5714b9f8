import type { Output } from '../io.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';

export interface StreamOptions {
  readonly isTerminal: boolean;
  /** Asked for anew each time, since terminals change. */
  columns(): number | undefined;
  /** Writes all of it, and returns when it is written; throws an error of the system. */
  writeAll(data: Uint8Array): void;
  /** The same for what may be much, hearing the signal while nobody reads. */
  writeMuch?(data: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Called before bytes go out, e.g. to write what stands in another stream. */
  beforeWrite?(): void;
}

/** Lines that wait are many small objects: few enough that the collector has not moved most of them. */
const FLUSH_SIZE_BYTES = 16_384;

/** Gathers small writes; a terminal gets each at once. A reader that went away is no error: it has seen enough. */
export class StreamOutput implements Output {
  readonly isTerminal: boolean;
  readonly #options: StreamOptions;
  /** What waits: bytes, and text behind them. */
  #parts: Uint8Array[] = [];
  #text = '';
  /** At least; text counts by its characters. */
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
    if (typeof data === 'string') this.#text += removeSurrogates(data);
    else {
      this.#endText();
      this.#parts.push(data.slice());
    }
    this.#sizeBytes += data.length;
    if (this.isTerminal || this.#sizeBytes >= FLUSH_SIZE_BYTES) this.flush();
  }

  async writeMuch(data: Uint8Array, signal: AbortSignal): Promise<void> {
    const options = this.#options;
    const isLittle = this.#sizeBytes + data.length < FLUSH_SIZE_BYTES;
    if (options.writeMuch === undefined || isLittle || this.#closed) return this.write(data);
    for (const part of [this.#take(), data]) {
      if (part === undefined || this.#closed) continue;
      options.beforeWrite?.();
      await options.writeMuch(part, signal).catch((error: unknown) => this.#unlessLeft(error));
    }
  }

  flush(): void {
    const whole = this.#take();
    if (whole === undefined) return;
    this.#options.beforeWrite?.();
    try {
      this.#options.writeAll(whole);
    } catch (error) {
      this.#unlessLeft(error);
    }
  }

  /** All that waits. */
  #take(): Uint8Array | undefined {
    this.#endText();
    const parts = this.#parts;
    this.#parts = [];
    this.#sizeBytes = 0;
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  #unlessLeft(error: unknown): void {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    this.#closed = true;
  }

  #endText(): void {
    if (this.#text === '') return;
    this.#parts.push(Buffer.from(this.#text, 'utf8'));
    this.#text = '';
  }
}
