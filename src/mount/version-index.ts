/**
 * The number of the last version of each file in the versions view, and what that one consisted of.
 *
 * Source: Borg 1.4.5, fuse.py, file_version; hashindex.pyx, FuseVersionsIndex.
 */
import { hash } from 'node:crypto';

/** Of what a hash of the contents gives: as much as Borg compares. */
const CONTENTS_BYTES = 16;
const ID_BYTES = 32;
const FIRST_ENTRIES = 256;

/** Stands for a file's contents: the same for the same chunks. */
export function contentsKey(ids: Uint8Array): Uint8Array {
  const key = ids.length === ID_BYTES ? ids : hash('sha256', ids, 'buffer');
  return key.subarray(0, CONTENTS_BYTES);
}

export class VersionIndex {
  #versions = new Uint32Array(FIRST_ENTRIES);
  #contents = new Uint8Array(FIRST_ENTRIES * CONTENTS_BYTES);

  get sizeBytes(): number {
    return this.#versions.byteLength + this.#contents.byteLength;
  }

  /** The version of the file (a number from 0 on) with these contents: the last one, or one more. From 1. */
  next(file: number, contents: Uint8Array): number {
    if (file >= this.#versions.length) this.#grow(Math.max(file + 1, 2 * this.#versions.length));
    const start = file * CONTENTS_BYTES;
    const last = this.#contents.subarray(start, start + CONTENTS_BYTES);
    if (this.#versions[file] === 0 || !last.every((byte, index) => byte === contents[index])) {
      this.#versions[file]! += 1;
      last.set(contents);
    }
    return this.#versions[file]!;
  }

  #grow(entries: number): void {
    const versions = new Uint32Array(entries);
    versions.set(this.#versions);
    const contents = new Uint8Array(entries * CONTENTS_BYTES);
    contents.set(this.#contents);
    this.#versions = versions;
    this.#contents = contents;
  }
}
