/**
 * CRC-32, that of zlib. Node's own is built without the processor's instructions for it; the system's libdeflate, where
 * there is one, is two to three times as fast.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { crc32 as nodeCrc32 } from 'node:zlib';

type Crc32 = (data: Uint8Array, before?: number) => number;

/** With less, a call of the library is not worth it. */
const MIN_CALL_BYTES = 1024;
/** Whoever checks less than this does not wait for the library to be loaded. */
const MIN_TOTAL_BYTES = 2 ** 20;

let totalBytes = 0;
let fastest: Crc32 | undefined;

/** Of the data; or, after the CRC of what is before it, of both together. */
export function crc32(data: Uint8Array, before = 0): number {
  if (data.length < MIN_CALL_BYTES) return nodeCrc32(data, before);
  if (fastest !== undefined) return fastest(data, before);
  totalBytes += data.length;
  if (totalBytes > MIN_TOTAL_BYTES) fastest = libraryCrc32() ?? nodeCrc32;
  return nodeCrc32(data, before);
}

/** By libdeflate; undefined where there is none, or it gives another result than Node. */
export function libraryCrc32(): Crc32 | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const call = loadDeflate(koffi)?.func('uint32_t libdeflate_crc32(uint32_t before, const void *, size_t)');
    if (call === undefined) return undefined;
    // It takes the address of no data for a question of how to begin, which is 0.
    const sum: Crc32 = (data, before = 0) =>
      data.length === 0 ? before : (call(before, data, data.length) as number);
    return givesTheSame(sum) ? sum : undefined;
  } catch {
    return undefined;
  }
}

function loadDeflate(koffi: typeof Koffi): Koffi.LibraryHandle | undefined {
  for (const name of ['libdeflate.so.0', 'libdeflate.0.dylib', 'libdeflate.dylib']) {
    try {
      return koffi.load(name);
    } catch {
      // The next name may do.
    }
  }
  return undefined;
}

/** Lengths and offsets of all kinds: each part of the data goes another way through the library. */
function givesTheSame(sum: Crc32): boolean {
  const sample = Uint8Array.from({ length: 5000 }, (_, at) => (at * 167) ^ (at >>> 5));
  for (const [start, end] of [
    [0, 0],
    [0, 1],
    [3, 70],
    [1, 1500],
    [0, 4096],
    [7, 5000],
  ]) {
    const data = sample.subarray(start, end);
    if (sum(data) !== nodeCrc32(data) || sum(data, 0x89abcdef) !== nodeCrc32(data, 0x89abcdef)) return false;
  }
  return true;
}
