/**
 * The repository's `nonce` file: the first nonce that no reservation covers, as 16 hex digits, big-endian.
 * Source: Borg 1.4.5 repository.py, get_free_nonce and commit_nonce_reservation.
 */
import { GeneralError } from '../errors.ts';

const LIMIT = 2n ** 64n;

/** Throws a RangeError outside 0 to 2^64-1. */
export function encodeNonce(nonce: bigint): string {
  if (nonce < 0n || nonce >= LIMIT) throw new RangeError(`nonce out of range: ${nonce}`);
  return nonce.toString(16).padStart(16, '0');
}

/** Accepts whitespace around the digits; anything else throws, since a guessed nonce could be a used one. */
export function decodeNonce(text: string): bigint {
  const digits = text.trim();
  if (!/^[0-9a-fA-F]{16}$/.test(digits)) {
    throw new GeneralError([
      `Repository has an invalid nonce file: expected 16 hex digits, got ${JSON.stringify(text.slice(0, 40))}`,
    ]);
  }
  return BigInt(`0x${digits}`);
}
