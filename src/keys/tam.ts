/**
 * TAM, the tag that authenticates the manifest and each archive's metadata, so that one can't be given out for the
 * other. It is one more entry, "tam", in the packed map:
 *
 * | key  | value                                                                                       |
 * |------|---------------------------------------------------------------------------------------------|
 * | hmac | HMAC-SHA512, 64 bytes, of the whole packed map with 64 zero bytes in this place             |
 * | salt | 64 random bytes                                                                             |
 * | type | "HKDF_HMAC_SHA512"                                                                          |
 *
 * The MAC's key is HKDF-HMAC-SHA512(id key || encryption key || MAC key, salt, "borg-metadata-authentication-" and
 * "manifest" or "archive"), 64 bytes; salt || context for a plaintext repository, where it only detects accidents.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyBase.pack_and_authenticate_metadata(), unpack_and_verify_*().
 */
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { hkdfSha512, hmacSha512 } from '../crypto/kdf.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { randomBytes } from '../crypto/random.ts';
import { IntegrityError } from '../errors.ts';
import { decode } from '../msgpack/decode.ts';
import { encode } from '../msgpack/encode.ts';
import { OBJECT_LIMITS } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackMap, type MsgpackValue } from '../msgpack/value.ts';
import { concatBytes, fromUtf8 } from '../util/bytes.ts';

export type TamContext = 'manifest' | 'archive';

const TAM_TYPE = 'HKDF_HMAC_SHA512';
const HMAC_SIZE_BYTES = 64;
const SALT_SIZE_BYTES = 64;

/** Packs the map in the order of its keys, with a TAM. An archive that is rewritten may keep its salt. */
export function packWithTam(
  material: KeyMaterial,
  metadata: MsgpackMap | Readonly<Record<string, MsgpackValue>>,
  context: TamContext,
  salt: Uint8Array = randomBytes(SALT_SIZE_BYTES),
): Uint8Array {
  const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  const pack = (hmac: Uint8Array) => {
    const tam: [string, MsgpackValue] = ['tam', { hmac, salt, type: TAM_TYPE }];
    const all = [...entries.filter(([key]) => key !== 'tam'), tam];
    return encode(new Map(all.toSorted(([a], [b]) => (a < b ? -1 : 1))));
  };
  const unsigned = pack(new Uint8Array(HMAC_SIZE_BYTES));
  return pack(hmacSha512(tamKey(material, salt, context), unsigned));
}

/** What is wrong with a TAM, or nothing. */
export type TamState = 'valid' | 'missing' | 'invalid' | { unsupportedType: string };

export interface Unpacked {
  /** The map without its TAM. */
  value: MsgpackMap;
  tam: TamState;
  salt: Uint8Array | undefined;
}

/** Unpacks the map and looks at its TAM; what follows from that is the caller's. Throws an IntegrityError. */
export function unpackWithTam(material: KeyMaterial, data: Uint8Array, context: TamContext): Unpacked {
  const value = unpackMap(data, context);
  const tam = value.get('tam');
  if (!value.delete('tam')) return { value, tam: 'missing', salt: undefined };
  if (!(tam instanceof Map)) return { value, tam: 'invalid', salt: undefined };
  const type = tam.get('type') ?? fromUtf8('<none>');
  if (!(type instanceof Uint8Array)) return { value, tam: 'invalid', salt: undefined };
  const typeText = asciiOf(type);
  if (typeText !== TAM_TYPE) return { value, tam: { unsupportedType: typeText }, salt: undefined };
  const hmac = tam.get('hmac');
  const salt = tam.get('salt');
  if (!(hmac instanceof Uint8Array) || !(salt instanceof Uint8Array)) {
    return { value, tam: 'invalid', salt: undefined };
  }
  const unsigned = new Uint8Array(data);
  const offset = Buffer.from(unsigned.buffer).indexOf(hmac);
  unsigned.fill(0, offset, offset + HMAC_SIZE_BYTES);
  const expected = hmacSha512(tamKey(material, salt, context), unsigned);
  return { value, tam: constantTimeEqual(expected, hmac) ? 'valid' : 'invalid', salt };
}

/** Unpacks a map from a repository; what follows it is ignored, as Borg does. Throws an IntegrityError. */
export function unpackMap(data: Uint8Array, context: TamContext): MsgpackMap {
  let value: MsgpackValue;
  try {
    value = decode(data, { ...OBJECT_LIMITS, allowTrailing: true });
  } catch (error) {
    if (error instanceof MsgpackError) throw new IntegrityError([`${context}: ${error.message}`], error);
    throw error;
  }
  if (!(value instanceof Map)) throw new IntegrityError([`${context}: not a map`]);
  return value;
}

/** Text of a field that should be ASCII; other bytes become U+FFFD. */
export function asciiOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : '\uFFFD')).join('');
}

function tamKey(material: KeyMaterial, salt: Uint8Array, context: TamContext): Uint8Array {
  if (material.idHash === 'sha256') return concatBytes([salt, fromUtf8(context)]);
  const secrets = concatBytes([material.idKey, material.encKey, material.encHmacKey]);
  return hkdfSha512(secrets, salt, fromUtf8(`borg-metadata-authentication-${context}`), 64);
}
