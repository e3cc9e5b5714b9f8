/**
 * Which paths are being made, or wait for their turn. Archives have each path once, and folders before what is in them, as
 * a rule; where one does not, what comes later must find what came before it done.
 */
import { toBinaryString } from '../../util/bytes.ts';

const SLASH = 0x2f;
const DOT = 0x2e;

/** How many files are in a folder. */
interface Parent {
  readonly path: string;
  files: number;
}

export interface PathUnderWay {
  /** To be called once, when it is done. */
  end(): void;
}

export class PathsUnderWay {
  readonly #files = new Map<string, number>();
  /** Made, but without their attributes. */
  readonly #folders = new Set<string>();
  readonly #parents = new Map<string, Parent>();
  /** The last file's. */
  #parent: Parent = { path: '', files: 0 };
  /** The last folder that was found to have no file in its place, or above it. */
  #sound = '';
  /** The last path, and its key. */
  #path: Uint8Array | undefined;
  #key = '';

  /** Anything but a folder. */
  addFile(path: Uint8Array): PathUnderWay {
    const key = this.#keyOf(path);
    this.#files.set(key, (this.#files.get(key) ?? 0) + 1);
    if (this.#sound.startsWith(key)) this.#sound = '';
    const parent = this.#parentOf(key);
    parent.files += 1;
    return { end: () => this.#end(key, parent) };
  }

  addFolder(path: Uint8Array): PathUnderWay {
    const key = this.#keyOf(path);
    this.#folders.add(key);
    return { end: () => void this.#folders.delete(key) };
  }

  /** Whether something is at this path, a file above it, or a file right in it. */
  touches(path: Uint8Array): boolean {
    const key = this.#keyOf(path);
    if (this.#files.has(key) || this.#folders.has(key) || this.#parents.has(key)) return true;
    const aboveLength = nameStart(key);
    if (aboveLength === this.#sound.length && key.startsWith(this.#sound)) return false;
    const above = key.slice(0, aboveLength);
    for (let folder = above; folder !== ''; folder = folder.slice(0, nameStart(folder))) {
      if (this.#files.has(folder)) return true;
    }
    this.#sound = above;
    return false;
  }

  /** Whoever asks of a path goes on with it. */
  #keyOf(path: Uint8Array): string {
    if (this.#path !== path) {
      this.#key = keyOf(path);
      this.#path = path;
    }
    return this.#key;
  }

  #end(key: string, parent: Parent): void {
    const files = this.#files.get(key)! - 1;
    if (files > 0) this.#files.set(key, files);
    else this.#files.delete(key);
    parent.files -= 1;
    if (parent.files === 0) this.#parents.delete(parent.path);
  }

  /** Items come folder by folder, so mostly it is that of the file before. */
  #parentOf(key: string): Parent {
    const length = nameStart(key);
    const last = this.#parent;
    if (last.files > 0 && last.path.length === length && key.startsWith(last.path)) return last;
    const path = key.slice(0, length);
    this.#parent = this.#parents.get(path) ?? { path, files: 0 };
    this.#parents.set(path, this.#parent);
    return this.#parent;
  }
}

/** Where the slash before the name is; 0 where there is none. */
function nameStart(key: string): number {
  return Math.max(key.lastIndexOf('/'), 0);
}

/** The same for all spellings of a path. */
function keyOf(path: Uint8Array): string {
  const text = toBinaryString(path);
  if (isUsual(path)) return text;
  return text
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}

/** Neither empty names nor such as are a dot. */
function isUsual(path: Uint8Array): boolean {
  let before = SLASH;
  for (let at = path.length - 1; at >= 0; at--) {
    const byte = path[at]!;
    if (before === SLASH && (byte === SLASH || byte === DOT)) return false;
    before = byte;
  }
  return before !== SLASH;
}
