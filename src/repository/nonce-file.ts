/**
 * The nonce space that clients have reserved. A server can't be trusted with it, but it keeps two clients of one key
 * apart as long as it is honest.
 *
 * Source: Borg 1.4.5 repository.py, get_free_nonce and commit_nonce_reservation.
 */
import { GeneralError } from '../errors.ts';
import { decodeNonce, encodeNonce } from '../format/nonce.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { readWholeFile, saveWholeFile } from '../store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../util/bytes.ts';

const NONCE = 'nonce';
const MAX_SIZE_BYTES = 4096;

/** The first nonce that nobody reserved; undefined where none was ever recorded. */
export function readFreeNonce(store: Store): bigint | undefined {
  try {
    return decodeNonce(toUtf8Lossy(readWholeFile(store, NONCE, MAX_SIZE_BYTES)));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Reserves up to `nextUnreserved`; throws where the reservation that it builds on, `startNonce`, is not the last. A file
 * that is damaged is replaced only by who does not build on it.
 */
export function reserveNonces(store: Store, nextUnreserved: bigint, startNonce: bigint | undefined): void {
  if (lastReservation(store, startNonce) !== startNonce) {
    throw new Error('nonce space reservation with mismatched previous state');
  }
  saveWholeFile(store, NONCE, fromUtf8(encodeNonce(nextUnreserved)));
}

function lastReservation(store: Store, expected: bigint | undefined): bigint | undefined {
  try {
    return readFreeNonce(store);
  } catch (error) {
    if (expected === undefined && error instanceof GeneralError) return undefined;
    throw error;
  }
}
