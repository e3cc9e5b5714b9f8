import { DecompressionError } from '../errors.ts';
import type { CompressionName } from './compressor.ts';
import { MAX_DECOMPRESSED_SIZE, ownMemory } from './limits.ts';
import { lz4Codec } from './lz4.ts';
import { decompressLzma } from './lzma.ts';
import { deobfuscate } from './obfuscate.ts';
import { decompressZlib } from './zlib.ts';
import { decompressZstd } from './zstd.ts';

/** Wrappers within wrappers that are followed; Borg's command line makes two at most. */
const MAX_WRAPPERS = 8;

/**
 * The data within a compressed object of any format; it may share the object's memory. It never takes memory for
 * more than `maxSizeBytes` of result.
 *
 * Throws DecompressionError where the object is damaged, of unknown format or too large.
 * Source: Borg 1.4.5 compress.pyx, Compressor.decompress.
 */
export function decompress(object: Uint8Array, maxSizeBytes: number = MAX_DECOMPRESSED_SIZE): Uint8Array {
  return ownMemory(decompressAny(object, maxSizeBytes));
}

/** The same, in the beginning of `room` where it has enough of it. */
export function decompressInto(
  object: Uint8Array,
  room: Uint8Array,
  maxSizeBytes: number = MAX_DECOMPRESSED_SIZE,
): Uint8Array {
  return decompressAny(object, maxSizeBytes, room);
}

/** Without `room`, it may be in the scratch buffer. */
function decompressAny(object: Uint8Array, maxSizeBytes: number, room?: Uint8Array): Uint8Array {
  let inner = object;
  for (let wrappers = 0; wrappers <= MAX_WRAPPERS; wrappers++) {
    const name = detectCompression(inner);
    if (name !== 'obfuscate') return decompressAs(name, inner, maxSizeBytes, room);
    inner = deobfuscate(inner);
  }
  throw new DecompressionError(['obfuscated data is nested too deeply']);
}

/** Whether the object is not compressed, so that its data is a part of it. */
export function isStored(object: Uint8Array): boolean {
  return object[0] === TYPES.indexOf('none') && object[1] === 0;
}

/** The format of a compressed object, by its first two bytes. Throws DecompressionError where it is none. */
export function detectCompression(object: Uint8Array): CompressionName {
  const [first, second] = object;
  if (first !== undefined && second !== undefined) {
    if (second === 0 && first <= 4) return TYPES[first] ?? 'none';
    if ((first & 0x0f) === 8 && (first * 256 + second) % 31 === 0) return 'zlib';
  }
  const header = [...object.subarray(0, 2)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new DecompressionError([`No decompressor for this data found: type ${header || 'missing'}.`]);
}

const TYPES: readonly CompressionName[] = ['none', 'lz4', 'lzma', 'zstd', 'obfuscate'];

function decompressAs(
  name: Exclude<CompressionName, 'obfuscate'>,
  object: Uint8Array,
  maxSizeBytes: number,
  room: Uint8Array | undefined,
): Uint8Array {
  switch (name) {
    case 'none':
      if (object.length - 2 > maxSizeBytes) {
        throw new DecompressionError([`size ${object.length - 2} is above the limit of ${maxSizeBytes}`]);
      }
      return object.subarray(2);
    case 'lz4':
      return lz4Codec().decompress(object, maxSizeBytes, room);
    case 'lzma':
      return decompressLzma(object, maxSizeBytes, room);
    case 'zstd':
      return decompressZstd(object, maxSizeBytes);
    case 'zlib':
      return decompressZlib(object, maxSizeBytes);
  }
}
