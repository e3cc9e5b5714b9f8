/** A file that the user names for output, which may be a device or a pipe. */
import { closeSync, openSync } from 'node:fs';
import { writeFully } from './save-file.ts';

const FLUSH_SIZE_BYTES = 65_536;

/** Takes text piece by piece; errors of the system are thrown as they are. */
export class OutputFile implements Disposable {
  #fd: number | undefined;
  #text = '';

  /** Empties the file if it is there. */
  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= FLUSH_SIZE_BYTES) this.#flush();
  }

  /** Writes what is left; to be called where all went well. */
  close(): void {
    this.#flush();
    const fd = this.#fd!;
    this.#fd = undefined;
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    try {
      // What there was before an error is of use.
      this.#flush();
    } catch {
      // The first error tells more.
    } finally {
      closeSync(this.#fd);
      this.#fd = undefined;
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text, 'utf8');
    this.#text = '';
    writeFully(this.#fd!, bytes);
  }
}
