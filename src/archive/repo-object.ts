/**
 * A repository object and its plaintext: compressed, then sealed by the key, stored under the keyed hash of the
 * plaintext.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyBase.encrypt and KeyBase.decrypt.
 */
import type { Compressor } from '../compress/compressor.ts';
import { decompress } from '../compress/decompress.ts';
import type { Key } from '../keys/key.ts';

/** Bytes ready to be put, and the id to put them under. */
export interface SealedObject {
  readonly id: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Hashes, compresses and seals `plaintext`; takes nonces from the key. */
export async function sealObject(
  key: Key,
  compressor: Compressor,
  plaintext: Uint8Array,
): Promise<SealedObject> {
  return { id: key.idHash(plaintext), sealed: await key.seal(compressor.compress(plaintext)) };
}

/**
 * The plaintext of an object; its id is checked unless `id` is undefined (the manifest's is not a hash).
 *
 * @throws IntegrityError where the MAC or the id does not match; DecompressionError
 */
export function openObject(key: Key, id: Uint8Array | undefined, sealed: Uint8Array): Uint8Array {
  const plaintext = decompress(key.open(id, sealed));
  if (id !== undefined) key.assertId(id, plaintext);
  return plaintext;
}
