/**
 * Hides the size of a compressed object behind zero bytes.
 *
 * | offset | size | field | encoding |
 * |---|---|---|---|
 * | 0 | 2 | type | 04 00 |
 * | 2 | 4 | size | uint32, big endian: size of the object below |
 * | 6 | size | object | another compressed object with its own type |
 * | 6+size | rest | padding | zero bytes |
 *
 * Source: Borg 1.4.5 compress.pyx, ObfuscateSize.
 */
import { randomFillSync } from 'node:crypto';
import { DecompressionError } from '../errors.ts';
import { MAX_DATA_SIZE } from './limits.ts';

const HEADER_SIZE = 6;
const PADME = 250;

/** Wraps an object; `level` is SPEC: 1–6 relative, 110–123 up to 1 KiB–8 MiB, 250 Padmé. */
export function obfuscate(
  object: Uint8Array,
  level: number,
  random: () => number = randomFraction,
): Uint8Array {
  const padding = Math.max(
    0,
    Math.min(paddingSize(object.length, level, random), MAX_DATA_SIZE - 1024 - object.length),
  );
  const wrapped = new Uint8Array(HEADER_SIZE + object.length + padding);
  wrapped[0] = 4;
  new DataView(wrapped.buffer).setUint32(2, object.length);
  wrapped.set(object, HEADER_SIZE);
  return wrapped;
}

/** The object within. Throws DecompressionError where the wrapper is damaged. */
export function deobfuscate(wrapped: Uint8Array): Uint8Array {
  if (wrapped.length < HEADER_SIZE) throw new DecompressionError(['obfuscated data is too short']);
  const size = new DataView(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength).getUint32(2);
  if (size > wrapped.length - HEADER_SIZE) {
    throw new DecompressionError(['obfuscated data is shorter than its size says']);
  }
  return wrapped.subarray(HEADER_SIZE, HEADER_SIZE + size);
}

/** How many bytes SPEC adds to an object of this size. */
export function paddingSize(objectSize: number, level: number, random: () => number): number {
  if (level === PADME) return padmePadding(objectSize);
  if (level >= 110) return Math.floor(2 ** (level - 100) * random());
  return Math.floor((objectSize * 0.001 * 10 ** level) / Math.max(0.0001, random()));
}

/** Rounds up to a size of which only the topmost bits are set, so that it gives away O(log log size) bits. */
function padmePadding(objectSize: number): number {
  if (objectSize < 2) return 0;
  const exponent = Math.floor(Math.log2(objectSize));
  const keptBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - keptBits);
  return Math.ceil(objectSize / step) * step - objectSize;
}

/** From 0 up to but not including 1, unpredictable: a guessable padding would hide nothing. */
function randomFraction(): number {
  const words = randomFillSync(new Uint32Array(1));
  return (words[0] ?? 0) / 2 ** 32;
}
