/**
 * Checksums of what a segment holds, as clients made them before they sent it: the file `data/<n>/<segment>.sums` beside
 * the segment. Borg reads no files whose names are not digits only, so it sees nothing of it.
 *
 *     offset  size  field
 *          0     8  magic, `ALCVSUM1`
 *          8        records of 64 bytes, in the order of the PUTs
 *
 * A record, all integers little-endian; it is about one PUT, and belongs to no other entry that may come to its place:
 *
 *     offset  size  field
 *          0     4  CRC-32 of the record from offset 4 to its end
 *          4     4  offset of the PUT in the segment
 *          8     4  size of the whole PUT
 *         12     4  CRC-32 of the PUT, as in its header
 *         16    32  key of the PUT
 *         48    16  checksum of its data (src/util/strong-checksum.ts)
 *
 * A record whose own CRC is wrong, or that is cut short, counts as one that is not there. Errors: SegmentChecksumsError
 * where the magic is another one.
 */
import { equalBytes, fromUtf8 } from '../util/bytes.ts';
import { crc32 } from '../util/crc32.ts';
import { STRONG_CHECKSUM_BYTES } from '../util/strong-checksum.ts';
import { KEY_SIZE_BYTES, PUT_HEADER_SIZE_BYTES, readUint32, writeUint32 } from './segment.ts';

export const CHECKSUMS_MAGIC: Uint8Array = fromUtf8('ALCVSUM1');
export const CHECKSUM_RECORD_BYTES = 64;

const KEY_AT = 16;
const CHECKSUM_AT = KEY_AT + KEY_SIZE_BYTES;

export class SegmentChecksumsError extends Error {
  override readonly name = 'SegmentChecksumsError';
}

export interface ChecksumRecord {
  readonly offset: number;
  /** Of the whole PUT. */
  readonly sizeBytes: number;
  /** Of the PUT. */
  readonly crc: number;
  readonly key: Uint8Array;
  readonly checksum: Uint8Array;
}

export interface SegmentChecksums {
  readonly count: number;
  /** Undefined where the record is damaged. Its bytes are a view. */
  record(number: number): ChecksumRecord | undefined;
}

/** Writes the record's 64 bytes at `at`. */
export function encodeChecksumRecordInto(into: Uint8Array, at: number, record: ChecksumRecord): void {
  writeUint32(into, at + 4, record.offset);
  writeUint32(into, at + 8, record.sizeBytes);
  writeUint32(into, at + 12, record.crc);
  into.set(record.key, at + KEY_AT);
  into.set(record.checksum, at + CHECKSUM_AT);
  writeUint32(into, at, crc32(into.subarray(at + 4, at + CHECKSUM_RECORD_BYTES)));
}

export function encodeSegmentChecksums(records: readonly ChecksumRecord[]): Uint8Array {
  const bytes = new Uint8Array(CHECKSUMS_MAGIC.length + records.length * CHECKSUM_RECORD_BYTES);
  bytes.set(CHECKSUMS_MAGIC);
  for (const [number, record] of records.entries()) encodeChecksumRecordInto(bytes, placeOf(number), record);
  return bytes;
}

/** Keeps the bytes. Throws a SegmentChecksumsError. */
export function decodeSegmentChecksums(bytes: Uint8Array): SegmentChecksums {
  if (!equalBytes(bytes.subarray(0, CHECKSUMS_MAGIC.length), CHECKSUMS_MAGIC)) {
    throw new SegmentChecksumsError('not a file of checksums');
  }
  return {
    count: Math.ceil((bytes.length - CHECKSUMS_MAGIC.length) / CHECKSUM_RECORD_BYTES),
    record: (number) => decodeRecord(bytes.subarray(placeOf(number), placeOf(number + 1))),
  };
}

function decodeRecord(bytes: Uint8Array): ChecksumRecord | undefined {
  if (bytes.length < CHECKSUM_RECORD_BYTES || crc32(bytes.subarray(4)) !== readUint32(bytes, 0)) {
    return undefined;
  }
  return {
    offset: readUint32(bytes, 4),
    sizeBytes: readUint32(bytes, 8),
    crc: readUint32(bytes, 12),
    key: bytes.subarray(KEY_AT, CHECKSUM_AT),
    checksum: bytes.subarray(CHECKSUM_AT, CHECKSUM_AT + STRONG_CHECKSUM_BYTES),
  };
}

/** More than the file of a segment of this size can have. */
export function maxChecksumsSizeBytes(segmentSizeBytes: number): number {
  const puts = Math.ceil(segmentSizeBytes / PUT_HEADER_SIZE_BYTES);
  return CHECKSUMS_MAGIC.length + puts * CHECKSUM_RECORD_BYTES;
}

function placeOf(number: number): number {
  return CHECKSUMS_MAGIC.length + number * CHECKSUM_RECORD_BYTES;
}
