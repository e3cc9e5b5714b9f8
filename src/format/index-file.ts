/**
 * A HashIndex as a file: `index.N` in a repository (2 values: segment, offset), `chunks` and `chunks.archive.d/*` in a
 * cache (3 values: reference count, size, csize).
 *
 * | offset | size | field        | encoding                                         |
 * |--------|------|--------------|--------------------------------------------------|
 * | 0      | 8    | magic        | `BORG_IDX`                                       |
 * | 8      | 4    | entries      | int32 little-endian                              |
 * | 12     | 4    | bucket count | int32 little-endian                              |
 * | 16     | 1    | key size     | int8, 32                                         |
 * | 17     | 1    | value size   | int8, 4 for each value                           |
 * | 18     |      | buckets      | see HashIndex; bucket count * (key + value size) |
 *
 * Source: Borg 1.4.5 _hashindex.c, hashindex_read() and hashindex_write().
 */
import { fromUtf8, toBinaryString } from '../util/bytes.ts';
import { HashIndex, KEY_BYTES } from '../util/hash-index.ts';
import type { IntegrityPart } from './integrity-data.ts';

export const INDEX_HEADER_BYTES = 18;
const MAGIC = 'BORG_IDX';

/** The file is no index, or a damaged one. */
export class IndexFileError extends Error {
  override readonly name = 'IndexFileError';
}

export interface IndexHeader {
  size: number;
  bucketCount: number;
}

export interface IndexFileOptions {
  valueWords: number;
  /** Accept a table without empty buckets as it is, for reading only (Borg: permit_compact). */
  compact?: boolean;
  shared?: boolean;
}

export function encodeIndexHeader(index: HashIndex): Uint8Array {
  const header = new Uint8Array(INDEX_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(fromUtf8(MAGIC));
  view.setInt32(8, index.size, true);
  view.setInt32(12, index.bucketCount, true);
  view.setInt8(16, KEY_BYTES);
  view.setInt8(17, 4 * index.valueWords);
  return header;
}

/**
 * The file's pieces, to be written one after the other, and to be given to computeIntegrityData(). The buckets are the
 * live table, not a copy.
 */
export function encodeIndexFile(index: HashIndex): [header: IntegrityPart, buckets: IntegrityPart] {
  return [{ name: 'HashHeader', bytes: encodeIndexHeader(index) }, { bytes: index.buckets }];
}

/** Throws an IndexFileError, in Borg's words. `fileBytes` is the length of the whole file. */
export function decodeIndexHeader(header: Uint8Array, valueWords: number, fileBytes: number): IndexHeader {
  if (header.length < INDEX_HEADER_BYTES) {
    throw new IndexFileError(
      `Could not read header (expected ${INDEX_HEADER_BYTES}, but read ${header.length} bytes)`,
    );
  }
  if (toBinaryString(header.subarray(0, 8)) !== MAGIC) throw new IndexFileError('Unknown MAGIC in header');
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const size = view.getInt32(8, true);
  const bucketCount = view.getInt32(12, true);
  const keyBytes = view.getInt8(16);
  const valueBytes = view.getInt8(17);
  if (keyBytes !== KEY_BYTES) {
    throw new IndexFileError(`Expected key size ${KEY_BYTES}, got ${keyBytes}.`);
  }
  if (valueBytes !== 4 * valueWords) {
    throw new IndexFileError(`Expected value size ${4 * valueWords}, got ${valueBytes}.`);
  }
  if (bucketCount < 1) throw new IndexFileError(`Expected num_buckets >= 1, got ${bucketCount}.`);
  if (size < 0 || size > bucketCount) {
    throw new IndexFileError(`Expected 0 <= num_entries <= num_buckets, got ${size}.`);
  }
  const expectedBytes = INDEX_HEADER_BYTES + bucketCount * (keyBytes + valueBytes);
  if (fileBytes !== expectedBytes) {
    throw new IndexFileError(`Incorrect file length (expected ${expectedBytes}, got ${fileBytes})`);
  }
  return { size, bucketCount };
}

/** Both pieces of a file's content, as encodeIndexFile() gives them. */
export function splitIndexFile(file: Uint8Array): [header: IntegrityPart, buckets: IntegrityPart] {
  return [
    { name: 'HashHeader', bytes: file.subarray(0, INDEX_HEADER_BYTES) },
    { bytes: file.subarray(INDEX_HEADER_BYTES) },
  ];
}

/** The table of a whole file; throws an IndexFileError. */
export function decodeIndexFile(file: Uint8Array, options: IndexFileOptions): HashIndex {
  const { size } = decodeIndexHeader(file, options.valueWords, file.length);
  return decodeBuckets(file.subarray(INDEX_HEADER_BYTES), { ...options, size });
}

/** The table of a file whose header was read apart; aligned buckets are taken over without copying. */
export function decodeBuckets(buckets: Uint8Array, options: IndexFileOptions & { size: number }): HashIndex {
  try {
    return HashIndex.fromBuckets({ ...options, buckets });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new IndexFileError(error.message, { cause: error });
  }
}
