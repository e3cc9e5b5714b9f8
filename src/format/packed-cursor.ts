/**
 * Reads msgpack values one after the other where their types are known beforehand, in the forms that items have. At
 * anything else it only notes that it met something unknown, and gives a value without meaning: whoever reads looks at
 * `isKnown` then and when.
 *
 * Source: Borg 1.4.5 helpers/msgpack.py.
 */
import { decodeBigInteger } from './metadata-fields.ts';

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
/** Longer ones are an error. */
const MAX_TIME_BYTES = 32;

export class PackedCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** All that was read is complete, and has one of the usual forms. */
  isKnown = true;
  /** Of the last raw value: where its bytes begin; they end where reading goes on. */
  rawStart = 0;
  #view: DataView = new DataView(this.bytes.buffer);

  wrap(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes behind a raw value; its bytes begin at rawStart. */
  raw(): boolean {
    const type = this.bytes[this.at];
    // The lengths of d9, da and db, a byte, two, four.
    const isLong = type === 0xd9 || type === 0xda || type === 0xdb;
    const length = isLong ? this.#operand(1 << (type - 0xd9)) : this.#count(0xa0, 0x1f);
    const end = this.at + length;
    if (!this.isKnown || end > this.bytes.length) return (this.isKnown = false);
    this.rawStart = this.at;
    this.at = end;
    return true;
  }

  mapLength(): number {
    return this.#count(0x80, 0x0f, 0xde);
  }

  arrayLength(): number {
    return this.#count(0x90, 0x0f, 0xdc);
  }

  /**
   * The number in the head of a map, an array or a short raw value: in the type byte, or in two bytes behind it where
   * there is a type for that.
   */
  #count(type: number, mask: number, longType?: number): number {
    const head = this.bytes[this.at] ?? NIL;
    if (head === longType) return this.#operand(2);
    if ((head & ~mask) === type) {
      this.at++;
      return head & mask;
    }
    this.isKnown = false;
    return 0;
  }

  /** The number behind a type byte. */
  #operand(sizeBytes: number): number {
    const at = this.at + 1;
    if (at + sizeBytes > this.bytes.length) {
      this.isKnown = false;
      return 0;
    }
    this.at = at + sizeBytes;
    if (sizeBytes === 1) return this.bytes[at]!;
    if (sizeBytes === 2) return this.#view.getUint16(at);
    return sizeBytes === 4 ? this.#view.getUint32(at) : Number(this.#view.getBigUint64(at));
  }

  integer(): number {
    const type = this.bytes[this.at] ?? NIL;
    if (type < 0x80) {
      this.at++;
      return type;
    }
    // The unsigned ones, of 1, 2, 4 and 8 bytes. Negative ones are rare.
    const value = type >= 0xcc && type <= 0xcf ? this.#operand(1 << (type - 0xcc)) : NaN;
    if (!Number.isSafeInteger(value)) this.isKnown = false;
    return value;
  }

  time(): bigint {
    const type = this.bytes[this.at] ?? NIL;
    const from = this.at + 1;
    if ((type === 0xcf || type === 0xd3) && from + 8 <= this.bytes.length) {
      this.at = from + 8;
      return type === 0xcf ? this.#view.getBigUint64(from) : this.#view.getBigInt64(from);
    }
    if (type < 0x80 || (type >= 0xcc && type <= 0xcf)) {
      const value = this.integer();
      return this.isKnown ? BigInt(value) : 0n;
    }
    if (!this.raw() || this.at - this.rawStart > MAX_TIME_BYTES) {
      this.isKnown = false;
      return 0n;
    }
    return decodeBigInteger(this.bytes.subarray(this.rawStart, this.at), 'time');
  }

  boolean(): boolean {
    const type = this.bytes[this.at++];
    if (type !== TRUE && type !== FALSE) this.isKnown = false;
    return type === TRUE;
  }

  /** Goes behind a null, if there is one. */
  isNil(): boolean {
    if (this.bytes[this.at] !== NIL) return false;
    this.at++;
    return true;
  }
}
