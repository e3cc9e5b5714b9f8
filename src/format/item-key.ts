/**
 * Knows the keys of a packed item (see item.ts) by their bytes.
 *
 * Source: Borg 1.4.5 item.pyx, Item; constants.py, ITEM_KEYS.
 */

const KEYS = [
  'acl_access',
  'acl_default',
  'acl_extended',
  'acl_nfs4',
  'atime',
  'birthtime',
  'bsdflags',
  'chunks',
  'chunks_healthy',
  'ctime',
  'gid',
  'group',
  'hardlink_master',
  'mode',
  'mtime',
  'nlink',
  'part',
  'path',
  'rdev',
  'size',
  'source',
  'uid',
  'user',
  'xattrs',
] as const;

export type PackedKey = (typeof KEYS)[number];

/** By their numbers. */
export const PACKED_KEYS: readonly PackedKey[] = KEYS;
export const NUMBER_OF_KEY: Readonly<Record<PackedKey, number>> = Object.fromEntries(
  KEYS.map((key, number) => [key, number]),
) as Record<PackedKey, number>;

const KEY_BYTES = KEYS.map((key) => Uint8Array.from(key, (char) => char.charCodeAt(0)));
/** The longest one's length; all are packed in their shortest form, a byte before them. */
const MAX_KEY_BYTES = 15;

/** The number of a key's place, by its length, first and last byte, which no two keys share. */
const SLOTS = new Int8Array(16 * 1024).fill(-1);
const slot = (length: number, first: number, last: number) =>
  (length << 10) | ((first & 31) << 5) | (last & 31);
KEY_BYTES.forEach((key, number) => (SLOTS[slot(key.length, key[0]!, key.at(-1)!)] = number));

/** The number of the key that is packed from `from` to `to`; -1 for one that is not known, or in a longer form. */
export function packedKeyAt(bytes: Uint8Array, from: number, to: number): number {
  const length = bytes[from]! ^ 0xa0;
  if (length === 0 || length > MAX_KEY_BYTES) return -1;
  const first = from + 1;
  const number = SLOTS[slot(length, bytes[first]!, bytes[to - 1]!)]!;
  if (number < 0) return -1;
  const key = KEY_BYTES[number]!;
  for (let i = 0; i < length; i++) if (bytes[first + i] !== key[i]) return -1;
  return number;
}
