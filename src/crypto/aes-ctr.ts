import { createCipheriv, createSecretKey } from 'node:crypto';
import { findOpenSsl } from './openssl.ts';

/** AES block in bytes: the unit in which nonces are counted. */
export const BLOCK_SIZE_BYTES = 16;

/** Smaller ones may be pooled, and are worth no thought. */
const FREED_FROM_BYTES = 65_536;
/** Bytes at a time: small enough that the pieces' memory is used over and over, and stays in the processor's cache. */
const PIECE_BYTES = 256 * 1024;

/** AES-256 in counter mode, where encrypting and decrypting are the same, with one key. */
export interface Aes256Ctr {
  /** From a 16-byte big-endian start counter; `out` has the length of `data`, and may be `data` itself. */
  applyInto(counter: Uint8Array, data: Uint8Array, out: Uint8Array): void;
}

/** By the fastest way there is here. Keys, and counters, of another length make `applyInto` throw. */
export function createAes256Ctr(key: Uint8Array): Aes256Ctr {
  const openSsl = findOpenSsl();
  if (openSsl === undefined) return nodeAes256Ctr(key);
  return { applyInto: (counter, data, out) => openSsl.aes256Ctr(key, counter, data, out) };
}

/** By node:crypto. */
export function nodeAes256Ctr(key: Uint8Array): Aes256Ctr {
  // A key in this form needs no preparing again for each call.
  const prepared = createSecretKey(key);
  return {
    applyInto(counter, data, out) {
      const cipher = createCipheriv('aes-256-ctr', prepared, counter);
      for (let at = 0; at < data.length; at += PIECE_BYTES) {
        const piece = cipher.update(data.subarray(at, at + PIECE_BYTES));
        out.set(piece, at);
        freeBuffer(piece);
      }
    },
  };
}

/** Once, with any key: the result is in memory of its own. */
export function aes256Ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array {
  const out = createCipheriv('aes-256-ctr', key, counter).update(data);
  return new Uint8Array(out.buffer, out.byteOffset, out.length);
}

/** Frees a large buffer of our own now: the collector sees only the small object, and lets hundreds of MB gather. */
function freeBuffer(bytes: Buffer<ArrayBuffer>): void {
  if (bytes.length >= FREED_FROM_BYTES && bytes.length === bytes.buffer.byteLength) bytes.buffer.transfer(0);
}
