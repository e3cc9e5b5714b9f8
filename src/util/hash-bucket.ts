/**
 * A bucket of a HashIndex.
 *
 * Bucket (32 + 4 * valueWords bytes):
 * | offset | size | field  | encoding                                                                    |
 * |--------|------|--------|-----------------------------------------------------------------------------|
 * | 0      | 32   | key    | first four bytes, little-endian, modulo the bucket count: where to look first |
 * | 32     | 4    | word 0 | uint32 little-endian; ffffffff: never used, fffffffe: deleted                 |
 * | 36     | 4 …  | word 1 | uint32 little-endian                                                        |
 *
 * Source: Borg 1.4.5 _hashindex.c, HashHeader and the macros after it.
 */
export const KEY_BYTES = 32;
export const KEY_WORDS = KEY_BYTES / 4;
/** Largest first word of a value; those above it are reserved as marks. Reference counts stop here. */
export const MAX_VALUE = 0xfffffbff;
/** In place of the first word: never used. */
export const EMPTY = 0xffffffff;
/** In place of the first word: used before. */
export const DELETED = 0xfffffffe;

export function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** One key at a time is looked for, so one place for its words is enough. */
const keyWords = new Uint32Array(KEY_WORDS);

/** The key as words, in memory that the next call uses again; throws a RangeError for another length. */
export function wordsOf(key: Uint8Array): Uint32Array {
  if (key.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes, not ${key.length}`);
  for (let i = 0; i < KEY_WORDS; i++) keyWords[i] = littleEndian(key, 4 * i);
  return keyWords;
}

/** Whether the key at `at` has the same words as the one at `from`; the first words are taken to be equal. */
export function sameKey(words: Uint32Array, at: number, key: Uint32Array, from: number): boolean {
  for (let i = 1; i < KEY_WORDS; i++) if (words[at + i] !== key[from + i]) return false;
  return true;
}
