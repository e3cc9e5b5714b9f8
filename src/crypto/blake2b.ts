/**
 * BLAKE2b with 32 bytes of output, prefixed by a key. Borg does not use BLAKE2b's own keyed mode: the key is the
 * first data that the hash takes. With a key of 128 bytes (one block) that amounts to the same construction.
 *
 * Source: Borg 1.4.5, crypto/low_level.pyx, blake2b_256() and AES256_CTR_BLAKE2b.mac_compute().
 */
import { createRequire } from 'node:module';
import type { createBLAKE2b, IHasher } from 'hash-wasm';

/** Of the package's files the one with this hash alone: all of them take 5 ms to load. */
const MODULE = 'hash-wasm/dist/blake2b.umd.min.js';

let hasher: IHasher | undefined;

/** Loads the WebAssembly hash; once a thread. */
export async function initBlake2b(): Promise<void> {
  if (hasher !== undefined) return;
  const create = createRequire(import.meta.url)(MODULE) as { createBLAKE2b: typeof createBLAKE2b };
  hasher = await create.createBLAKE2b(256);
}

/** BLAKE2b-256(key || data), 32 bytes. */
export function blake2b256(key: Uint8Array, data: Uint8Array): Uint8Array {
  if (hasher === undefined) throw new Error('blake2b256() was called before initCrypto()');
  hasher.init();
  hasher.update(key);
  hasher.update(data);
  return hasher.digest('binary');
}
