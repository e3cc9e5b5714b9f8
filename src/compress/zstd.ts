/**
 * One Zstandard frame that says how large its content is.
 *
 * | offset | size | field | encoding |
 * |---|---|---|---|
 * | 0 | 2 | type | 03 00 |
 * | 2 | rest | frame | RFC 8878, content size present |
 *
 * Source: Borg 1.4.5 compress.pyx, ZSTD.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { DecompressionError } from '../errors.ts';
import { plainBytes } from './plain-bytes.ts';

const HEADER_SIZE = 2;
const FRAME_MAGIC = 0xfd2fb528;
/** Windows up to 8 MiB are read whatever the limit: every reader must support them (RFC 8878, 3.1.1.1.2). */
const MIN_WINDOW_LOG = 23;

/** The object, header included, or undefined where it would not be smaller than the data. */
export function compressZstd(data: Uint8Array, level: number): Uint8Array | undefined {
  if (data.length === 0) return undefined;
  const frame = zstdCompressSync(data, {
    chunkSize: Math.max(64, data.length),
    pledgedSrcSize: data.length,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
  if (frame.length >= data.length) return undefined;
  const object = new Uint8Array(HEADER_SIZE + frame.length);
  object[0] = 3;
  object.set(frame, HEADER_SIZE);
  return object;
}

/** Throws DecompressionError. */
export function decompressZstd(object: Uint8Array, maxSizeBytes: number): Uint8Array {
  const frame = object.subarray(HEADER_SIZE);
  const contentSize = zstdContentSize(frame);
  if (contentSize === undefined) {
    throw new DecompressionError(['zstd get size failed: data was not compressed by zstd']);
  }
  if (contentSize === 'unknown')
    throw new DecompressionError(['zstd get size failed: original size unknown']);
  if (contentSize > maxSizeBytes) {
    throw new DecompressionError([`zstd content size ${contentSize} is above the limit of ${maxSizeBytes}`]);
  }
  let data: Uint8Array;
  try {
    data = zstdDecompressSync(frame, {
      chunkSize: Math.max(64, Number(contentSize)),
      maxOutputLength: Math.max(1, Number(contentSize)),
      params: {
        [constants.ZSTD_d_windowLogMax]: Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(maxSizeBytes))),
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DecompressionError([`zstd decompress failed: ${reason}`], error);
  }
  if (data.length !== Number(contentSize)) {
    throw new DecompressionError(['zstd decompress failed: size mismatch']);
  }
  return plainBytes(data);
}

/** Content size that the frame's header declares; undefined where it is no frame. Source: RFC 8878, 3.1.1.1. */
function zstdContentSize(frame: Uint8Array): bigint | 'unknown' | undefined {
  if (frame.length < 6) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== FRAME_MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryIdSize = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const offset = 5 + (singleSegment ? 0 : 1) + dictionaryIdSize;
  const sizeFlag = descriptor >> 6;
  if (sizeFlag === 0 && !singleSegment) return 'unknown';
  if (frame.length < offset + 2 ** sizeFlag) return undefined;
  switch (sizeFlag) {
    case 0:
      return BigInt(view.getUint8(offset));
    case 1:
      return BigInt(view.getUint16(offset, true) + 256);
    case 2:
      return BigInt(view.getUint32(offset, true));
    default:
      return view.getBigUint64(offset, true);
  }
}
