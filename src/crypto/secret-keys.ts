/** Keys in the form that needs no preparing again for each call (5 times faster on small data). */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { HmacSha256 } from './hmac-sha256.ts';
import type { KeyMaterial } from './key-material.ts';

interface PreparedKeys {
  encKey?: KeyObject;
  encHmacKey?: HmacSha256;
  idKey?: HmacSha256;
}

const prepared = new WeakMap<KeyMaterial, PreparedKeys>();

/** The key of the cipher. */
export function secretKey(material: KeyMaterial): KeyObject {
  return (preparedKeys(material).encKey ??= createSecretKey(material.encKey));
}

/** HMAC-SHA256 with this key. */
export function hmacWith(material: KeyMaterial, name: 'encHmacKey' | 'idKey'): HmacSha256 {
  return (preparedKeys(material)[name] ??= new HmacSha256(material[name]));
}

function preparedKeys(material: KeyMaterial): PreparedKeys {
  let keys = prepared.get(material);
  if (keys === undefined) {
    keys = {};
    prepared.set(material, keys);
  }
  return keys;
}
