/**
 * The secrets of a key under a passphrase.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyfileKeyBase.decrypt_key_file() and encrypt_key_file().
 */
import { aes256Ctr, BLOCK_SIZE_BYTES } from '../crypto/aes-ctr.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { hmacSha256, pbkdf2Sha256 } from '../crypto/kdf.ts';
import { randomBytes } from '../crypto/random.ts';
import {
  decodeEncryptedKey,
  decodeKeyRecord,
  decodeKeyText,
  encodeEncryptedKey,
  encodeKeyRecord,
  encodeKeyText,
  type KeyRecord,
} from '../format/key-blob.ts';
import { fromUtf8 } from '../util/bytes.ts';

const ITERATIONS = 100_000;
const KEY_SIZE_BYTES = 32;
const SALT_SIZE_BYTES = 32;
/** Every key has its own salt, so that the counter may always start at 0. */
const COUNTER = new Uint8Array(BLOCK_SIZE_BYTES);

/** The secrets in the text of a key blob; undefined with a wrong passphrase. Throws a KeyBlobError. */
export async function unprotectKey(keyText: string, passphrase: string): Promise<KeyRecord | undefined> {
  const { salt, iterations, hash, data } = decodeEncryptedKey(decodeKeyText(keyText));
  const key = await pbkdf2Sha256(fromUtf8(passphrase), salt, iterations, KEY_SIZE_BYTES);
  const record = aes256Ctr(key, COUNTER, data);
  return constantTimeEqual(hmacSha256(key, record), hash) ? decodeKeyRecord(record) : undefined;
}

/** The text of a key blob. */
export async function protectKey(secrets: KeyRecord, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_SIZE_BYTES);
  const key = await pbkdf2Sha256(fromUtf8(passphrase), salt, ITERATIONS, KEY_SIZE_BYTES);
  const record = encodeKeyRecord(secrets);
  const hash = hmacSha256(key, record);
  const data = aes256Ctr(key, COUNTER, record);
  return encodeKeyText(encodeEncryptedKey({ iterations: ITERATIONS, salt, hash, data }));
}
