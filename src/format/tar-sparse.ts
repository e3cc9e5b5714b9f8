/**
 * Maps of sparse files in tars: which stretches of the file the tar has; what is between them is zeros.
 *
 * | format  | where the map is                                                                                      |
 * |---------|-------------------------------------------------------------------------------------------------------|
 * | old GNU | in the header at 386: 4 entries of offset and size (numbers of 12 bytes), 482: 1 where blocks follow, 483: size of the file (12). Each further block has 21 entries, and at 504 a 1 where another one follows |
 * | 0.0     | pax records GNU.sparse.offset and GNU.sparse.numbytes, in turns                                         |
 * | 0.1     | pax record GNU.sparse.map: decimal numbers with commas between                                         |
 * | 1.0     | before the contents, padded to blocks: the number of entries, then the numbers, a line each             |
 *
 * Source: GNU tar's manual, "Storing Sparse Files"; Python 3.14, tarfile.py, TarInfo._proc_sparse and _proc_gnusparse_*.
 */
import { toBinaryString } from '../util/bytes.ts';
import type { PaxRecord } from './pax-records.ts';
import { decodeTarNumber, TarFormatError } from './tar-number.ts';

/** Offsets and sizes of the stretches in turns, in bytes: ascending, not touching each other's bytes. */
export type SparseStretches = readonly number[];

const ENTRY_BYTES = 24;
const HEADER_ENTRIES_OFFSET = 386;
const HEADER_ENTRIES = 4;
const BLOCK_ENTRIES = 21;
/** 64 MiB of numbers. */
export const MAX_SPARSE_STRETCHES = 2 ** 22;

/** Of the old GNU format. */
export interface SparseHeader {
  readonly numbers: number[];
  /** Whether another block of entries follows. */
  readonly isExtended: boolean;
  readonly fileSizeBytes: number;
}

export function decodeSparseHeader(block: Uint8Array): SparseHeader {
  return {
    numbers: decodeEntries(block.subarray(HEADER_ENTRIES_OFFSET), HEADER_ENTRIES),
    isExtended: block[482] !== 0,
    fileSizeBytes: asSize(decodeTarNumber(block.subarray(483, 495), 'the size of a sparse file')),
  };
}

export function decodeSparseBlock(block: Uint8Array): { numbers: number[]; isExtended: boolean } {
  return { numbers: decodeEntries(block, BLOCK_ENTRIES), isExtended: block[504] !== 0 };
}

/** Numbers of the formats 0.0 and 0.1. */
export function decodeSparseRecords(records: readonly PaxRecord[]): number[] {
  const numbers: number[] = [];
  const counts = { offset: 0, size: 0 };
  for (const { keyword, value } of records) {
    const text = toBinaryString(value);
    if (keyword === 'GNU.sparse.map') return text === '' ? [] : text.split(',').map(parseSparseNumber);
    if (keyword === 'GNU.sparse.offset') numbers[2 * counts.offset++] = parseSparseNumber(text);
    if (keyword === 'GNU.sparse.numbytes') numbers[2 * counts.size++ + 1] = parseSparseNumber(text);
  }
  return numbers.slice(0, 2 * Math.min(counts.offset, counts.size));
}

/** A decimal number of a map. */
export function parseSparseNumber(text: string): number {
  if (!/^[0-9]{1,19}$/.test(text)) throw new TarFormatError('a number in the map of a sparse file is none');
  return asSize(BigInt(text));
}

/**
 * The stretches that have any bytes, checked to lie one behind the other within the file, and to be there.
 *
 * @throws TarFormatError
 */
export function checkSparseMap(
  numbers: readonly number[],
  sizes: { readonly fileSizeBytes: number; readonly storedBytes: number },
): SparseStretches {
  const stretches: number[] = [];
  let end = 0;
  let storedBytes = 0;
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    const [offset, sizeBytes] = [numbers[at]!, numbers[at + 1]!];
    if (sizeBytes === 0) continue;
    if (offset < end || offset + sizeBytes > sizes.fileSizeBytes) {
      throw new TarFormatError(`the map of a sparse file is wrong at ${offset}`);
    }
    stretches.push(offset, sizeBytes);
    end = offset + sizeBytes;
    storedBytes += sizeBytes;
  }
  if (storedBytes > sizes.storedBytes) {
    throw new TarFormatError(
      `the map of a sparse file has ${storedBytes} bytes, the tar ${sizes.storedBytes}`,
    );
  }
  return stretches;
}

/** @throws TarFormatError where a size is below 0 or beyond what numbers hold */
export function asSize(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new TarFormatError(`a size of ${value} bytes`);
  return Number(value);
}

function decodeEntries(bytes: Uint8Array, count: number): number[] {
  const numbers: number[] = [];
  for (let number = 0; number < count; number++) {
    const entry = bytes.subarray(number * ENTRY_BYTES, (number + 1) * ENTRY_BYTES);
    numbers.push(
      asSize(decodeTarNumber(entry.subarray(0, 12), 'an offset of a sparse file')),
      asSize(decodeTarNumber(entry.subarray(12), 'a size of a sparse file')),
    );
  }
  return numbers;
}
