/**
 * Packs values in the old msgpack specification, as Borg always wrote it: text and bytes are both "raw".
 *
 * | first byte | then                  | value                                                |
 * |------------|-----------------------|------------------------------------------------------|
 * | 00-7f      |                       | integer 0 to 127                                     |
 * | 80-8f      | n pairs               | map, n = low 4 bits                                  |
 * | 90-9f      | n values              | array, n = low 4 bits                                |
 * | a0-bf      | n bytes               | raw, n = low 5 bits                                  |
 * | c0 c2 c3   |                       | null, false, true                                    |
 * | cb         | 8 bytes               | float, IEEE 754 double, big-endian                   |
 * | cc cd ce cf| 1, 2, 4, 8 bytes      | unsigned integer, big-endian                         |
 * | d0 d1 d2 d3| 1, 2, 4, 8 bytes      | negative integer, big-endian, two's complement       |
 * | da db      | 2, 4 bytes n, n bytes | raw                                                  |
 * | dc dd      | 2, 4 bytes n, values  | array                                                |
 * | de df      | 2, 4 bytes n, pairs   | map                                                  |
 * | e0-ff      |                       | integer -32 to -1                                    |
 *
 * Each value takes the shortest form. d9 (str8) and c4 to c6 (bin) are never written.
 *
 * Source: Borg 1.4.5 helpers/msgpack.py, packb() (use_bin_type=False).
 */
import { encodeSurrogateEscaped } from '../util/surrogate-escape.ts';
import { MsgpackError } from './value.ts';
import type { MsgpackKey, MsgpackMap, MsgpackValue } from './value.ts';

const INITIAL_BYTES = 4096;
/** A larger buffer is given back after use. */
const KEPT_BYTES = 1 << 20;
const MAX_DEPTH = 511;

let buffer = new Uint8Array(INITIAL_BYTES);
let view = new DataView(buffer.buffer);
let end = 0;

/**
 * Packs one value. Strings become UTF-8 (lone surrogates U+DC80 to U+DCFF the byte they stand for), Map keys that
 * are strings are binary strings, keys of plain objects are text. Throws a MsgpackError where a value has no form.
 */
export function encode(value: MsgpackValue): Uint8Array {
  end = 0;
  try {
    writeValue(value, 0);
    return buffer.slice(0, end);
  } finally {
    if (buffer.length > KEPT_BYTES) resize(INITIAL_BYTES);
  }
}

/**
 * Packs a map of the keys, packed already, whose value is not undefined. The bytes are good until something else is
 * packed: of many small maps, each copied somewhere, memory of its own would take longer than the packing.
 */
export function encodeFieldsTransient(
  packedKeys: readonly Uint8Array[],
  values: readonly (MsgpackValue | undefined)[],
): Uint8Array {
  end = 0;
  let count = 0;
  for (const value of values) if (value !== undefined) count += 1;
  writeLength(count, 0x80, 0x10, 0xde);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (value === undefined) continue;
    const key = packedKeys[at]!;
    // Reserved first: it may replace the buffer.
    const start = reserve(key.length);
    buffer.set(key, start);
    writeValue(value, 1);
  }
  const packed = buffer.subarray(0, end);
  if (buffer.length > KEPT_BYTES) resize(INITIAL_BYTES);
  return packed;
}

function resize(length: number): void {
  buffer = new Uint8Array(length);
  view = new DataView(buffer.buffer);
}

function reserve(length: number): number {
  const start = end;
  end += length;
  if (end > buffer.length) {
    const old = buffer;
    resize(Math.max(end, buffer.length * 2));
    buffer.set(old.subarray(0, start));
  }
  return start;
}

