/** Gathers text that goes out in pieces of some size. */
import type { Write } from '../../platform/http-server.ts';
import { fromUtf8 } from '../../util/bytes.ts';

const PIECE_CHARACTERS = 32 * 1024;

export class TextWriter {
  readonly #write: Write;
  #text = '';

  constructor(write: Write) {
    this.#write = write;
  }

  async add(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= PIECE_CHARACTERS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await this.#write(fromUtf8(text));
  }
}
