/**
 * A checksum of 128 bits that anyone can compute: AES-128-GMAC (NIST SP 800-38D) with a key and a nonce that everybody
 * knows. No fault of memory, disk or line goes past it; it proves nothing about who made it. See
 * docs/decisions/transfer-checksums.md for why it is this one. With OpenSSL:
 *
 *     openssl mac -cipher AES-128-GCM -macopt hexkey:616c636f766520636865636b73756d31 \
 *       -macopt hexiv:000000000000000000000000 -in FILE GMAC
 */
import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { fromUtf8 } from './bytes.ts';

export const STRONG_CHECKSUM_BYTES = 16;

const NONCE = new Uint8Array(12);
let publicKey: KeyObject | undefined;

export function strongChecksum(bytes: Uint8Array): Uint8Array {
  publicKey ??= createSecretKey(fromUtf8('alcove checksum1'));
  const gmac = createCipheriv('aes-128-gcm', publicKey, NONCE);
  gmac.setAAD(bytes);
  gmac.final();
  return gmac.getAuthTag();
}
