/** Key derivation: from passphrases (PBKDF2) and from other keys (HKDF), and the MACs that go with them. */
import { createHmac, hkdfSync, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

const pbkdf2Async = promisify(pbkdf2);

/** HKDF-HMAC-SHA512 (RFC 5869); at most 255 * 64 bytes. An absent salt is 64 zero bytes. */
export function hkdfSha512(
  ikm: Uint8Array,
  salt: Uint8Array | undefined,
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  return new Uint8Array(hkdfSync('sha512', ikm, salt ?? new Uint8Array(64), info, lengthBytes));
}

/** PBKDF2-HMAC-SHA256 (RFC 8018), off the main thread. Throws a RangeError unless 1 <= iterations < 2^31. */
export async function pbkdf2Sha256(
  passphrase: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  lengthBytes: number,
): Promise<Uint8Array> {
  return new Uint8Array(await pbkdf2Async(passphrase, salt, iterations, lengthBytes, 'sha256'));
}

/** HMAC-SHA256, 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest());
}

/** HMAC-SHA512, 64 bytes. */
export function hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha512', key).update(data).digest());
}
