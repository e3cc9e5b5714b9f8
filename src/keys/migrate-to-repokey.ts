/**
 * Repositories of Attic and Borg before 1.0 in passphrase mode have no key blob: PBKDF2 makes all secrets from the
 * passphrase and the repository's id. Once migrated they have a repokey with the same secrets.
 *
 * Source: Borg 1.4.5, crypto/key.py, PassphraseKey; archiver.py, do_migrate_to_repokey().
 */
import { openEnvelope } from '../crypto/envelope.ts';
import { pbkdf2Sha256 } from '../crypto/kdf.ts';
import { IntegrityError, PasswordRetriesExceeded } from '../errors.ts';
import type { KeyRecord } from '../format/key-blob.ts';
import { fromUtf8 } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { newKeyStorage, saveSecrets, type KeyRepository } from './key-storage.ts';
import { keyTypeByArgName, PASSPHRASE_TYPE } from './key-type.ts';
import { askPassphrase, environmentPassphrase, newPassphrase } from './passphrase.ts';

/** Must never change: the passphrase is all that such a repository has. */
const ITERATIONS = 100_000;
const SECRETS_SIZE_BYTES = 100;
const ATTEMPTS = 2;

/** Stores a repokey with the secrets of a passphrase repository, whose sealed manifest proves the passphrase. */
export async function migrateToRepokey(
  ctx: Context,
  repository: KeyRepository,
  manifest: Uint8Array,
): Promise<void> {
  const secrets = await detectSecrets(ctx, repository, manifest);
  const storage = newKeyStorage(ctx, repository, keyTypeByArgName('repokey')!);
  await saveSecrets(storage, secrets, await newPassphrase(ctx), true);
}

async function detectSecrets(
  ctx: Context,
  repository: KeyRepository,
  manifest: Uint8Array,
): Promise<KeyRecord> {
  const ask = () => askPassphrase(ctx, `Enter passphrase for ${repository.location}: `);
  let passphrase = (await environmentPassphrase(ctx)) ?? (await ask());
  for (let attempt = 1; ; attempt++) {
    const secrets = await deriveSecrets(repository.id, passphrase);
    if (opens(secrets, manifest)) return secrets;
    if (attempt === ATTEMPTS) throw new PasswordRetriesExceeded();
    passphrase = await ask();
  }
}

async function deriveSecrets(repositoryId: Uint8Array, passphrase: string): Promise<KeyRecord> {
  const bytes = await pbkdf2Sha256(fromUtf8(passphrase), repositoryId, ITERATIONS, SECRETS_SIZE_BYTES);
  return {
    repositoryId,
    encKey: bytes.slice(0, 32),
    encHmacKey: bytes.slice(32, 64),
    idKey: bytes.slice(64, 96),
    chunkSeed: new DataView(bytes.buffer).getInt32(96),
    // Such a repository has no authenticated manifest yet; the security folder knows once it has.
    tamRequired: undefined,
  };
}

function opens({ encKey, encHmacKey, idKey }: KeyRecord, manifest: Uint8Array): boolean {
  const { cipher, mac, idHash } = keyTypeByArgName('repokey')!;
  try {
    const material = { typeByte: PASSPHRASE_TYPE, cipher, mac, idHash, encKey, encHmacKey, idKey };
    openEnvelope(material, undefined, manifest);
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}
