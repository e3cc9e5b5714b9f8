/** The names of which an item's path consists, as places in its bytes. */
const SLASH = 0x2f;
const DOT = 0x2e;
/** No file system has longer ones, and Linux takes no longer one from FUSE. */
const MAX_NAME_BYTES = 1024;

/** Why a path can't be shown. */
export type PathFault = '".." in its path' | 'a name that is too long' | 'a NUL in its path';

export class ItemPath {
  bytes: Uint8Array = new Uint8Array(0);
  /** Places of the names in the bytes; those of the first `count` are valid. */
  starts: number[] = [];
  ends: number[] = [];
  count = 0;

  /**
   * Splits `bytes[from … to]`, and leaves the first names out. Empty names and `.` are none, wherever they stand: an
   * absolute path begins at the root of the archive.
   */
  split(bytes: Uint8Array, from: number, to: number, stripped: number): PathFault | undefined {
    this.bytes = bytes;
    this.count = 0;
    let left = stripped;
    for (let start = from; start < to;) {
      let end = start;
      for (; end < to && bytes[end] !== SLASH; end++) if (bytes[end] === 0) return 'a NUL in its path';
      const length = end - start;
      const isDots = length <= 2 && bytes[start] === DOT && bytes[end - 1] === DOT;
      if (isDots && length === 2) return '".." in its path';
      if (length > MAX_NAME_BYTES) return 'a name that is too long';
      if (length > 0 && !isDots && --left < 0) {
        this.starts[this.count] = start;
        this.ends[this.count++] = end;
      }
      start = end + 1;
    }
    return undefined;
  }

  /** The last name. */
  leaf(): Uint8Array {
    const last = this.count - 1;
    return this.bytes.slice(this.starts[last], this.ends[last]);
  }

  /** The names with a slash between each two; as a key of a Map. */
  key(): string {
    let text = '';
    for (let index = 0; index < this.count; index++) {
      const name = this.bytes.subarray(this.starts[index], this.ends[index]);
      text += (index === 0 ? '' : '/') + Buffer.from(name).toString('latin1');
    }
    return text;
  }
}
