/** Keys in the form that needs no preparing again for each call. */
import { type Aes256Ctr, createAes256Ctr } from './aes-ctr.ts';
import { createHmacSha256, type HmacSha256 } from './hmac-sha256.ts';
import type { KeyMaterial } from './key-material.ts';

interface PreparedKeys {
  encKey?: Aes256Ctr;
  encHmacKey?: HmacSha256;
  idKey?: HmacSha256;
}

const prepared = new WeakMap<KeyMaterial, PreparedKeys>();

/** The cipher with the key for encryption. */
export function cipherWith(material: KeyMaterial): Aes256Ctr {
  return (preparedKeys(material).encKey ??= createAes256Ctr(material.encKey));
}

/** HMAC-SHA256 with this key. */
export function hmacWith(material: KeyMaterial, name: 'encHmacKey' | 'idKey'): HmacSha256 {
  return (preparedKeys(material)[name] ??= createHmacSha256(material[name]));
}

function preparedKeys(material: KeyMaterial): PreparedKeys {
  let keys = prepared.get(material);
  if (keys === undefined) {
    keys = {};
    prepared.set(material, keys);
  }
  return keys;
}
