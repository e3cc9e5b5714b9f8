/** The values of Borg's dialect of msgpack. */

/** A raw key as a binary string (one char a byte), or an integer. */
export type MsgpackKey = string | number | bigint;

export type MsgpackMap = Map<MsgpackKey, MsgpackValue>;

/**
 * What decode() gives. Raw values are bytes, never text; integers beyond 2^53 are bigint; maps keep their order.
 */
export type MsgpackValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly MsgpackValue[]
  | MsgpackMap
  | { readonly [key: string]: MsgpackValue };

/** Damaged or oversized msgpack data, or a value that msgpack can't hold. */
export class MsgpackError extends Error {
  override readonly name = 'MsgpackError';
}
