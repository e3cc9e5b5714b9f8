/**
 * A segment file: the magic, then log entries end to end.
 *
 *     offset  size  field
 *          0     8  magic, `BORG_SEG` (`ATTICSEG` in a repository of Borg's predecessor)
 *          8        entries
 *
 * An entry, all integers little-endian:
 *
 *     offset  size  field
 *          0     4  CRC-32 of the entry from offset 4 to its end
 *          4     4  size of the whole entry, at most MAX_ENTRY_SIZE_BYTES
 *          8     1  tag: 0 PUT, 1 DELETE, 2 COMMIT
 *          9    32  key (PUT and DELETE)
 *         41        data (PUT)
 *
 * A COMMIT is 9 bytes. Errors: IntegrityError, with Borg's texts.
 * Source: Borg 1.4.5 repository.py, LoggedIO; docs/internals/data-structures.rst.
 */
import { IntegrityError } from '../errors.ts';
import { crc32 } from '../util/crc32.ts';

export const SEGMENT_MAGIC: Uint8Array = new TextEncoder().encode('BORG_SEG');
export const ATTIC_SEGMENT_MAGIC: Uint8Array = new TextEncoder().encode('ATTICSEG');
export const MAGIC_SIZE_BYTES = 8;

export const TAG_PUT = 0;
export const TAG_DELETE = 1;
export const TAG_COMMIT = 2;

export const KEY_SIZE_BYTES = 32;
/** In front of what it covers. */
export const CRC_SIZE_BYTES = 4;
/** CRC, size and tag. */
export const ENTRY_HEADER_SIZE_BYTES = 9;
/** CRC, size, tag and key. */
export const PUT_HEADER_SIZE_BYTES = 41;
export const MAX_ENTRY_SIZE_BYTES = 20 * 1024 * 1024;
/** Largest object: an entry's largest size less the header. */
export const MAX_DATA_SIZE_BYTES = MAX_ENTRY_SIZE_BYTES - PUT_HEADER_SIZE_BYTES;

/** Where an entry starts, for messages. */
export interface EntryPlace {
  readonly segment: number;
  readonly offset: number;
}

