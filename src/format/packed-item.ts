/**
 * Reads fields of a packed item (see item.ts for its form) in place: where each value lies is found in one pass, and
 * only what is asked for is decoded. Several times quicker than decodeItem(), and nothing is allocated; for whoever goes
 * over very many items.
 *
 * Source: Borg 1.4.5 item.pyx, Item; docs/internals/data-structures.rst.
 */
import { toBinaryString } from '../util/bytes.ts';
import { NUMBER_OF_KEY, PACKED_KEYS, type PackedKey, packedKeyAt } from './item-key.ts';
import { decodeBigInteger, MetadataError, wrong } from './metadata-fields.ts';

const ID_BYTES = 32;
/** Bytes behind the type byte, for types c0 to df; -1 where the type is refused. */
const OPERAND_BYTES = [
  0, -1, 0, 0, 1, 2, 4, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, 1, 2, 4, 2, 4, 2, 4,
];
const NIL = 0xc0;
const TRUE = 0xc3;
const FALSE = 0xc2;

/** The bytes end within the value. */
const INCOMPLETE = -1;

/** What a file consists of; ids one after the other. */
export interface ChunkTable {
  readonly ids: Uint8Array;
  /** Where each chunk ends in the file, in bytes. */
  readonly ends: Float64Array;
}

/** Throws a MetadataError for a value of another kind, and for what is no msgpack. */
export class PackedItem {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  /** Of the value of each key; 0 where the item does not have it. */
  readonly #places = new Float64Array(PACKED_KEYS.length);

