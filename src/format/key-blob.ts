/**
 * A key as it is stored: the record of its secrets, encrypted under a passphrase, as base64 text.
 *
 * Encrypted key, a msgpack map in this order:
 *
 * | key        | value                                                                                       |
 * |------------|---------------------------------------------------------------------------------------------|
 * | algorithm  | "sha256"                                                                                    |
 * | data       | AES-256-CTR (counter from 0) of the packed record, under PBKDF2(passphrase, salt) of 32 bytes |
 * | hash       | HMAC-SHA256 of the packed record, under the same key                                        |
 * | iterations | of PBKDF2-HMAC-SHA256                                                                       |
 * | salt       | 32 random bytes                                                                             |
 * | version    | 1                                                                                           |
 *
 * Record, a msgpack map in this order:
 *
 * | key           | value                                                            |
 * |---------------|------------------------------------------------------------------|
 * | chunk_seed    | signed 32-bit integer                                            |
 * | enc_hmac_key  | 32 bytes, 128 for BLAKE2b                                        |
 * | enc_key       | 32 bytes                                                         |
 * | id_key        | 32 bytes, 128 for BLAKE2b                                        |
 * | repository_id | 32 bytes                                                         |
 * | tam_required  | boolean; absent in keys made before Borg 1.0.9                   |
 * | version       | 1                                                                |
 *
 * Text: base64 in lines of 70 characters. A keyfile has the line `BORG_KEY`, space, repository id as 64 hex digits
 * before it, and ends with a newline.
 *
 * Everything that is wrong with the data throws a KeyBlobError, a version that is not known a GeneralError.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyfileKeyBase; item.pyx, EncryptedKey and Key.
 */
import { GeneralError } from '../errors.ts';
import { decode } from '../msgpack/decode.ts';
import { encode } from '../msgpack/encode.ts';
import { MsgpackError, type MsgpackMap, type MsgpackValue } from '../msgpack/value.ts';
import { toUtf8Lossy } from '../util/bytes.ts';

/** The stored key is damaged, or no key at all. */
export class KeyBlobError extends Error {
  override readonly name = 'KeyBlobError';
}

export interface EncryptedKey {
  iterations: number;
  salt: Uint8Array;
  hash: Uint8Array;
  data: Uint8Array;
}

export interface KeyRecord {
  repositoryId: Uint8Array;
  encKey: Uint8Array;
  encHmacKey: Uint8Array;
  idKey: Uint8Array;
  chunkSeed: number;
  /** Undefined where an old key does not say. */
  tamRequired: boolean | undefined;
}

const VERSION = 1;
const ALGORITHM = 'sha256';
const LINE_LENGTH = 70;
/** Far below the usual 400 bytes. */
const MIN_BLOB_BYTES = 20;
/**
 * Borg 1.4 writes 100,000. The blob may come from a server, and is used before anything proves that it is ours: this
 * many take some seconds, the largest number that fits would keep a processor busy for half an hour.
 */
const MAX_ITERATIONS = 10_000_000;
/** First word of a keyfile. */
export const KEYFILE_MAGIC = 'BORG_KEY';

export function encodeEncryptedKey({ iterations, salt, hash, data }: EncryptedKey): Uint8Array {
  return encode({ algorithm: ALGORITHM, data, hash, iterations, salt, version: VERSION });
}

export function decodeEncryptedKey(bytes: Uint8Array): EncryptedKey {
  const map = decodeMap(bytes, true);
  const version = integerOf(map, 'version');
  if (version !== VERSION) {
    throw new GeneralError([`encrypted key version ${version} is not supported by this borg version.`]);
  }
  const algorithm = toUtf8Lossy(bytesOf(map, 'algorithm'));
  if (algorithm !== ALGORITHM) {
    throw new GeneralError([`encrypted key algorithm '${algorithm}' is not supported by this borg version.`]);
  }
  const iterations = integerOf(map, 'iterations');
  if (iterations < 1 || iterations > MAX_ITERATIONS) throw new KeyBlobError('iterations out of range');
  return { iterations, salt: bytesOf(map, 'salt'), hash: bytesOf(map, 'hash'), data: bytesOf(map, 'data') };
}