export interface EntryHeader {
  readonly crc: number;
  readonly sizeBytes: number;
  readonly tag: number;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Throws an IntegrityError where the data would make an entry larger than any reader accepts. */
export function checkDataSize(data: Uint8Array): void {
  if (data.length <= MAX_DATA_SIZE_BYTES) return;
  throw new IntegrityError([`More than allowed put data [${data.length} > ${MAX_DATA_SIZE_BYTES}]`]);
}

/** Writes the PUT of `data` at `at`; the caller has made room for 41 + data.length bytes. Returns the entry's size. */
export function encodePutInto(into: Uint8Array, at: number, key: Uint8Array, data: Uint8Array): number {
  const sizeBytes = PUT_HEADER_SIZE_BYTES + data.length;
  writeUint32(into, at + 4, sizeBytes);
  into[at + 8] = TAG_PUT;
  into.set(key, at + 9);
  into.set(data, at + PUT_HEADER_SIZE_BYTES);
  writeUint32(into, at, crc32(into.subarray(at + 4, at + sizeBytes)));
  return sizeBytes;
}

/** Writes only the 41 bytes in front of `data`, for data that is written from where it lies. */
export function encodePutHeaderInto(into: Uint8Array, at: number, key: Uint8Array, data: Uint8Array): void {
  writeUint32(into, at + 4, PUT_HEADER_SIZE_BYTES + data.length);
  into[at + 8] = TAG_PUT;
  into.set(key, at + 9);
  writeUint32(into, at, crc32(data, crc32(into.subarray(at + 4, at + PUT_HEADER_SIZE_BYTES))));
}

/** Writes a DELETE at `at`. Returns its size. */
export function encodeDeleteInto(into: Uint8Array, at: number, key: Uint8Array): number {
  writeUint32(into, at + 4, PUT_HEADER_SIZE_BYTES);
  into[at + 8] = TAG_DELETE;
  into.set(key, at + 9);
  writeUint32(into, at, crc32(into.subarray(at + 4, at + PUT_HEADER_SIZE_BYTES)));
  return PUT_HEADER_SIZE_BYTES;
}

export function encodePut(key: Uint8Array, data: Uint8Array): Uint8Array {
  const entry = new Uint8Array(PUT_HEADER_SIZE_BYTES + data.length);
  encodePutInto(entry, 0, key, data);
  return entry;
}

export function encodeDelete(key: Uint8Array): Uint8Array {
  const entry = new Uint8Array(PUT_HEADER_SIZE_BYTES);
  encodeDeleteInto(entry, 0, key);
  return entry;
}

export function encodeCommit(): Uint8Array {
  const entry = new Uint8Array(ENTRY_HEADER_SIZE_BYTES);
  writeUint32(entry, 4, ENTRY_HEADER_SIZE_BYTES);
  entry[8] = TAG_COMMIT;
  writeUint32(entry, 0, crc32(entry.subarray(4)));
  return entry;
}

/** The only COMMIT entry there is. */
export const COMMIT_ENTRY: Uint8Array = encodeCommit();

/**
 * Decodes an entry's first nine bytes, of which `available` are there, and checks its size before anything is read
 * or allocated by it. `minimumSizeBytes` is 41 where only a PUT can be meant.
 */
export function decodeEntryHeader(
  bytes: Uint8Array,
  at: number,
  available: number,
  place: EntryPlace,
  minimumSizeBytes: number = ENTRY_HEADER_SIZE_BYTES,
): EntryHeader {
  if (available < minimumSizeBytes) {
    throw new IntegrityError([
      `Invalid segment entry header ${where(place)}: unpack requires a buffer of ${minimumSizeBytes} bytes`,
    ]);
  }
  const crc = readUint32(bytes, at);
  const sizeBytes = readUint32(bytes, at + 4);
  const tag = bytes[at + 8]!;
  if (sizeBytes > MAX_ENTRY_SIZE_BYTES) {
    throw new IntegrityError([`Invalid segment entry size ${sizeBytes} - too big ${where(place)}`]);
  }
  const keyed = tag === TAG_PUT || tag === TAG_DELETE;
  if (sizeBytes < minimumSizeBytes || (keyed && sizeBytes < PUT_HEADER_SIZE_BYTES)) {
    throw new IntegrityError([`Invalid segment entry size ${sizeBytes} - too small ${where(place)}`]);
  }
  return { crc, sizeBytes, tag };
}

/** What is wrong where the whole entry, which starts at `at` in `bytes`, has not the CRC that its header gives. */
export function findCrcDamage(
  bytes: Uint8Array,
  at: number,
  header: EntryHeader,
  place: EntryPlace,
): IntegrityError | undefined {
  const crc = crc32(bytes.subarray(at + 4, at + header.sizeBytes));
  return crc === header.crc ? undefined : checksumMismatch(place);
}

export function findTagDamage({ tag }: EntryHeader, place: EntryPlace): IntegrityError | undefined {
  return tag === TAG_PUT || tag === TAG_DELETE || tag === TAG_COMMIT ? undefined : unacceptableTag(place);
}

/** Throws what findCrcDamage finds. */
export function verifyEntryCrc(bytes: Uint8Array, at: number, header: EntryHeader, place: EntryPlace): void {
  const damage = findCrcDamage(bytes, at, header, place);
  if (damage !== undefined) throw damage;
}

/** The data of the PUT of `key` that begins at `at`, as a view; all of it is there. Throws unless it is verified. */
export function viewPutData(
  bytes: Uint8Array,
  at: number,
  header: EntryHeader,
  key: Uint8Array,
  place: EntryPlace,
): Uint8Array {
  verifyEntryCrc(bytes, at, header, place);
  checkPut(bytes, at, header.tag, key, place);
  return bytes.subarray(at + PUT_HEADER_SIZE_BYTES, at + header.sizeBytes);
}

/** Throws unless the entry's header is that of the PUT of `key`. */
export function checkPut(
  bytes: Uint8Array,
  at: number,
  tag: number,
  key: Uint8Array,
  place: EntryPlace,
): void {
  if (tag !== TAG_PUT) throw unacceptableTag(place);
  const found = bytes.subarray(at + ENTRY_HEADER_SIZE_BYTES, at + PUT_HEADER_SIZE_BYTES);
  if (Buffer.compare(found, key) !== 0) throw wrongKey(place);
}

export function checksumMismatch(place: EntryPlace): IntegrityError {
  return new IntegrityError([`Segment entry checksum mismatch ${where(place)}`]);
}

export function shortRead(place: EntryPlace, expectedBytes: number, gotBytes: number): IntegrityError {
  return new IntegrityError([
    `Segment entry data short read ${where(place)}: expected ${expectedBytes}, got ${gotBytes} bytes`,
  ]);
}

export function unacceptableTag(place: EntryPlace): IntegrityError {
  return new IntegrityError([`Invalid segment entry header, did not get acceptable tag ${where(place)}`]);
}

export function wrongKey(place: EntryPlace): IntegrityError {
  return new IntegrityError([`Invalid segment entry header, is not for wanted id ${where(place)}`]);
}

export function invalidMagic(segment: number): IntegrityError {
  return new IntegrityError([`Invalid segment magic ${where({ segment, offset: 0 })}`]);
}

function where(place: EntryPlace): string {
  return `[segment ${place.segment}, offset ${place.offset}]`;
}
