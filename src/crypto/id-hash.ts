import { hash } from 'node:crypto';
import { blake2b256 } from './blake2b.ts';
import type { KeyMaterial } from './key-material.ts';
import { hmacWith } from './secret-keys.ts';

/**
 * The id of a chunk, 32 bytes, from its plaintext. Synchronous; BLAKE2b needs `initCrypto()` first.
 *
 * Source: Borg 1.4.5, crypto/key.py, the id_hash() methods.
 */
export function idHash(material: KeyMaterial, data: Uint8Array): Uint8Array {
  switch (material.idHash) {
    case 'sha256':
      return new Uint8Array(hash('sha256', data, 'buffer'));
    case 'hmac-sha256':
      return hmacWith(material, 'idKey').digest(data);
    case 'blake2b-256':
      return blake2b256(material.idKey, data);
  }
}
