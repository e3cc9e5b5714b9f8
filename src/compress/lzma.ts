/**
 * An xz container without integrity check, by the system's liblzma.
 *
 * | offset | size | field | encoding |
 * |---|---|---|---|
 * | 0 | 2 | type | 02 00 |
 * | 2 | rest | container | .xz file format, CHECK_NONE |
 *
 * Source: Borg 1.4.5 compress.pyx, LZMA (Python's lzma module with check=CHECK_NONE).
 */
import { DecompressionError, GeneralError } from '../errors.ts';
import { loadLibrary } from './load-library.ts';
import { MAX_DATA_SIZE, scratchBuffer } from './limits.ts';

const HEADER_SIZE = 2;
const LZMA_CHECK_NONE = 0;
const LZMA_OK = 0;
const LZMA_BUF_ERROR = 10;
/** A preset-9 decoder takes 65 MiB; anything far beyond is a damaged or hostile header. */
const DECODER_MEMORY_BYTES = 2 ** 28;
/** LZMA_CONCATENATED: Python's lzma.decompress() reads several containers in a row too. */
const DECODER_FLAGS = 8;
const RESULT_TEXT = new Map([
  [6, 'Memory usage limit exceeded'],
  [7, 'Input format not supported by decoder'],
  [8, 'Invalid or unsupported options'],
  [9, 'Corrupt input data'],
  [LZMA_BUF_ERROR, 'Decompressed size is above the limit'],
]);

interface Liblzma {
  encode(preset: number, check: number, allocator: null, ...io: readonly unknown[]): number;
  decode(memoryLimit: BigUint64Array, flags: number, allocator: null, ...io: readonly unknown[]): number;
}

let liblzma: Liblzma | undefined;

/** The object in the scratch buffer, or undefined where it would not be smaller than the data. */
export function compressLzma(data: Uint8Array, preset: number): Uint8Array | undefined {
  // Room for one byte less than the data: a result that does not fit is not wanted.
  if (data.length < 2) return undefined;
  const out = scratchBuffer(HEADER_SIZE + data.length - 1);
  const written = new BigUint64Array(1);
  const limit = BigInt(data.length - 1);
  const io = [data, BigInt(data.length), out.subarray(HEADER_SIZE), written, limit];
  const result = library().encode(preset, LZMA_CHECK_NONE, null, ...io);
  if (result === LZMA_BUF_ERROR) return undefined;
  if (result !== LZMA_OK) throw new GeneralError([`lzma compression failed (liblzma result ${result})`]);
  out[0] = 2;
  out[1] = 0;
  return out.subarray(0, HEADER_SIZE + Number(written[0]));
}

/** The data; may be in `room`, or, without it, in the scratch buffer. Throws DecompressionError. */
export function decompressLzma(object: Uint8Array, maxSizeBytes: number, room?: Uint8Array): Uint8Array {
  const container = object.subarray(HEADER_SIZE);
  const decode = (out: Uint8Array): Uint8Array | number => {
    const [read, written] = [new BigUint64Array(1), new BigUint64Array(1)];
    const memoryLimit = BigUint64Array.of(BigInt(DECODER_MEMORY_BYTES));
    const io = [container, read, BigInt(container.length), out, written, BigInt(out.length)];
    const result = library().decode(memoryLimit, DECODER_FLAGS, null, ...io);
    return result === LZMA_OK ? out.subarray(0, Number(written[0])) : result;
  };
  const usual = (room ?? scratchBuffer(MAX_DATA_SIZE)).subarray(0, maxSizeBytes);
  let data = decode(usual);
  if (data === LZMA_BUF_ERROR && maxSizeBytes > usual.length) data = decode(new Uint8Array(maxSizeBytes));
  if (typeof data === 'number') throw new DecompressionError([RESULT_TEXT.get(data) ?? `liblzma ${data}`]);
  return data;
}

function library(): Liblzma {
  if (liblzma !== undefined) return liblzma;
  const loaded = loadLibrary(['liblzma.so.5', 'liblzma.5.dylib', 'liblzma.dylib']);
  if (loaded === undefined) {
    throw new GeneralError([
      'lzma needs the library liblzma.so.5: install it (package liblzma5 or xz-libs).',
    ]);
  }
  liblzma = {
    encode: loaded.func(
      'int lzma_easy_buffer_encode(uint32_t, int, void *, const void *, size_t, void *, void *, size_t)',
    ) as Liblzma['encode'],
    decode: loaded.func(
      'int lzma_stream_buffer_decode(void *, uint32_t, void *, const void *, void *, size_t, void *, void *, size_t)',
    ) as Liblzma['decode'],
  };
  return liblzma;
}
