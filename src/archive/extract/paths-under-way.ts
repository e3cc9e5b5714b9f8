/**
 * Which paths are being made, or wait for their turn. Archives have each path once, and folders before what is in them, as
 * a rule; where one does not, what comes later must find what came before it done.
 */
import { toBinaryString } from '../../util/bytes.ts';

const UNUSUAL = /(^|\/)\.?(\/|$)/u;

export class PathsUnderWay {
  readonly #files = new Set<string>();
  /** Made, but without their attributes. */
  readonly #folders = new Set<string>();
  /** How many files are in a folder. */
  readonly #parents = new Map<string, number>();

  /** Anything but a folder. */
  addFile(path: Uint8Array): void {
    const key = keyOf(path);
    if (this.#files.has(key)) return;
    this.#files.add(key);
    const parent = parentOf(key);
    this.#parents.set(parent, (this.#parents.get(parent) ?? 0) + 1);
  }

  deleteFile(path: Uint8Array): void {
    const key = keyOf(path);
    if (!this.#files.delete(key)) return;
    const parent = parentOf(key);
    const count = this.#parents.get(parent)! - 1;
    if (count > 0) this.#parents.set(parent, count);
    else this.#parents.delete(parent);
  }

  addFolder(path: Uint8Array): void {
    this.#folders.add(keyOf(path));
  }

  deleteFolder(path: Uint8Array): void {
    this.#folders.delete(keyOf(path));
  }

  /** Whether something is at this path, a file above it, or a file right in it. */
  touches(path: Uint8Array): boolean {
    const key = keyOf(path);
    return (
      this.#files.has(key) ||
      this.#folders.has(key) ||
      this.#parents.has(key) ||
      this.#isBelowFile(parentOf(key))
    );
  }

  #isBelowFile(parent: string): boolean {
    for (let above = parent; above !== ''; above = parentOf(above)) if (this.#files.has(above)) return true;
    return false;
  }
}

function parentOf(key: string): string {
  return key.slice(0, Math.max(key.lastIndexOf('/'), 0));
}

/** The same for all spellings of a path. */
function keyOf(path: Uint8Array): string {
  const text = toBinaryString(path);
  if (!UNUSUAL.test(text)) return text;
  return text
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}
