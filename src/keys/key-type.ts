/**
 * The kinds of keys that Borg 1.4 knows. Passphrase mode (type 1, before Borg 1.0) has no entry of its own: such a
 * repository is read as if it had been migrated to repokey, see `identifyKeyType`.
 *
 * Source: Borg 1.4.5, crypto/key.py, the Key classes and identify_key().
 */
import type { IdHashKind, KeyMaterial, MacKind } from '../crypto/key-material.ts';
import { UnsupportedPayloadError } from '../errors.ts';

/** Where the encrypted secrets are kept. */
export type KeyStorageKind = 'none' | 'keyfile' | 'repository';

export interface KeyType {
  /** First byte of every object. */
  readonly typeByte: number;
  /** As shown to people and in exported secrets. */
  readonly name: string;
  /** Value of --encryption. */
  readonly argName: string;
  readonly storage: KeyStorageKind;
  readonly cipher: KeyMaterial['cipher'];
  readonly mac: MacKind;
  readonly idHash: IdHashKind;
}

/** Of objects sealed before Borg 1.0 with a key made from a passphrase alone. */
export const PASSPHRASE_TYPE = 0x01;
/** Of objects that are neither encrypted nor authenticated. */
export const PLAINTEXT_TYPE = 0x02;

const encrypted = { cipher: 'aes-256-ctr' } as const;
const unencrypted = { cipher: 'none', mac: 'none' } as const;

/** In the order in which --encryption lists them. */
export const KEY_TYPES: readonly KeyType[] = [
  {
    typeByte: PLAINTEXT_TYPE,
    name: 'plaintext',
    argName: 'none',
    storage: 'none',
    ...unencrypted,
    idHash: 'sha256',
  },
  {
    typeByte: 0x00,
    name: 'key file',
    argName: 'keyfile',
    storage: 'keyfile',
    ...encrypted,
    mac: 'hmac-sha256',
    idHash: 'hmac-sha256',
  },
  {
    typeByte: 0x03,
    name: 'repokey',
    argName: 'repokey',
    storage: 'repository',
    ...encrypted,
    mac: 'hmac-sha256',
    idHash: 'hmac-sha256',
  },
  {
    typeByte: 0x07,
    name: 'authenticated',
    argName: 'authenticated',
    storage: 'repository',
    ...unencrypted,
    idHash: 'hmac-sha256',
  },
  {
    typeByte: 0x04,
    name: 'key file BLAKE2b',
    argName: 'keyfile-blake2',
    storage: 'keyfile',
    ...encrypted,
    mac: 'blake2b-256',
    idHash: 'blake2b-256',
  },
  {
    typeByte: 0x05,
    name: 'repokey BLAKE2b',
    argName: 'repokey-blake2',
    storage: 'repository',
    ...encrypted,
    mac: 'blake2b-256',
    idHash: 'blake2b-256',
  },
  {
    typeByte: 0x06,
    name: 'authenticated BLAKE2b',
    argName: 'authenticated-blake2',
    storage: 'repository',
    ...unencrypted,
    idHash: 'blake2b-256',
  },
];

/** The type of the key that an object was sealed with. Throws UnsupportedPayloadError. */
export function identifyKeyType(envelope: Uint8Array): KeyType {
  const typeByte = envelope[0];
  const type =
    typeByte === PASSPHRASE_TYPE
      ? keyTypeByArgName('repokey')
      : KEY_TYPES.find((type) => type.typeByte === typeByte);
  if (type === undefined) throw new UnsupportedPayloadError([typeByte ?? '(empty object)']);
  return type;
}

/** Undefined where no type has that name. */
export function keyTypeByArgName(argName: string): KeyType | undefined {
  return KEY_TYPES.find((type) => type.argName === argName);
}

/** Values of --encryption. */
export function keyArgNames(): string[] {
  return KEY_TYPES.map((type) => type.argName);
}
