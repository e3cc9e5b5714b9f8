import { createCipheriv, type KeyObject } from 'node:crypto';

/** AES block in bytes: the unit in which nonces are counted. */
export const BLOCK_SIZE_BYTES = 16;

/** Smaller ones may be pooled, and are worth no thought. */
const FREED_FROM_BYTES = 65_536;

/** Encrypts or decrypts (the same in counter mode) with a 16-byte big-endian start counter. */
export function aes256Ctr(key: Uint8Array | KeyObject, counter: Uint8Array, data: Uint8Array): Uint8Array {
  const out = createCipheriv('aes-256-ctr', key, counter).update(data);
  return new Uint8Array(out.buffer, out.byteOffset, out.length);
}

/** Bytes at a time: small enough that the pieces' memory is used over and over, and stays in the processor's cache. */
const PIECE_BYTES = 256 * 1024;

/** The same into `out`, which may be `data` itself. */
export function aes256CtrInto(
  key: Uint8Array | KeyObject,
  counter: Uint8Array,
  data: Uint8Array,
  out: Uint8Array,
): void {
  const cipher = createCipheriv('aes-256-ctr', key, counter);
  for (let at = 0; at < data.length; at += PIECE_BYTES) {
    const piece = cipher.update(data.subarray(at, at + PIECE_BYTES));
    out.set(piece, at);
    freeBuffer(piece);
  }
}

/** Frees a large buffer of our own now: the collector sees only the small object, and lets hundreds of MB gather. */
function freeBuffer(bytes: Buffer<ArrayBuffer>): void {
  if (bytes.length >= FREED_FROM_BYTES && bytes.length === bytes.buffer.byteLength) bytes.buffer.transfer(0);
}
