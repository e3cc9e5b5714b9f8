/**
 * A zlib stream, which has no type of its own: its first two bytes tell it from every other format.
 * Source: Borg 1.4.5 compress.pyx, ZLIB; RFC 1950.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { DecompressionError } from '../errors.ts';
import { plainBytes } from './plain-bytes.ts';

/** The stream, whether smaller than the data or not. */
export function compressZlib(data: Uint8Array, level: number): Uint8Array {
  const stream = deflateSync(data, { level, chunkSize: Math.max(64, data.length) });
  return new Uint8Array(stream);
}

/** Throws DecompressionError. */
export function decompressZlib(stream: Uint8Array, maxSizeBytes: number): Uint8Array {
  try {
    const chunkSize = Math.max(1024, Math.min(maxSizeBytes, 4 * stream.length));
    return plainBytes(inflateSync(stream, { chunkSize, maxOutputLength: Math.max(1, maxSizeBytes) }));
  } catch (error) {
    throw new DecompressionError([error instanceof Error ? error.message : String(error)], error);
  }
}
