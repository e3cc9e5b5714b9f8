/**
 * Raw LZ4 blocks, which carry no size. The system's liblz4 is two to three times as fast as lz4-napi and is used
 * where it can be loaded.
 *
 * | offset | size | field | encoding |
 * |---|---|---|---|
 * | 0 | 2 | type | 01 00 |
 * | 2 | rest | block | LZ4 block format |
 *
 * Source: Borg 1.4.5 compress.pyx, LZ4.
 */
import { createRequire } from 'node:module';
import type * as Lz4Napi from 'lz4-napi';
import { DecompressionError } from '../errors.ts';
import { loadLibrary } from './load-library.ts';
import { MAX_DATA_SIZE, scratchBuffer } from './limits.ts';
import { plainBytes } from './plain-bytes.ts';

const HEADER_SIZE = 2;

/** Compresses and decompresses whole objects, header included. */
export interface Lz4Codec {
  /**
   * The object, or undefined where it would not be smaller than the data; in `room`, which has lz4RoomBytes(), or may be
   * in the scratch buffer.
   */
  compress(data: Uint8Array, room?: Uint8Array): Uint8Array | undefined;
  /** The data; may be in `room`, or, without it, in the scratch buffer. Throws DecompressionError. */
  decompress(object: Uint8Array, maxSizeBytes: number, room?: Uint8Array): Uint8Array;
}

/** What the object of so many bytes takes at most, while it is made. */
export function lz4RoomBytes(dataBytes: number): number {
  return HEADER_SIZE + boundBytesOf(dataBytes);
}

/** LZ4_compressBound. */
function boundBytesOf(dataBytes: number): number {
  return dataBytes + Math.floor(dataBytes / 255) + 16;
}

let codec: Lz4Codec | undefined;

/** The fastest codec that works on this machine. */
export function lz4Codec(): Lz4Codec {
  codec ??= systemLz4Codec() ?? packagedLz4Codec();
  return codec;
}

/** The codec over the system's liblz4, or undefined where there is none. */
export function systemLz4Codec(): Lz4Codec | undefined {
  const library = loadLibrary(['liblz4.so.1', 'liblz4.1.dylib', 'liblz4.dylib']);
  if (library === undefined) return undefined;
  const compressBlock = library.func('int LZ4_compress_default(const void *, void *, int, int)');
  const decompressBlock = library.func('int LZ4_decompress_safe(const void *, void *, int, int)');
  return {
    compress(data, room) {
      if (data.length === 0) return undefined;
      const boundBytes = boundBytesOf(data.length);
      const out = room ?? scratchBuffer(HEADER_SIZE + boundBytes);
      if (out.length < HEADER_SIZE + boundBytes) throw new RangeError(`no room for ${data.length} bytes`);
      const sizeBytes = Number(compressBlock(data, out.subarray(HEADER_SIZE), data.length, boundBytes));
      if (sizeBytes <= 0) throw new Error(`liblz4 refused to compress ${data.length} bytes`);
      if (sizeBytes >= data.length) return undefined;
      out[0] = 1;
      out[1] = 0;
      return out.subarray(0, HEADER_SIZE + sizeBytes);
    },
    decompress(object, maxSizeBytes, room) {
      const block = object.subarray(HEADER_SIZE);
      const decode = (out: Uint8Array): Uint8Array | undefined => {
        const sizeBytes = Number(decompressBlock(block, out, block.length, out.length));
        return sizeBytes < 0 ? undefined : out.subarray(0, sizeBytes);
      };
      if (block.length === 0) throw new DecompressionError(['lz4 decompress failed']);
      // The library does not tell a damaged block from a small buffer, so only the second try looks at the size.
      const data =
        decode((room ?? scratchBuffer(MAX_DATA_SIZE)).subarray(0, maxSizeBytes)) ??
        decode(new Uint8Array(checkedBlockSize(block, maxSizeBytes)));
      if (data === undefined) throw new DecompressionError(['lz4 decompress failed']);
      return data;
    },
  };
}

/** The codec of lz4-napi, which works everywhere; it puts the plain size (uint32, little endian) before the block. */
export function packagedLz4Codec(): Lz4Codec {
  const lz4 = createRequire(import.meta.url)('lz4-napi') as typeof Lz4Napi;
  return {
    compress(data) {
      if (data.length === 0) return undefined;
      const sized = lz4.compressSync(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      if (sized.length - 4 >= data.length) return undefined;
      sized[2] = 1;
      sized[3] = 0;
      return plainBytes(sized.subarray(2));
    },
    decompress(object, maxSizeBytes) {
      const block = object.subarray(HEADER_SIZE);
      const sizeBytes = checkedBlockSize(block, maxSizeBytes);
      const sized = Buffer.allocUnsafe(4 + block.length);
      sized.writeUInt32LE(sizeBytes, 0);
      sized.set(block, 4);
      try {
        return plainBytes(lz4.uncompressSync(sized));
      } catch (error) {
        throw new DecompressionError(['lz4 decompress failed'], error);
      }
    },
  };
}

function checkedBlockSize(block: Uint8Array, maxSizeBytes: number): number {
  const sizeBytes = lz4BlockSize(block);
  if (sizeBytes === undefined || sizeBytes > maxSizeBytes) {
    throw new DecompressionError(['lz4 decompress failed']);
  }
  return sizeBytes;
}

/** Size of what the block decompresses to, found by walking its sequences; undefined where it is malformed. */
export function lz4BlockSize(block: Uint8Array): number | undefined {
  const end = block.length;
  let position = 0;
  let sizeBytes = 0;
  while (position < end) {
    const token = block[position++] ?? 0;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (position >= end) return undefined;
        more = block[position++] ?? 0;
        literals += more;
      } while (more === 255);
    }
    position += literals;
    sizeBytes += literals;
    if (position === end) return sizeBytes;
    position += 2;
    let match = (token & 15) + 4;
    if (match === 19) {
      let more: number;
      do {
        if (position >= end) return undefined;
        more = block[position++] ?? 0;
        match += more;
      } while (more === 255);
    }
    sizeBytes += match;
  }
  return undefined;
}
