/**
 * An entry of the files cache, as it is packed in the file and in memory:
 *
 * | offset | size | content                                                                                  |
 * |--------|------|------------------------------------------------------------------------------------------|
 * | 0      | 4    | 92 da 00 20: array of 2, raw of 32 bytes                                                 |
 * | 4      | 32   | path hash: id hash of the absolute path                                                  |
 * | 36     | 1    | 95: array of 5                                                                           |
 * | 37     |      | age, int: backups since the file was last seen                                           |
 * |        |      | inode, int                                                                               |
 * |        |      | size, int, bytes                                                                         |
 * |        |      | cmtime, int, ns since 1970 (ctime or mtime, by the mode); raw little-endian beyond 2^63  |
 * |        |      | chunk ids: array of raw, 32 bytes each                                                   |
 *
 * Source: Borg 1.4.5, cache.py, FileCacheEntry.
 */
import { encode } from '../../msgpack/encode.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import type { MsgpackCursor } from './msgpack-cursor.ts';

export interface Entry {
  inode: bigint;
  sizeBytes: bigint;
  cmtimeNs: bigint;
  ids: Uint8Array[];
}

export const PATH_HASH_OFFSET = 4;
export const PATH_HASH_BYTES = 32;
const FIELDS_OFFSET = PATH_HASH_OFFSET + PATH_HASH_BYTES;
const AGE_OFFSET = FIELDS_OFFSET + 1;
const CHUNK_ID_BYTES = 32;

/** Of a file that was seen in this backup. */
export function packEntry(pathHash: Uint8Array, { inode, sizeBytes, cmtimeNs, ids }: Entry): Uint8Array {
  return encode([pathHash, [0, inode, sizeBytes, cmtimeNs, ids]]);
}

/** Whether the entry that begins at `start` has the path hash that begins at `from` of `hash`. */
export function hasPathHash(bytes: Uint8Array, start: number, hash: Uint8Array, from = 0): boolean {
  const at = start + PATH_HASH_OFFSET;
  for (let i = 0; i < PATH_HASH_BYTES; i++) if (bytes[at + i] !== hash[from + i]) return false;
  return true;
}

/** Passes over the entry at the cursor. Throws MsgpackError where it is none, IncompleteMsgpack where it goes on. */
export function passEntry(cursor: MsgpackCursor): void {
  const start = cursor.offset;
  const end = endOfUsual(cursor.bytes, start);
  if (end > 0) {
    cursor.offset = end;
    return;
  }
  if (cursor.arrayLength() !== 2) throw new MsgpackError('not a pair');
  if (cursor.rawLength() !== PATH_HASH_BYTES) throw new MsgpackError('path hash of wrong length');
  if (cursor.offset !== start + PATH_HASH_OFFSET) throw new MsgpackError('path hash in another place');
  cursor.offset += PATH_HASH_BYTES;
  if (cursor.arrayLength() !== 5) throw new MsgpackError('entry of wrong length');
  if (cursor.offset !== start + AGE_OFFSET) throw new MsgpackError('age in another place');
  cursor.skipInteger();
  cursor.skipInteger();
  cursor.skipInteger();
  if (isShortRaw(cursor)) cursor.skip();
  else cursor.skipInteger();
  for (let left = cursor.arrayLength(); left > 0; left--) {
    if (cursor.rawLength() !== CHUNK_ID_BYTES) throw new MsgpackError('chunk id of wrong length');
    cursor.offset += CHUNK_ID_BYTES;
  }
}

/** The end of an entry as most are, with at most fifteen chunks; 0 where a cursor has to look at it. */
function endOfUsual(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== 0x92 || bytes[start + 1] !== 0xda || bytes[start + 2] !== 0) return 0;
  if (bytes[start + 3] !== PATH_HASH_BYTES || bytes[start + FIELDS_OFFSET] !== 0x95) return 0;
  let at = start + AGE_OFFSET;
  for (let integers = 0; integers < 4; integers++) {
    const head = bytes[at]!;
    if (head <= 0x7f) at += 1;
    else if (head >= 0xcc && head <= 0xcf) at += 1 + (1 << (head & 3));
    else return 0;
  }
  const head = bytes[at++]!;
  if (!(head >= 0x90 && head <= 0x9f)) return 0;
  for (let left = head & 0x0f; left > 0; left--) {
    if (bytes[at] !== 0xda || bytes[at + 1] !== 0 || bytes[at + 2] !== CHUNK_ID_BYTES) return 0;
    at += 3 + CHUNK_ID_BYTES;
  }
  return at <= bytes.length ? at : 0;
}

/** The entry at the cursor, which passEntry() has found to be one; the cursor passes over it. */
export function readEntry(cursor: MsgpackCursor): Entry {
  cursor.offset += AGE_OFFSET;
  cursor.skipInteger();
  const inode = cursor.integer();
  const sizeBytes = cursor.integer();
  const cmtimeNs = readCmtime(cursor);
  const ids: Uint8Array[] = [];
  for (let left = cursor.arrayLength(); left > 0; left--) ids.push(cursor.raw());
  return { inode, sizeBytes, cmtimeNs, ids };
}

/** What decides whether the entry at the cursor is kept, and where its age lies; the cursor passes over all of it. */
export function readAge(cursor: MsgpackCursor): {
  age: number;
  ageStart: number;
  ageEnd: number;
  cmtimeNs: bigint;
} {
  const start = cursor.offset;
  const ageStart = start + AGE_OFFSET;
  cursor.offset = ageStart;
  const age = Number(cursor.integer());
  const ageEnd = cursor.offset;
  cursor.skipInteger();
  cursor.skipInteger();
  const cmtimeNs = readCmtime(cursor);
  cursor.offset = start;
  passEntry(cursor);
  return { age, ageStart, ageEnd, cmtimeNs };
}

function isShortRaw(cursor: MsgpackCursor): boolean {
  cursor.need(1);
  const head = cursor.bytes[cursor.offset]!;
  return head >= 0xa0 && head <= 0xbf;
}

function readCmtime(cursor: MsgpackCursor): bigint {
  if (!isShortRaw(cursor)) return cursor.integer();
  let value = 0n;
  const bytes = cursor.raw();
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return BigInt.asIntN(8 * bytes.length, value);
}
