/**
 * Unpacks msgpack data that arrives in pieces. Nothing is parsed twice: the containers that are open stay on a stack
 * until their last value arrives.
 *
 * Both the old forms (see encode.ts) and str8 (d9) and bin (c4 to c6) are read, all as bytes, as Borg does;
 * extension types (c7 to c9, d4 to d8) and c1 are refused, since Borg's data has none.
 *
 * Source: Borg 1.4.5 helpers/msgpack.py, Unpacker and get_limited_unpacker().
 */
import { toBinaryString } from '../util/bytes.ts';
import { MsgpackError } from './value.ts';
import type { MsgpackKey, MsgpackMap, MsgpackValue } from './value.ts';

/** Bounds that are checked before anything is allocated. */
export interface UnpackLimits {
  /** Bytes held that are not yet part of a complete value. Default 2^31 - 1. */
  maxBufferBytes?: number;
  /** Entries of a map. Default: half of maxBufferBytes. */
  maxMapLen?: number;
  /** Default: maxBufferBytes. */
  maxArrayLen?: number;
  /** Default: maxBufferBytes. */
  maxStrLen?: number;
  /** Containers within each other. Default 1024. */
  maxDepth?: number;
  /** Maps within one outermost value. Default 2^21: an empty one takes a byte, and hundreds in memory. */
  maxMaps?: number;
  /** Values of all kinds within one outermost value, with map keys and itself. Default: no bound. */
  maxValues?: number;
  /** Bytes of one outermost value. Default: no bound, but for those that wait. */
  maxValueBytes?: number;
}

/** What Borg allows for anything that comes from a repository: three times the largest object. */
export const OBJECT_LIMITS: Required<Pick<UnpackLimits, 'maxBufferBytes'>> = {
  maxBufferBytes: 3 * 20 * 1024 * 1024,
};

/** Shorter raw values are copied, so that keeping an id does not keep the buffer that it came in. */
const COPY_BELOW_BYTES = 4096;
const INCOMPLETE: unique symbol = Symbol('incomplete');
const OPENED: unique symbol = Symbol('opened');

type Frame =
  | { readonly array: MsgpackValue[]; readonly map: undefined; left: number }
  | { readonly array: undefined; readonly map: MsgpackMap; left: number; key: MsgpackKey | undefined };

export class Unpacker {
  readonly #maxBuffer: number;
  readonly #maxMap: number;
  readonly #maxArray: number;
  readonly #maxStr: number;
  readonly #maxDepth: number;
  readonly #maxMaps: number;
  readonly #maxValues: number;
  readonly #maxValueBytes: number;
  /** Maps in the value that is being read. */
  #maps = 0;
  /** Values in it, and bytes, as far as it has been read. */
  #values = 0;
  #valueBytes = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;
  /** Values point into the buffer, or it belongs to the caller: don't write to it any more. */
  #pinned = true;
  #stack: Frame[] = [];

  constructor(limits: UnpackLimits = {}) {
    this.#maxBuffer = limits.maxBufferBytes ?? 0x7fffffff;
    this.#maxMap = limits.maxMapLen ?? Math.floor(this.#maxBuffer / 2);
    this.#maxArray = limits.maxArrayLen ?? this.#maxBuffer;
    this.#maxStr = limits.maxStrLen ?? this.#maxBuffer;
    this.#maxDepth = limits.maxDepth ?? 1024;
    this.#maxMaps = limits.maxMaps ?? 2 ** 21;
    this.#maxValues = limits.maxValues ?? Infinity;
    this.#maxValueBytes = limits.maxValueBytes ?? Infinity;
  }

  /** Bytes that wait for the rest of their value; the open containers' finished parts are not among them. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Whether the data so far ends between two values. */
  get idle(): boolean {
    return this.pendingBytes === 0 && this.#stack.length === 0;
  }