function writeValue(value: MsgpackValue, depth: number): void {
  if (depth > MAX_DEPTH) throw new MsgpackError('nested too deeply');
  if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'string') writeRaw(encodeSurrogateEscaped(value));
  else if (value instanceof Uint8Array) writeRaw(value);
  else if (value === null) writeByte(0xc0);
  else if (typeof value === 'boolean') writeByte(value ? 0xc3 : 0xc2);
  else if (typeof value === 'bigint') writeBigInt(value);
  else if (Array.isArray(value)) writeArray(value as readonly MsgpackValue[], depth);
  else if (value instanceof Map) writeMap(value, depth);
  else if (typeof value === 'object') writeObject(value as Record<string, MsgpackValue>, depth);
  else throw new MsgpackError(`can't pack a value of type ${typeof value}`);
}

function writeByte(byte: number): void {
  const at = reserve(1);
  buffer[at] = byte;
}

function writeNumber(value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    const at = reserve(9);
    buffer[at] = 0xcb;
    view.setFloat64(at + 1, value);
  } else if (value >= 0) {
    if (value < 0x80) writeByte(value);
    else if (value < 0x100) writeHeader(0xcc, 1, value);
    else if (value < 0x10000) writeHeader(0xcd, 2, value);
    else if (value < 0x100000000) writeHeader(0xce, 4, value);
    else writeBigInt(BigInt(value));
  } else if (value >= -0x20) writeByte(value & 0xff);
  else if (value >= -0x80) writeHeader(0xd0, 1, value);
  else if (value >= -0x8000) writeHeader(0xd1, 2, value);
  else if (value >= -0x80000000) writeHeader(0xd2, 4, value);
  else writeBigInt(BigInt(value));
}

function writeBigInt(value: bigint): void {
  if (value >= -0x80000000n && value <= 0xffffffffn) writeNumber(Number(value));
  else if (value > 0 && value <= 0xffffffffffffffffn) {
    const at = reserve(9);
    buffer[at] = 0xcf;
    view.setBigUint64(at + 1, value);
  } else if (value < 0 && value >= -0x8000000000000000n) {
    const at = reserve(9);
    buffer[at] = 0xd3;
    view.setBigInt64(at + 1, value);
  } else throw new MsgpackError('integer beyond 64 bits');
}

/** Writes the type byte and the low 1, 2 or 4 bytes of the number, big-endian. */
function writeHeader(type: number, size: 1 | 2 | 4, value: number): void {
  const at = reserve(1 + size);
  buffer[at] = type;
  if (size === 1) buffer[at + 1] = value;
  else if (size === 2) view.setUint16(at + 1, value);
  else view.setUint32(at + 1, value);
}

/** Header of a raw, array or map: short form, 16-bit form, 32-bit form. */
function writeLength(length: number, short: number, shortLimit: number, long: number): void {
  if (length < shortLimit) writeByte(short | length);
  else if (length < 0x10000) writeHeader(long, 2, length);
  else if (length < 0x100000000) writeHeader(long + 1, 4, length);
  else throw new MsgpackError('value too large');
}

function writeRaw(bytes: Uint8Array): void {
  writeLength(bytes.length, 0xa0, 0x20, 0xda);
  const at = reserve(bytes.length);
  buffer.set(bytes, at);
}

function writeArray(values: readonly MsgpackValue[], depth: number): void {
  writeLength(values.length, 0x90, 0x10, 0xdc);
  for (const value of values) writeValue(value, depth + 1);
}

function writeMap(map: MsgpackMap, depth: number): void {
  writeLength(map.size, 0x80, 0x10, 0xde);
  for (const [key, value] of map) {
    writeKey(key);
    writeValue(value, depth + 1);
  }
}

function writeKey(key: MsgpackKey): void {
  if (typeof key === 'number') writeNumber(key);
  else if (typeof key === 'bigint') writeBigInt(key);
  else {
    writeLength(key.length, 0xa0, 0x20, 0xda);
    const at = reserve(key.length);
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      if (code > 0xff) throw new MsgpackError('a map key is not a binary string');
      buffer[at + i] = code;
    }
  }
}

function writeObject(object: Record<string, MsgpackValue>, depth: number): void {
  const entries = Object.entries(object);
  writeLength(entries.length, 0x80, 0x10, 0xde);
  for (const [key, value] of entries) {
    writeRaw(encodeSurrogateEscaped(key));
    writeValue(value, depth + 1);
  }
}