  /** Sets the bytes that read() reads from. */
  wrap(bytes: Uint8Array): void {
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Finds the fields of the item at `from`. Returns where it ends; -1 where the bytes end before. */
  read(from: number): number {
    const bytes = this.#bytes;
    this.#end = bytes.length;
    const places = this.#places;
    places.fill(0);
    if (from >= this.#end) return INCOMPLETE;
    const type = bytes[from]!;
    let at = from + 1;
    let pairs = type & 0x0f;
    if (type === 0xde || type === 0xdf) {
      const size = type === 0xde ? 2 : 4;
      if (at + size > this.#end) return INCOMPLETE;
      pairs = size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
      at += size;
    } else if (type >> 4 !== 8) throw wrong('item', 'a map');
    for (; pairs > 0; pairs--) {
      const key = at;
      at = this.#skip(key);
      if (at === INCOMPLETE) return INCOMPLETE;
      const number = packedKeyAt(bytes, key, at);
      const value = at;
      at = this.#skip(value);
      if (at === INCOMPLETE) return INCOMPLETE;
      if (number >= 0) places[number] = value;
    }
    if (places[NUMBER_OF_KEY.path] === 0) throw wrong('path', 'raw');
    return at;
  }

  has(key: PackedKey): boolean {
    const at = this.#places[NUMBER_OF_KEY[key]]!;
    return at !== 0 && this.#bytes[at] !== NIL;
  }

  /** Where a raw value begins; its length: lengthOf(). */
  startOf(key: PackedKey): number {
    return this.#rawStart(this.#places[NUMBER_OF_KEY[key]]!, key);
  }

  lengthOf(key: PackedKey): number {
    return this.#rawLength(this.#places[NUMBER_OF_KEY[key]]!);
  }

  /** A raw value as a view of the bytes; undefined where there is none, or null. */
  raw(key: PackedKey): Uint8Array | undefined {
    if (!this.has(key)) return undefined;
    const start = this.startOf(key);
    return this.#bytes.subarray(start, start + this.lengthOf(key));
  }

  integer(key: PackedKey): number | undefined {
    return this.has(key) ? this.#integerAt(this.#places[NUMBER_OF_KEY[key]]!, key) : undefined;
  }

  boolean(key: PackedKey): boolean | undefined {
    if (!this.has(key)) return undefined;
    const type = this.#bytes[this.#places[NUMBER_OF_KEY[key]]!]!;
    if (type !== TRUE && type !== FALSE) throw wrong(key, 'a boolean');
    return type === TRUE;
  }

  timeNs(key: PackedKey): bigint | undefined {
    if (!this.has(key)) return undefined;
    const at = this.#places[NUMBER_OF_KEY[key]]!;
    const type = this.#bytes[at]!;
    if (type === 0xcf) return this.#view.getBigUint64(at + 1);
    if (type === 0xd3) return this.#view.getBigInt64(at + 1);
    if (!isRaw(type)) return BigInt(this.#integerAt(at, key));
    const start = this.#rawStart(at, key);
    return decodeBigInteger(this.#bytes.subarray(start, start + this.#rawLength(at)), key);
  }

  /** The number of pairs in a map; 0 where there is none. */
  pairs(key: PackedKey): number {
    return this.has(key) ? this.#mapAt(this.#places[NUMBER_OF_KEY[key]]!, key).count : 0;
  }

  /** The pairs of a map of raw names (as binary strings) and raw values (empty where null). */
  rawMap(key: PackedKey): Map<string, Uint8Array> {
    const map = new Map<string, Uint8Array>();
    if (!this.has(key)) return map;
    const opened = this.#mapAt(this.#places[NUMBER_OF_KEY[key]]!, key);
    for (let { at, count } = opened; count > 0; count--) {
      const nameAt = this.#rawStart(at, key);
      const nameEnd = nameAt + this.#rawLength(at);
      at = nameEnd;
      const isNull = this.#bytes[at] === NIL;
      const valueAt = isNull ? at + 1 : this.#rawStart(at, key);
      const valueEnd = isNull ? valueAt : valueAt + this.#rawLength(at);
      map.set(toBinaryString(this.#bytes.subarray(nameAt, nameEnd)), this.#bytes.slice(valueAt, valueEnd));
      at = valueEnd;
    }
    return map;
  }

  /** The file's chunks, copied; undefined where it has no list. */
  chunks(): ChunkTable | undefined {
    if (!this.has('chunks')) return undefined;
    const list = this.#arrayAt(this.#places[NUMBER_OF_KEY.chunks]!);
    const ids = new Uint8Array(list.count * ID_BYTES);
    const ends = new Float64Array(list.count);
    this.#eachChunk(list, (index, idAt, end) => {
      ids.set(this.#bytes.subarray(idAt, idAt + ID_BYTES), index * ID_BYTES);
      ends[index] = end;
    });
    return { ids, ends };
  }

  /** The sum of the chunks' sizes. */
  chunksBytes(): number {
    let total = 0;
    if (!this.has('chunks')) return 0;
    this.#eachChunk(
      this.#arrayAt(this.#places[NUMBER_OF_KEY.chunks]!),
      (_index, _idAt, end) => (total = end),
    );
    return total;
  }

  #eachChunk(list: Opened, visit: (index: number, idAt: number, end: number) => void): void {
    let { at } = list;
    let end = 0;
    for (let index = 0; index < list.count; index++) {
      const chunk = this.#arrayAt(at);
      const idAt = chunk.count === 3 ? this.#rawStart(chunk.at, 'chunks') : 0;
      if (idAt === 0 || this.#rawLength(chunk.at) !== ID_BYTES)
        throw wrong('chunks', 'a list of [id, size, csize]');
      const sizeAt = idAt + ID_BYTES;
      const size = this.#integerAt(sizeAt, 'chunks');
      if (size < 0) throw wrong('chunks', 'a list with sizes from 0');
      end += size;
      visit(index, idAt, end);
      at = this.#skip(this.#skip(sizeAt));
    }
  }

  /** Where the value at `at` ends; -1 where the bytes end before. */
  #skip(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    for (let left = 1; left > 0; left--) {
      if (at >= this.#end) return INCOMPLETE;
      const type = bytes[at++]!;
      if (type < 0x80 || type >= 0xe0) continue;
      if (type < 0x90) left += 2 * (type & 0x0f);
      else if (type < 0xa0) left += type & 0x0f;
      else if (type < 0xc0) at += type & 0x1f;
      else {
        const size = OPERAND_BYTES[type - 0xc0]!;
        if (size < 0) throw new MetadataError(`type 0x${type.toString(16)} is not supported`);
        if (at + size > this.#end) return INCOMPLETE;
        if (type >= 0xdc) left += this.#operand(at, size) * (type >= 0xde ? 2 : 1);
        else if (type >= 0xd9 || (type >= 0xc4 && type <= 0xc6)) at += this.#operand(at, size);
        at += size;
      }
    }
    return at > this.#end ? INCOMPLETE : at;
  }

  #operand(at: number, size: number): number {
    if (size === 1) return this.#bytes[at]!;
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #rawStart(at: number, key: string): number {
    const type = this.#bytes[at]!;
    if (!isRaw(type)) throw wrong(key, 'raw');
    return type < 0xc0 ? at + 1 : at + 1 + OPERAND_BYTES[type - 0xc0]!;
  }

  #rawLength(at: number): number {
    const type = this.#bytes[at]!;
    return type < 0xc0 ? type & 0x1f : this.#operand(at + 1, OPERAND_BYTES[type - 0xc0]!);
  }

  #integerAt(at: number, key: string): number {
    const type = this.#bytes[at]!;
    if (type < 0x80) return type;
    if (type >= 0xe0) return type - 0x100;
    const value = this.#longInteger(type, at + 1);
    if (!Number.isSafeInteger(value)) throw wrong(key, 'an integer below 2^53');
    return value;
  }

  #longInteger(type: number, at: number): number {
    const view = this.#view;
    switch (type) {
      case 0xcc:
        return view.getUint8(at);
      case 0xcd:
        return view.getUint16(at);
      case 0xce:
        return view.getUint32(at);
      case 0xcf:
        return Number(view.getBigUint64(at));
      case 0xd0:
        return view.getInt8(at);
      case 0xd1:
        return view.getInt16(at);
      case 0xd2:
        return view.getInt32(at);
      case 0xd3:
        return Number(view.getBigInt64(at));
      default:
        return NaN;
    }
  }

  #arrayAt(at: number): Opened {
    const type = this.#bytes[at]!;
    if (type >> 4 === 9) return { at: at + 1, count: type & 0x0f };
    if (type !== 0xdc && type !== 0xdd) throw wrong('chunks', 'an array');
    const size = OPERAND_BYTES[type - 0xc0]!;
    return { at: at + 1 + size, count: this.#operand(at + 1, size) };
  }

  #mapAt(at: number, key: string): Opened {
    const type = this.#bytes[at]!;
    if (type >> 4 === 8) return { at: at + 1, count: type & 0x0f };
    if (type !== 0xde && type !== 0xdf) throw wrong(key, 'a map');
    const size = OPERAND_BYTES[type - 0xc0]!;
    return { at: at + 1 + size, count: this.#operand(at + 1, size) };
  }
}

interface Opened {
  readonly at: number;
  readonly count: number;
}

function isRaw(type: number): boolean {
  return type >> 5 === 5 || (type >= 0xd9 && type <= 0xdb) || (type >= 0xc4 && type <= 0xc6);
}
