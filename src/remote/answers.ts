/**
 * What a client takes for an answer. A server that gives anything else is not believed: the connection ends.
 */
import { UnexpectedRPCDataFormatFromServer } from '../errors.ts';
import type { MsgpackValue } from '../msgpack/value.ts';
import { ID_SIZE_BYTES } from '../repository/repository.ts';
import { fromUtf8 } from '../util/bytes.ts';
import { describeBytes } from './unexpected-data.ts';

/** Borg's largest object, with room for what sealing adds. */
const MAX_OBJECT_BYTES = 21 * 1024 * 1024;
const MAX_KEY_BYTES = 1024 * 1024;
const MAX_NONCE = 2n ** 64n - 1n;

export function unexpectedAnswer(method: string, expected: string): UnexpectedRPCDataFormatFromServer {
  return new UnexpectedRPCDataFormatFromServer([`${method}: ${expected} was expected`]);
}

/** The bytes are a copy of their own. */
export function objectAnswer(value: MsgpackValue): Uint8Array {
  if (value instanceof Uint8Array && value.length <= MAX_OBJECT_BYTES) return value.slice();
  throw unexpectedAnswer('get', `an object of at most ${MAX_OBJECT_BYTES} bytes`);
}

export function idAnswer(method: string, value: MsgpackValue): Uint8Array {
  if (value instanceof Uint8Array && value.length === ID_SIZE_BYTES) return value.slice();
  throw unexpectedAnswer(method, 'an id');
}

export function idsAnswer(method: string, value: MsgpackValue, limit: number): Uint8Array[] {
  const isList = Array.isArray(value) && value.length <= limit;
  if (!isList) throw unexpectedAnswer(method, `a list of at most ${limit} ids`);
  return (value as readonly MsgpackValue[]).map((id) => idAnswer(method, id));
}

export function countAnswer(value: MsgpackValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unexpectedAnswer('__len__', 'a number');
}

export function flagAnswer(method: string, value: MsgpackValue): boolean {
  if (typeof value === 'boolean') return value;
  throw unexpectedAnswer(method, 'true or false');
}

export function keyAnswer(value: MsgpackValue): Uint8Array {
  // Servers before Borg 1.0.9 say nil where there is none.
  if (value === null) return fromUtf8('');
  if (value instanceof Uint8Array && value.length <= MAX_KEY_BYTES) return value;
  throw unexpectedAnswer('load_key', `a key of at most ${MAX_KEY_BYTES} bytes`);
}

export function nonceAnswer(value: MsgpackValue): bigint | undefined {
  if (value === null) return undefined;
  const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  const nonce = isInteger ? BigInt(value) : -1n;
  if (nonce < 0n || nonce > MAX_NONCE) throw unexpectedAnswer('get_free_nonce', 'a nonce');
  return nonce;
}

/** Shows what a server said in place of its version. */
export function describeAnswer(value: MsgpackValue): string {
  if (value instanceof Uint8Array) return describeBytes(value);
  return value === null || typeof value !== 'object' ? String(value) : 'something else';
}
