import { hash } from 'node:crypto';
import { blake2b256 } from './blake2b.ts';
import type { LaneHash, LaneHashParts } from './hash-lanes.ts';
import type { KeyMaterial } from './key-material.ts';
import { hmacWith } from './secret-keys.ts';
import { findSha256Pair, SHA256_FIRST_WORDS } from './sha256-pair.ts';

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

/** The same, to be hashed beside another message. */
export function idLaneHash(material: KeyMaterial): LaneHash {
  if (material.idHash === 'hmac-sha256') return hmacWith(material, 'idKey');
  const digest = (data: Uint8Array): Uint8Array => idHash(material, data);
  return material.idHash === 'sha256' ? { digest, parts: PLAIN_SHA256 } : { digest };
}

const PLAIN_SHA256: LaneHashParts = {
  before: SHA256_FIRST_WORDS,
  beforeBytes: 0,
  finish: (digest) => digest,
};

/** The ids of many chunks: faster than one by one, where the processor hashes two side by side. */
export function idHashes(material: KeyMaterial, datas: readonly Uint8Array[]): Uint8Array[] {
  if (datas.length > 1) {
    if (material.idHash === 'hmac-sha256') return hmacWith(material, 'idKey').digests(datas);
    const pair = material.idHash === 'sha256' ? findSha256Pair() : undefined;
    if (pair !== undefined) return pair.digests(datas);
  }
  return datas.map((data) => idHash(material, data));
}