  /** Adds bytes, which are copied. Throws a MsgpackError where more than maxBufferBytes would wait. */
  feed(bytes: Uint8Array): void {
    const waiting = this.#end - this.#start;
    if (waiting + bytes.length > this.#maxBuffer) throw new MsgpackError('unpack buffer is full');
    if (waiting === 0 && !this.#pinned) this.#start = this.#end = 0;
    if (this.#pinned || this.#end + bytes.length > this.#bytes.length) {
      const needed = waiting + bytes.length;
      // Twice what waits, so that a long value in many pieces is moved a few times only.
      const grown = new Uint8Array(Math.max(needed, waiting > 0 ? 2 * needed : 0, 1024));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#adopt(grown, waiting, false);
    }
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Reads from these bytes without copying; only on a fresh unpacker. */
  wrap(bytes: Uint8Array): void {
    if (!this.idle) throw new MsgpackError('wrap() within a value');
    this.#adopt(bytes, bytes.length, true);
  }

  /** The next complete value, or undefined where more bytes are needed. */
  next(): MsgpackValue | undefined {
    for (;;) {
      const from = this.#start;
      const value = this.#shortKey() ? OPENED : this.#token();
      if (value === INCOMPLETE) return undefined;
      this.#count(this.#start - from);
      if (value === OPENED) continue;
      const done = this.#deliver(value);
      if (done === undefined) continue;
      this.#maps = this.#values = this.#valueBytes = 0;
      return done;
    }
  }

  /** All values that are complete so far. */
  *[Symbol.iterator](): Generator<MsgpackValue, void, undefined> {
    for (let value = this.next(); value !== undefined; value = this.next()) yield value;
  }

  #count(sizeBytes: number): void {
    this.#valueBytes += sizeBytes;
    if (++this.#values > this.#maxValues) {
      throw new MsgpackError(`more than ${this.#maxValues} values in one`);
    }
    if (this.#valueBytes > this.#maxValueBytes) {
      throw new MsgpackError(`a value of more than ${this.#maxValueBytes} bytes`);
    }
  }

  #adopt(bytes: Uint8Array, end: number, pinned: boolean): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = 0;
    this.#end = end;
    this.#pinned = pinned;
  }

  /** Reads a key of up to 31 bytes, the usual case, without a byte array in between. */
  #shortKey(): boolean {
    const frame = this.#stack.at(-1);
    if (frame === undefined || frame.map === undefined || frame.key !== undefined) return false;
    const length = (this.#bytes[this.#start] ?? 0) ^ 0xa0;
    if (length > 0x1f || this.#start + length >= this.#end) return false;
    const from = this.#start + 1;
    frame.key = keyText(this.#bytes, from, length);
    this.#start = from + length;
    return true;
  }

  /** Puts a finished value where it belongs; gives back the outermost value when that is complete. */
  #deliver(finished: MsgpackValue): MsgpackValue | undefined {
    let value = finished;
    for (;;) {
      const frame = this.#stack.at(-1);
      if (frame === undefined) return value;
      if (frame.array !== undefined) frame.array.push(value);
      else if (frame.key === undefined) {
        frame.key = toKey(value);
        return undefined;
      } else {
        frame.map.set(frame.key, value);
        frame.key = undefined;
      }
      frame.left--;
      if (frame.left > 0) return undefined;
      this.#stack.pop();
      value = frame.array ?? frame.map;
    }
  }

  /** Reads a scalar, or opens a container; consumes nothing unless all of it is there. */
  #token(): MsgpackValue | typeof INCOMPLETE | typeof OPENED {
    if (this.#start >= this.#end) return INCOMPLETE;
    const type = this.#bytes[this.#start]!;
    if (type < 0x80) return this.#skip(1, type);
    if (type >= 0xe0) return this.#skip(1, type - 0x100);
    if (type < 0x90) return this.#openMap(1, type & 0x0f);
    if (type < 0xa0) return this.#openArray(1, type & 0x0f);
    if (type < 0xc0) return this.#raw(1, type & 0x1f);
    const size = OPERAND_SIZES[type - 0xc0]!;
    if (size < 0) throw new MsgpackError(`type 0x${type.toString(16)} is not supported`);
    if (this.#end - this.#start < 1 + size) return INCOMPLETE;
    const at = this.#start + 1;
    switch (type) {
      case 0xc0:
        return this.#skip(1, null);
      case 0xc2:
        return this.#skip(1, false);
      case 0xc3:
        return this.#skip(1, true);
      case 0xca:
        return this.#skip(5, this.#view.getFloat32(at));
      case 0xcb:
        return this.#skip(9, this.#view.getFloat64(at));
      case 0xcf:
        return this.#skip(9, narrow(this.#view.getBigUint64(at)));
      case 0xd0:
        return this.#skip(2, this.#view.getInt8(at));
      case 0xd1:
        return this.#skip(3, this.#view.getInt16(at));
      case 0xd2:
        return this.#skip(5, this.#view.getInt32(at));
      case 0xd3:
        return this.#skip(9, narrow(this.#view.getBigInt64(at)));
      default:
    }
    const operand = this.#unsigned(at, size);
    if (type >= 0xcc && type <= 0xce) return this.#skip(1 + size, operand);
    if (type === 0xdc || type === 0xdd) return this.#openArray(1 + size, operand);
    if (type === 0xde || type === 0xdf) return this.#openMap(1 + size, operand);
    return this.#raw(1 + size, operand);
  }

  #unsigned(at: number, size: number): number {
    if (size === 1) return this.#bytes[at]!;
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip<T>(size: number, value: T): T {
    this.#start += size;
    return value;
  }

  #raw(headerSize: number, length: number): Uint8Array | typeof INCOMPLETE {
    if (length > this.#maxStr) throw new MsgpackError(`${length} bytes exceed the limit of ${this.#maxStr}`);
    const from = this.#start + headerSize;
    const to = from + length;
    if (to > this.#end) return INCOMPLETE;
    this.#start = to;
    if (length < COPY_BELOW_BYTES) return copyOf(this.#bytes, from, length);
    this.#pinned = true;
    return this.#bytes.subarray(from, to);
  }

  #openArray(headerSize: number, length: number): MsgpackValue | typeof OPENED {
    if (length > this.#maxArray) {
      throw new MsgpackError(`an array of ${length} exceeds the limit of ${this.#maxArray}`);
    }
    this.#start += headerSize;
    const array: MsgpackValue[] = [];
    if (length === 0) return array;
    return this.#open({ array, map: undefined, left: length });
  }

  #openMap(headerSize: number, length: number): MsgpackValue | typeof OPENED {
    if (length > this.#maxMap) {
      throw new MsgpackError(`a map of ${length} exceeds the limit of ${this.#maxMap}`);
    }
    if (++this.#maps > this.#maxMaps) throw new MsgpackError(`more than ${this.#maxMaps} maps in one value`);
    this.#start += headerSize;
    const map: MsgpackMap = new Map();
    if (length === 0) return map;
    return this.#open({ array: undefined, map, left: length, key: undefined });
  }

  #open(frame: Frame): typeof OPENED {
    if (this.#stack.length >= this.#maxDepth) throw new MsgpackError('nested too deeply');
    this.#stack.push(frame);
    return OPENED;
  }
}

/** Bytes after the type byte, for types c0 to df; -1 where the type is refused. */
const OPERAND_SIZES = [
  0, -1, 0, 0, 1, 2, 4, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, 1, 2, 4, 2, 4, 2, 4,
];

const ONE_CHAR = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/** Keys that came before, some of them: most come again and again, and need not be made anew. */
const recentKeys: (string | undefined)[] = Array.from({ length: 256 });

function keyText(bytes: Uint8Array, from: number, length: number): string {
  if (length === 0) return '';
  const slot = (41 * length + 7 * bytes[from]! + bytes[from + length - 1]!) & 0xff;
  const recent = recentKeys[slot];
  if (recent?.length === length) {
    let same = 0;
    while (same < length && recent.charCodeAt(same) === bytes[from + same]) same++;
    if (same === length) return recent;
  }
  let key = '';
  for (let i = from; i < from + length; i++) key += ONE_CHAR[bytes[i]!]!;
  recentKeys[slot] = key;
  return key;
}

/** slice() for short ranges: several times faster than the built-in one. */
function copyOf(bytes: Uint8Array, from: number, length: number): Uint8Array {
  if (length > 64) return bytes.slice(from, from + length);
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[from + i]!;
  return copy;
}

function toKey(value: MsgpackValue): MsgpackKey {
  if (value instanceof Uint8Array) return toBinaryString(value);
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return value;
  throw new MsgpackError('a map key is neither raw nor an integer');
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
