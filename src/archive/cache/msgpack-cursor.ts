/**
 * Walks msgpack bytes without decoding them into values: for streams of which only a few fields matter, where
 * speed or memory does.
 */
import { MsgpackError } from '../../msgpack/value.ts';

const MAX_DEPTH = 16;

/** The value goes on beyond the bytes at hand, by at least `missingBytes`. */
export class IncompleteMsgpack extends Error {
  readonly missingBytes: number;
  constructor(missingBytes: number) {
    super('incomplete msgpack value');
    this.missingBytes = missingBytes;
  }
}

/**
 * Every method reads at `offset` and moves it. They throw IncompleteMsgpack at the end of the bytes and
 * MsgpackError where another type stands.
 */
export class MsgpackCursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.offset >= this.bytes.length;
  }

  /** Makes sure that `bytes` more are there. */
  need(bytes: number): void {
    const missing = this.offset + bytes - this.bytes.length;
    if (missing > 0) throw new IncompleteMsgpack(missing);
  }

  mapLength(): number {
    const head = this.#byte();
    if (head >= 0x80 && head <= 0x8f) return head & 0x0f;
    if (head === 0xde) return this.#uint(2);
    if (head === 0xdf) return this.#uint(4);
    throw unexpected('map', head);
  }

  arrayLength(): number {
    const head = this.#byte();
    if (head >= 0x90 && head <= 0x9f) return head & 0x0f;
    if (head === 0xdc) return this.#uint(2);
    if (head === 0xdd) return this.#uint(4);
    throw unexpected('array', head);
  }

  /** A view of the raw value's bytes. */
  raw(): Uint8Array {
    const length = this.rawLength();
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  /** Passes over the head of a raw value, and gives the number of its bytes, which follow. */
  rawLength(): number {
    const head = this.#byte();
    let length: number;
    if (head >= 0xa0 && head <= 0xbf) length = head & 0x1f;
    else if (head === 0xd9) length = this.#uint(1);
    else if (head === 0xda) length = this.#uint(2);
    else if (head === 0xdb) length = this.#uint(4);
    else throw unexpected('raw', head);
    this.need(length);
    return length;
  }

  /** A non-negative integer below 2^32. */
  uint32(): number {
    const head = this.#byte();
    if (head <= 0x7f) return head;
    if (head === 0xcc) return this.#uint(1);
    if (head === 0xcd) return this.#uint(2);
    if (head === 0xce) return this.#uint(4);
    throw unexpected('unsigned integer', head);
  }

  /** An integer of any size. */
  integer(): bigint {
    const head = this.#byte();
    if (head <= 0x7f) return BigInt(head);
    if (head >= 0xe0) return BigInt(head - 0x100);
    if (head === 0xcc) return BigInt(this.#uint(1));
    if (head === 0xcd) return BigInt(this.#uint(2));
    if (head === 0xce) return BigInt(this.#uint(4));
    const at = this.offset;
    if (head === 0xcf || head === 0xd3) {
      this.#advance(8);
      return head === 0xcf ? this.#view.getBigUint64(at) : this.#view.getBigInt64(at);
    }
    if (head === 0xd0) return BigInt((this.#uint(1) << 24) >> 24);
    if (head === 0xd1) return BigInt((this.#uint(2) << 16) >> 16);
    if (head === 0xd2) return BigInt(this.#uint(4) | 0);
    throw unexpected('integer', head);
  }

  /** Passes over an integer of any size. */
  skipInteger(): void {
    const head = this.#byte();
    if (head <= 0x7f || head >= 0xe0) return;
    if (head < 0xcc || head > 0xd3) throw unexpected('integer', head);
    // Of 1, 2, 4 or 8 bytes, without a sign and with one.
    this.#advance(1 << (head & 3));
  }

  /** Passes over one value of any type. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) throw new MsgpackError('nested too deeply');
    const head = this.#byte();
    if (head <= 0x7f || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) return;
    if (head <= 0x8f) return this.#skipMany(2 * (head & 0x0f), depth);
    if (head <= 0x9f) return this.#skipMany(head & 0x0f, depth);
    if (head <= 0xbf) return this.#advance(head & 0x1f);
    if (head >= 0xd4 && head <= 0xd8) return this.#advance(1 + 2 ** (head - 0xd4));
    switch (head) {
      case 0xc4:
      case 0xd9:
        return this.#advance(this.#uint(1));
      case 0xc5:
      case 0xda:
        return this.#advance(this.#uint(2));
      case 0xc6:
      case 0xdb:
        return this.#advance(this.#uint(4));
      case 0xcc:
      case 0xd0:
        return this.#advance(1);
      case 0xcd:
      case 0xd1:
        return this.#advance(2);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#advance(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#advance(8);
      case 0xdc:
        return this.#skipMany(this.#uint(2), depth);
      case 0xdd:
        return this.#skipMany(this.#uint(4), depth);
      case 0xde:
        return this.#skipMany(2 * this.#uint(2), depth);
      case 0xdf:
        return this.#skipMany(2 * this.#uint(4), depth);
      default:
        throw unexpected('value', head);
    }
  }

  #skipMany(count: number, depth: number): void {
    this.need(count);
    for (let i = 0; i < count; i++) this.skip(depth + 1);
  }

  #advance(bytes: number): void {
    this.need(bytes);
    this.offset += bytes;
  }

  #byte(): number {
    this.need(1);
    return this.bytes[this.offset++]!;
  }

  #uint(bytes: 1 | 2 | 4): number {
    const at = this.offset;
    this.#advance(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }
}

function unexpected(wanted: string, head: number): MsgpackError {
  return new MsgpackError(`expected ${wanted}, found type 0x${head.toString(16).padStart(2, '0')}`);
}
