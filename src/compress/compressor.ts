/** Compressed objects: a two-byte type (zlib: its own header), then the data in that format. */
import type { CompressionSpec } from './compression-spec.ts';
import { ownMemory, scratchBuffer } from './limits.ts';
import { lz4Codec, lz4RoomBytes } from './lz4.ts';
import { compressLzma } from './lzma.ts';
import { obfuscate } from './obfuscate.ts';
import { compressZlib } from './zlib.ts';
import { compressZstd } from './zstd.ts';

/** The formats that an object can be in. */
export type CompressionName = 'none' | 'lz4' | 'zlib' | 'lzma' | 'zstd' | 'obfuscate';

export interface Compressor {
  /** The object, header included. It is in memory of its own, and the data stays as it is. */
  compress(data: Uint8Array): Uint8Array;
  /** The same in memory that may be used again at the next compression or decompression in this thread. */
  compressTransient(data: Uint8Array): Uint8Array;
  /** The format that this data should be in; `recreate` compares it with the format it is in. */
  decide(data: Uint8Array): CompressionName;
  /** Of compressors that can leave the object where it is wanted. */
  readonly placing?: PlacingCompressor;
}

/** Whoever encrypts an object finds it in its place, and there is one large buffer less. */
export interface PlacingCompressor {
  /** The room that compressInto() needs for so many bytes: more than most objects take. */
  roomBytes(dataBytes: number): number;
  /** The same object as compress() gives. */
  compressInto(data: Uint8Array, room: Uint8Array): PlacedObject;
}

export interface PlacedObject {
  /** The beginning, at the beginning of the room: all of it, or PLACED_UNIT_BYTES. */
  readonly placed: Uint8Array;
  /** What follows, in the data: who encrypts it need not copy it first. */
  readonly rest: Uint8Array;
}

/** So that a cipher can go on behind it: whole blocks. */
export const PLACED_UNIT_BYTES = 16;

const STORED_HEADER_BYTES = 2;
const NO_BYTES = new Uint8Array(0);
/** Below this ratio of LZ4, `auto` tries the expensive compressor. */
const AUTO_TRY_RATIO = 0.97;
/** Below this ratio to LZ4's size, `auto` keeps the expensive compressor's result. */
const AUTO_KEEP_RATIO = 0.99;

/** Source: Borg 1.4.5 compress.pyx, CompressionSpec.compressor and the classes it uses. */
export function createCompressor(spec: CompressionSpec): Compressor {
  switch (spec.name) {
    case 'none':
      return { ...compressorOf(storeUncompressed, () => 'none'), placing: placingNone };
    case 'lz4':
      return { ...smallerOrNone('lz4', (data) => lz4Codec().compress(data)), placing: placingLz4 };
    case 'lzma':
      return smallerOrNone('lzma', (data) => compressLzma(data, spec.level));
    case 'zstd':
      return smallerOrNone('zstd', (data) => compressZstd(data, spec.level));
    case 'zlib':
      return compressorOf(
        (data) => compressZlib(data, spec.level),
        () => 'zlib',
      );
    case 'auto':
      return autoCompressor(createCompressor(spec.inner), spec.inner);
    case 'obfuscate': {
      const inner = createCompressor(spec.inner);
      return compressorOf(
        (data) => obfuscate(inner.compressTransient(data), spec.level),
        () => 'obfuscate',
      );
    }
  }
}

function compressorOf(
  compressTransient: (data: Uint8Array) => Uint8Array,
  decide: (data: Uint8Array) => CompressionName,
): Compressor {
  return { compressTransient, compress: (data) => ownMemory(compressTransient(data)), decide };
}

function smallerOrNone(
  name: CompressionName,
  compress: (data: Uint8Array) => Uint8Array | undefined,
): Compressor {
  return compressorOf(
    (data) => compress(data) ?? storeUncompressed(data),
    (data) => (compress(data) === undefined ? 'none' : name),
  );
}

const placingNone: PlacingCompressor = {
  roomBytes: (dataBytes) => STORED_HEADER_BYTES + dataBytes,
  compressInto: storeInto,
};

const placingLz4: PlacingCompressor = {
  roomBytes: lz4RoomBytes,
  compressInto(data, room) {
    const object = lz4Codec().compress(data, room);
    if (object === undefined) return storeInto(data, room);
    if (object.buffer !== room.buffer) room.set(object);
    return { placed: room.subarray(0, object.length), rest: NO_BYTES };
  },
};

/** Lets LZ4 tell whether the expensive compressor is worth its time. */
function autoCompressor(expensive: Compressor, spec: CompressionSpec): Compressor {
  return compressorOf(
    (data) => {
      const quick = lz4Codec().compress(data);
      if (!worthTrying(data, quick)) return quick ?? storeUncompressed(data);
      const cheap = ownMemory(quick);
      const better = expensive.compressTransient(data);
      return better.length / cheap.length < AUTO_KEEP_RATIO ? better : cheap;
    },
    (data) => {
      const cheap = lz4Codec().compress(data);
      // Like Borg, name the expensive format even where it would turn out no smaller.
      if (worthTrying(data, cheap)) return spec.name === 'auto' ? expensive.decide(data) : spec.name;
      return cheap === undefined ? 'none' : 'lz4';
    },
  );
}

function worthTrying(data: Uint8Array, cheap: Uint8Array | undefined): cheap is Uint8Array {
  return cheap !== undefined && cheap.length / (data.length + 2) < AUTO_TRY_RATIO;
}

function storeUncompressed(data: Uint8Array): Uint8Array {
  const sizeBytes = STORED_HEADER_BYTES + data.length;
  const object = scratchBuffer(sizeBytes).subarray(0, sizeBytes);
  object.fill(0, 0, STORED_HEADER_BYTES);
  object.set(data, STORED_HEADER_BYTES);
  return object;
}

function storeInto(data: Uint8Array, room: Uint8Array): PlacedObject {
  const sizeBytes = STORED_HEADER_BYTES + data.length;
  if (room.length < sizeBytes) throw new RangeError(`no room for ${data.length} bytes`);
  const placed = room.subarray(0, Math.min(sizeBytes, PLACED_UNIT_BYTES));
  const placedData = placed.length - STORED_HEADER_BYTES;
  placed.fill(0, 0, STORED_HEADER_BYTES);
  placed.set(data.subarray(0, placedData), STORED_HEADER_BYTES);
  return { placed, rest: data.subarray(placedData) };
}
