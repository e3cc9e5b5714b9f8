import { PassphraseWrong, PasswordRetriesExceeded } from '../errors.ts';
import type { KeyRecord } from '../format/key-blob.ts';
import type { Context } from '../util/context.ts';
import { findKeyStorage, loadSecrets, type KeyRepository } from './key-storage.ts';
import { identifyKeyType, type KeyType } from './key-type.ts';
import type { Key } from './key.ts';
import { openKey, openPlaintextKey } from './open-key.ts';
import { askPassphrase, environmentPassphrase } from './passphrase.ts';
import { rememberPassphrase } from './remembered-passphrase.ts';
import { hasWorkaround } from './workarounds.ts';

const PASSPHRASE_ATTEMPTS = 3;

/**
 * Opens the key of a repository, whose kind its sealed manifest tells. A passphrase from the environment must fit;
 * without one the empty passphrase is tried, then the user is asked.
 *
 * Throws UnsupportedPayloadError, KeyfileNotFoundError, KeyfileInvalidError, KeyfileMismatchError,
 * RepoKeyNotFoundError, PassphraseWrong, PasscommandFailure, NoPassphraseFailure, PasswordRetriesExceeded.
 *
 * Source: Borg 1.4.5, crypto/key.py, key_factory() and KeyfileKeyBase.detect().
 */
export async function loadKey(ctx: Context, repository: KeyRepository, manifest: Uint8Array): Promise<Key> {
  const type = identifyKeyType(manifest);
  if (type.storage === 'none') return openPlaintextKey(ctx, repository, type);
  if (type.cipher === 'none' && hasWorkaround(ctx.env, 'authenticated_no_key')) {
    return openWithoutSecrets(ctx, repository, type);
  }
  const storage = await findKeyStorage(ctx, repository, type);
  const { secrets, passphrase } = await unlock(ctx, storage.target, (passphrase) =>
    loadSecrets(storage, repository, passphrase),
  );
  const key = await openKey(ctx, repository, type, secrets, {
    target: storage.target,
    logicallyEncrypted: isLogicallyEncrypted(type, passphrase),
    manifest,
  });
  return rememberPassphrase(key, passphrase);
}

/** A repokey under an empty passphrase hides nothing from who has the repository. */
export function isLogicallyEncrypted(type: KeyType, passphrase: string): boolean {
  return type.cipher !== 'none' && (type.storage === 'keyfile' || passphrase !== '');
}

async function unlock(
  ctx: Context,
  target: string,
  tryPassphrase: (passphrase: string) => Promise<KeyRecord | undefined>,
): Promise<{ secrets: KeyRecord; passphrase: string }> {
  const given = await environmentPassphrase(ctx);
  const withoutAsking = given ?? '';
  const secrets = await tryPassphrase(withoutAsking);
  if (secrets !== undefined) return { secrets, passphrase: withoutAsking };
  if (given !== undefined) throw new PassphraseWrong();
  for (let attempt = 0; attempt < PASSPHRASE_ATTEMPTS; attempt++) {
    const passphrase = await askPassphrase(ctx, `Enter passphrase for key ${target}: `);
    const secrets = await tryPassphrase(passphrase);
    if (secrets !== undefined) return { secrets, passphrase };
    ctx.reporter.tell?.('This passphrase is wrong.');
  }
  throw new PasswordRetriesExceeded();
}

/** Reads an authenticated, hence unencrypted, repository whose key or passphrase is lost. Verifies nothing. */
function openWithoutSecrets(ctx: Context, repository: KeyRepository, type: KeyType): Promise<Key> {
  const nothing = new Uint8Array(32);
  const secrets: KeyRecord = {
    repositoryId: nothing,
    encKey: nothing,
    encHmacKey: nothing,
    idKey: nothing,
    chunkSeed: 0,
    tamRequired: false,
  };
  return openKey(ctx, repository, type, secrets, {
    target: repository.location,
    logicallyEncrypted: false,
    manifest: undefined,
    unverified: true,
  });
}
