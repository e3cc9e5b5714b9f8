import { createCipheriv, type KeyObject } from 'node:crypto';

/** AES block in bytes: the unit in which nonces are counted. */
export const BLOCK_SIZE_BYTES = 16;

/** Encrypts or decrypts (the same in counter mode) with a 16-byte big-endian start counter. */
export function aes256Ctr(key: Uint8Array | KeyObject, counter: Uint8Array, data: Uint8Array): Uint8Array {
  const out = createCipheriv('aes-256-ctr', key, counter).update(data);
  return new Uint8Array(out.buffer, out.byteOffset, out.length);
}