export function encodeKeyRecord(record: KeyRecord): Uint8Array {
  const { chunkSeed, encHmacKey, encKey, idKey, repositoryId, tamRequired } = record;
  return encode({
    chunk_seed: chunkSeed,
    enc_hmac_key: encHmacKey,
    enc_key: encKey,
    id_key: idKey,
    repository_id: repositoryId,
    ...(tamRequired === undefined ? {} : { tam_required: tamRequired }),
    version: VERSION,
  });
}

export function decodeKeyRecord(bytes: Uint8Array): KeyRecord {
  const map = decodeMap(bytes, false);
  const version = integerOf(map, 'version');
  if (version !== VERSION) {
    throw new GeneralError([`key version ${version} is not supported by this borg version.`]);
  }
  const chunkSeed = integerOf(map, 'chunk_seed');
  if (chunkSeed !== (chunkSeed | 0)) throw new KeyBlobError('chunk_seed out of range');
  const tamRequired = map.get('tam_required');
  if (tamRequired !== undefined && typeof tamRequired !== 'boolean') {
    throw new KeyBlobError('tam_required is no boolean');
  }
  return {
    repositoryId: bytesOf(map, 'repository_id'),
    encKey: bytesOf(map, 'enc_key'),
    encHmacKey: bytesOf(map, 'enc_hmac_key'),
    idKey: bytesOf(map, 'id_key'),
    chunkSeed,
    tamRequired,
  };
}

/** Base64 in lines, without a newline at the end. */
export function encodeKeyText(bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  return (base64.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? []).join('\n');
}

/** Ignores whatever is not base64's alphabet, as Python's binascii does; rejects a cut-off or too short text. */
export function decodeKeyText(text: string): Uint8Array {
  if (/[^\p{ASCII}]/u.test(text)) throw new KeyBlobError('not ASCII');
  const digits = text.replaceAll(/[^A-Za-z0-9+/=]/g, '').replace(/=+$/, (padding) => padding.slice(0, 2));
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits)) {
    throw new KeyBlobError('not base64');
  }
  const bytes = new Uint8Array(Buffer.from(digits, 'base64'));
  if (bytes.length < MIN_BLOB_BYTES) throw new KeyBlobError('suspiciously short');
  return bytes;
}

/** A keyfile, or a key backup, from the text of the blob. */
export function encodeKeyfile(repositoryIdHex: string, keyText: string): string {
  return `${KEYFILE_MAGIC} ${repositoryIdHex}\n${keyText}${keyText.endsWith('\n') ? '' : '\n'}`;
}

/** The text after the first line of a keyfile. */
export function decodeKeyfile(text: string): { header: string; keyText: string } {
  const end = text.indexOf('\n');
  return end < 0
    ? { header: text, keyText: '' }
    : { header: text.slice(0, end), keyText: text.slice(end + 1) };
}

function decodeMap(bytes: Uint8Array, allowTrailing: boolean): MsgpackMap {
  let value: MsgpackValue;
  try {
    value = decode(bytes, { allowTrailing });
  } catch (error) {
    if (error instanceof MsgpackError) throw new KeyBlobError(`not msgpack: ${error.message}`);
    throw error;
  }
  if (!(value instanceof Map)) throw new KeyBlobError('not a map');
  return value;
}

function integerOf(map: MsgpackMap, name: string): number {
  const value = map.get(name);
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new KeyBlobError(`${name} is missing or no integer`);
  }
  return value;
}

function bytesOf(map: MsgpackMap, name: string): Uint8Array {
  const value = map.get(name);
  if (!(value instanceof Uint8Array)) throw new KeyBlobError(`${name} is missing or not raw`);
  return value;
}
