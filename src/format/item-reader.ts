/**
 * Reads a packed item (see item.ts) from contiguous bytes in one pass, as decodeItem() would give it: several times
 * quicker than by way of generic values. It knows the forms that items have, and says of anything else that it does not:
 * what that means, an error maybe, is for decodeItem() to say.
 *
 * Source: Borg 1.4.5 item.pyx, Item; helpers/msgpack.py.
 */
import { toBinaryString } from '../util/bytes.ts';
import { PACKED_KEYS, packedKeyAt } from './item-key.ts';
import type { ChunkRef, Item } from './item.ts';
import { PackedCopies } from './packed-copies.ts';
import { PackedCursor } from './packed-cursor.ts';

const ID_BYTES = 32;
const NO_BYTES = new Uint8Array(0);

export class ItemReader {
  readonly #cursor = new PackedCursor();
  readonly #copies = new PackedCopies();
  #user: Uint8Array = NO_BYTES;
  #group: Uint8Array = NO_BYTES;
  /** A bit for each number of a key. */
  readonly #required: number;
  readonly #allowed: number;

  /** Items that lack a required key, or have one that is not allowed, are of a form that it does not know. */
  constructor(required: Iterable<string> = ['path'], allowed: Iterable<string> = PACKED_KEYS) {
    this.#required = bitsOf(required);
    this.#allowed = bitsOf(allowed);
  }

  /** Sets the bytes that read() reads from. Items are copies: the bytes may change when all have been read. */
  wrap(bytes: Uint8Array): void {
    this.#cursor.wrap(bytes);
  }

  /** Where the last item ends. */
  get end(): number {
    return this.#cursor.at;
  }

  /** The item at `from`; undefined where the bytes end before it does, and where it has another form. */
  read(from: number): Item | undefined {
    const cursor = this.#cursor;
    cursor.at = from;
    cursor.isKnown = true;
    const item: Item = { path: NO_BYTES };
    let seen = 0;
    for (let left = cursor.mapLength(); left > 0; left--) {
      const number = this.#key();
      // Of a key that comes twice, the last one counts.
      if (number < 0 || (seen & (1 << number)) !== 0) return undefined;
      seen |= 1 << number;
      this.#field(item, number);
      if (!cursor.isKnown) return undefined;
    }
    const isUsual = (seen & this.#required) === this.#required && (seen & ~this.#allowed) === 0;
    return cursor.isKnown && isUsual ? item : undefined;
  }

  /** The number of the key that comes next; -1 for another one. */
  #key(): number {
    const cursor = this.#cursor;
    const from = cursor.at;
    if (from >= cursor.bytes.length) return -1;
    const to = from + 1 + (cursor.bytes[from]! & 0x1f);
    if (to > cursor.bytes.length) return -1;
    cursor.at = to;
    return packedKeyAt(cursor.bytes, from, to);
  }

  #field(item: Item, number: number): void {
    const cursor = this.#cursor;
    switch (PACKED_KEYS[number]) {
      case 'acl_access':
        item.aclAccess = this.#rawCopy();
        break;
      case 'acl_default':
        item.aclDefault = this.#rawCopy();
        break;
      case 'acl_extended':
        item.aclExtended = this.#rawCopy();
        break;
      case 'acl_nfs4':
        item.aclNfs4 = this.#rawCopy();
        break;
      case 'atime':
        item.atimeNs = cursor.time();
        break;
      case 'birthtime':
        item.birthtimeNs = cursor.time();
        break;
      case 'bsdflags':
        item.bsdflags = cursor.integer();
        break;
      case 'chunks':
        if (!cursor.isNil()) item.chunks = this.#chunks();
        break;
      case 'chunks_healthy':
        if (!cursor.isNil()) item.chunksHealthy = this.#chunks();
        break;
      case 'ctime':
        item.ctimeNs = cursor.time();
        break;
      case 'gid':
        item.gid = cursor.integer();
        break;
      case 'group':
        item.group = cursor.isNil() ? null : (this.#group = this.#name(this.#group));
        break;
      case 'hardlink_master':
        item.hardlinkMaster = cursor.boolean();
        break;
      case 'mode':
        item.mode = cursor.integer();
        break;
      case 'mtime':
        item.mtimeNs = cursor.time();
        break;
      case 'nlink':
        item.nlink = cursor.integer();
        break;
      case 'part':
        item.part = cursor.integer();
        break;
      case 'path':
        item.path = this.#rawCopy();
        break;
      case 'rdev':
        item.rdev = cursor.integer();
        break;
      case 'size':
        item.size = cursor.integer();
        break;
      case 'source':
        item.source = this.#rawCopy();
        break;
      case 'uid':
        item.uid = cursor.integer();
        break;
      case 'user':
        item.user = cursor.isNil() ? null : (this.#user = this.#name(this.#user));
        break;
      case 'xattrs':
        item.xattrs = this.#xattrs();
        break;
      default:
        cursor.isKnown = false;
    }
  }

  #xattrs(): Map<string, Uint8Array | null> {
    const cursor = this.#cursor;
    const xattrs = new Map<string, Uint8Array | null>();
    for (let left = cursor.mapLength(); left > 0 && cursor.raw(); left--) {
      const name = toBinaryString(cursor.bytes.subarray(cursor.rawStart, cursor.at));
      xattrs.set(name, cursor.isNil() ? null : this.#rawCopy());
    }
    return xattrs;
  }

  #chunks(): ChunkRef[] {
    const cursor = this.#cursor;
    const chunks: ChunkRef[] = [];
    for (let left = cursor.arrayLength(); left > 0 && cursor.isKnown; left--) {
      if (cursor.arrayLength() !== 3) cursor.isKnown = false;
      const id = this.#rawCopy();
      const chunk = { id, size: cursor.integer(), csize: cursor.integer() };
      if (id.length !== ID_BYTES || chunk.size < 0 || chunk.csize < 0) cursor.isKnown = false;
      chunks.push(chunk);
    }
    return chunks;
  }

  /** The same array as before where the name is the same, as it is for most items in a row. */
  #name(last: Uint8Array): Uint8Array {
    const cursor = this.#cursor;
    if (!cursor.raw()) return last;
    const from = cursor.rawStart;
    const length = cursor.at - from;
    let same = length === last.length ? 0 : -1;
    while (same >= 0 && same < length) same = cursor.bytes[from + same] === last[same] ? same + 1 : -1;
    return same >= 0 ? last : this.#copies.copy(cursor.bytes, from, length);
  }

  #rawCopy(): Uint8Array {
    const cursor = this.#cursor;
    return cursor.raw()
      ? this.#copies.copy(cursor.bytes, cursor.rawStart, cursor.at - cursor.rawStart)
      : NO_BYTES;
  }
}

/** Keys that it does not know at all have none. */
function bitsOf(keys: Iterable<string>): number {
  const wanted = new Set(keys);
  return PACKED_KEYS.reduce((bits, key, number) => (wanted.has(key) ? bits | (1 << number) : bits), 0);
}
