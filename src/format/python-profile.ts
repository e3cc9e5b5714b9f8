/**
 * A profile that Borg has written (--debug-profile), and the same in the format of Python's own profiler, which its
 * tools read: from msgpack, in the new specification, to marshal.
 *
 * | value           | msgpack                  | marshal                                                             |
 * |-----------------|--------------------------|---------------------------------------------------------------------|
 * | None            | c0                       | `N`                                                                 |
 * | False, True     | c2, c3                   | `F`, `T`                                                            |
 * | int             | 00-7f e0-ff cc-cf d0-d3  | `i` and an int32, or `l`, the int32 number of digits (negative for a negative value) and digits of 15 bits, a uint16 each |
 * | float           | ca cb                    | `g` and a double                                                    |
 * | bytes           | c4-c6                    | `s`, uint32 size, bytes                                             |
 * | str             | a0-bf d9-db              | `u`, uint32 size, UTF-8                                             |
 * | tuple           | 90-9f dc dd              | `(`, uint32 count, values                                           |
 * | dict            | 80-8f de df              | `{`, keys and values in turn, `0`                                   |
 *
 * msgpack is big-endian, marshal little-endian. Keys of the outermost dict are tuples, which Borg's other data never
 * has.
 *
 * Errors: a ProfileError for anything else.
 * Source: Borg 1.4.5, archiver.py, do_debug_convert_profile; CPython 3.14, Python/marshal.c (r_object).
 */
import { isUtf8 } from 'node:buffer';

export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

const MAX_DEPTH = 100;

export function convertProfile(profile: Uint8Array): Uint8Array {
  const converter = new Converter(profile);
  converter.value(0, false);
  converter.end();
  return converter.marshal.bytes();
}

class MarshalWriter {
  #parts: Buffer[] = [];
  #open: Buffer = Buffer.alloc(0);
  #used = 0;

  byte(mark: string): void {
    this.#take(1).write(mark, 'latin1');
  }

  sized(mark: string, size: number, bytes?: Uint8Array): void {
    this.byte(mark);
    this.#take(4).writeUInt32LE(size);
    if (bytes !== undefined) this.#take(bytes.length).set(bytes);
  }

  float(value: number): void {
    this.byte('g');
    this.#take(8).writeDoubleLE(value);
  }

  integer(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      this.byte('i');
      this.#take(4).writeInt32LE(Number(value));
      return;
    }
    const digits: number[] = [];
    for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 15n) digits.push(Number(rest & 0x7fffn));
    this.byte('l');
    this.#take(4).writeInt32LE(value < 0n ? -digits.length : digits.length);
    for (const digit of digits) this.#take(2).writeUInt16LE(digit);
  }

  bytes(): Uint8Array {
    return Buffer.concat([...this.#parts, this.#open.subarray(0, this.#used)]);
  }

  #take(size: number): Buffer {
    if (this.#used + size > this.#open.length) {
      this.#parts.push(this.#open.subarray(0, this.#used));
      this.#open = Buffer.alloc(Math.max(size, 65_536));
      this.#used = 0;
    }
    const taken = this.#open.subarray(this.#used, this.#used + size);
    this.#used += size;
    return taken;
  }
}

class Converter {
  readonly marshal = new MarshalWriter();
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws unless all was read. */
  end(): void {
    if (this.#at < this.#bytes.length) throw new ProfileError('bytes after its end');
  }

  /** A key of a dict must not hold another dict. */
  value(depth: number, isKey: boolean): void {
    if (depth > MAX_DEPTH) throw new ProfileError('nested too deeply');
    const type = this.#take(1)[0]!;
    if (type < 0x80) this.marshal.integer(BigInt(type));
    else if (type < 0x90) this.#map(type & 0x0f, depth, isKey);
    else if (type < 0xa0) this.#tuple(type & 0x0f, depth, isKey);
    else if (type < 0xc0) this.#text(type & 0x1f);
    else if (type >= 0xe0) this.marshal.integer(BigInt(type - 0x100));
    else if (type === 0xc0) this.marshal.byte('N');
    else if (type === 0xc2) this.marshal.byte('F');
    else if (type === 0xc3) this.marshal.byte('T');
    else if (type >= 0xc4 && type <= 0xc6) this.#raw(this.#unsigned(type - 0xc4));
    else if (type === 0xca) this.marshal.float(this.#take(4).readFloatBE());
    else if (type === 0xcb) this.marshal.float(this.#take(8).readDoubleBE());
    else if (type >= 0xcc && type <= 0xcf) this.marshal.integer(this.#wide(type - 0xcc));
    else if (type >= 0xd0 && type <= 0xd3) this.marshal.integer(this.#signed(type - 0xd0));
    else if (type >= 0xd9 && type <= 0xdb) this.#text(this.#unsigned(type - 0xd9));
    else if (type === 0xdc || type === 0xdd) this.#tuple(this.#unsigned(type - 0xdb), depth, isKey);
    else if (type === 0xde || type === 0xdf) this.#map(this.#unsigned(type - 0xdd), depth, isKey);
    else throw new ProfileError(`type 0x${type.toString(16)} has no place in it`);
  }

  #map(count: number, depth: number, isKey: boolean): void {
    if (isKey) throw new ProfileError('a map as a key');
    this.marshal.byte('{');
    for (let i = 0; i < count; i++) {
      this.value(depth + 1, true);
      this.value(depth + 1, false);
    }
    this.marshal.byte('0');
  }

  #tuple(count: number, depth: number, isKey: boolean): void {
    this.marshal.sized('(', count);
    for (let i = 0; i < count; i++) this.value(depth + 1, isKey);
  }

  #text(size: number): void {
    const text = this.#take(size);
    if (!isUtf8(text)) throw new ProfileError('a text that is not UTF-8');
    this.marshal.sized('u', size, text);
  }

  #raw(size: number): void {
    this.marshal.sized('s', size, this.#take(size));
  }

  /** An unsigned integer of 2 ** `log` bytes. */
  #unsigned(log: number): number {
    return this.#take(2 ** log).readUIntBE(0, 2 ** log);
  }

  #wide(log: number): bigint {
    return BigInt(`0x${this.#take(2 ** log).toString('hex')}`);
  }

  #signed(log: number): bigint {
    return BigInt.asIntN(8 * 2 ** log, this.#wide(log));
  }

  #take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw new ProfileError('cut short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
