/**
 * How the maps of items, archives and manifests are read and written: checked access to their values, and the order of
 * their keys.
 *
 * Source: Borg 1.4.5 item.pyx (PropDict), helpers/datastruct.py (StableDict), helpers/msgpack.py (int_to_bigint).
 */
import type { MsgpackKey, MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { decodeSurrogateEscaped } from '../util/surrogate-escape.ts';

/** The metadata is not what it should be: a value is missing, of another type, or out of range. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

/** A map whose keys are in Borg's order, that of their bytes; maps within are sorted too. */
export function sortKeys(map: ReadonlyMap<MsgpackKey, MsgpackValue>): MsgpackMap {
  const entries = [...map].map(([key, value]): [MsgpackKey, MsgpackValue] => [
    key,
    value instanceof Map ? sortKeys(value) : value,
  ]);
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

const END_OF_64_BITS = 2n ** 63n;

/**
 * An integer as Borg packs times: as such while its magnitude is below 2^63, else as little-endian bytes, two's
 * complement.
 */
export function encodeBigInteger(value: bigint): bigint | Uint8Array {
  if (value > -END_OF_64_BITS && value < END_OF_64_BITS) return value;
  const magnitude = value < 0n ? -value : value;
  const bits = magnitude.toString(2).length;
  const length = Math.floor((bits + 9) / 8);
  const bytes = new Uint8Array(length);
  let rest = BigInt.asUintN(8 * length, value);
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** More bytes than any time needs; the first Borg versions wrote all times as bytes. */
const MAX_BIG_INTEGER_BYTES = 32;

export function decodeBigInteger(value: MsgpackValue, key: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (!(value instanceof Uint8Array)) throw wrong(key, 'an integer');
  if (value.length > MAX_BIG_INTEGER_BYTES) throw new MetadataError(`${key} is too large`);
  let unsigned = 0n;
  for (let i = value.length - 1; i >= 0; i--) unsigned = (unsigned << 8n) | BigInt(value[i]!);
  return BigInt.asIntN(8 * value.length, unsigned);
}

export function wrong(key: string, wanted: string): MetadataError {
  return new MetadataError(`${key} is not ${wanted}`);
}

export function asMap(value: MsgpackValue | undefined, key: string): MsgpackMap {
  if (!(value instanceof Map)) throw wrong(key, 'a map');
  return value;
}

export function asArray(value: MsgpackValue | undefined, key: string): readonly MsgpackValue[] {
  if (!Array.isArray(value)) throw wrong(key, 'an array');
  return value as readonly MsgpackValue[];
}

export function asBytes(value: MsgpackValue | undefined, key: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(key, 'raw');
  return value;
}

/** Raw as text; what is not UTF-8 becomes lone surrogates. */
export function asText(value: MsgpackValue | undefined, key: string): string {
  return decodeSurrogateEscaped(asBytes(value, key));
}

export function asBoolean(value: MsgpackValue | undefined, key: string): boolean {
  if (typeof value !== 'boolean') throw wrong(key, 'a boolean');
  return value;
}

export function asInteger(value: MsgpackValue | undefined, key: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(key, 'an integer below 2^53');
  return value;
}

export function asId(value: MsgpackValue | undefined, key: string): Uint8Array {
  const id = asBytes(value, key);
  if (id.length !== 32) throw wrong(key, 'an id of 32 bytes');
  return id;
}
