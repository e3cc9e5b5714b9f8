import { initCrypto } from '../crypto/init-crypto.ts';
import { envelopeNonce, envelopeNonceBlocks, openEnvelope } from '../crypto/envelope.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { IntegrityError, KeyfileInvalidError } from '../errors.ts';
import type { KeyRecord } from '../format/key-blob.ts';
import { getSecurityDir } from '../platform/home.ts';
import type { Context } from '../util/context.ts';
import type { KeyRepository } from './key-storage.ts';
import type { KeyType } from './key-type.ts';
import { Key, type KeyParts } from './key.ts';
import { LocalNonceFile } from './local-nonce.ts';
import { NonceManager } from './nonce-manager.ts';
import { isTamRequired } from './tam-required.ts';

/** Size of the MAC key by kind; the AES key has 32 bytes. */
const MAC_KEY_BYTES = { none: undefined, 'hmac-sha256': 32, 'blake2b-256': 128 } as const;
const ENC_KEY_BYTES = 32;

export interface OpenKeyOptions {
  target: string;
  logicallyEncrypted: boolean;
  /** The sealed manifest; undefined for a new repository. */
  manifest: Uint8Array | undefined;
  unverified?: boolean;
}

/** Makes a key ready for use from its secrets. */
export async function openKey(
  ctx: Context,
  repository: KeyRepository,
  type: KeyType,
  secrets: KeyRecord,
  options: OpenKeyOptions,
): Promise<Key> {
  const material = materialOf(type, secrets);
  const { target, logicallyEncrypted, manifest, unverified = false } = options;
  if (material === undefined) throw new KeyfileInvalidError([repository.location, target]);
  await initCrypto(material);
  const parts: KeyParts = {
    type,
    material,
    repositoryId: secrets.repositoryId,
    location: repository.location,
    chunkSeed: secrets.chunkSeed,
    tamRequired: secrets.tamRequired ?? isTamRequired(ctx, repository.idHex),
    logicallyEncrypted,
    target,
    nonces: undefined,
    unverified,
  };
  if (material.cipher !== 'none') {
    const local = new LocalNonceFile(() => getSecurityDir(ctx.env, repository.idHex));
    parts.nonces = new NonceManager(ctx, repository, local, {
      manifestNonce: nonceAfter(material, manifest),
    });
  }
  return new Key(ctx, parts);
}

/** The key of a repository without encryption. */
export async function openPlaintextKey(ctx: Context, repository: KeyRepository, type: KeyType): Promise<Key> {
  const none = new Uint8Array(0);
  const secrets: KeyRecord = {
    repositoryId: repository.id,
    encKey: none,
    encHmacKey: none,
    idKey: none,
    chunkSeed: 0,
    tamRequired: false,
  };
  return openKey(ctx, repository, type, secrets, {
    target: repository.location,
    logicallyEncrypted: false,
    manifest: undefined,
  });
}

/** Undefined where the secrets have the wrong sizes. */
function materialOf(type: KeyType, secrets: KeyRecord): KeyMaterial | undefined {
  const { typeByte, cipher, mac, idHash } = type;
  const { encKey, encHmacKey, idKey } = secrets;
  if (cipher !== 'none') {
    if (encKey.length !== ENC_KEY_BYTES || encHmacKey.length !== MAC_KEY_BYTES[mac]) return undefined;
  }
  return { typeByte, cipher, mac, idHash, encKey, encHmacKey, idKey };
}

/**
 * The first nonce behind the manifest's; counting its blocks by the whole envelope is a safe upper bound. What is not
 * authentic says nothing: damaged bits of it could use up all nonces there are.
 */
function nonceAfter(material: KeyMaterial, manifest: Uint8Array | undefined): bigint {
  if (manifest === undefined) return 0n;
  const nonce = envelopeNonce(manifest) + BigInt(envelopeNonceBlocks(manifest.length));
  return isAuthentic(material, manifest) ? nonce : 0n;
}

function isAuthentic(material: KeyMaterial, sealed: Uint8Array): boolean {
  try {
    openEnvelope(material, undefined, sealed);
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}
