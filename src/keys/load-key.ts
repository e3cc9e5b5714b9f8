import { PassphraseWrong, PasswordRetriesExceeded, RepositoryAccessAborted } from '../errors.ts';
import type { KeyRecord } from '../format/key-blob.ts';
import { toHex } from '../util/bytes.ts';
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
 * RepoKeyNotFoundError, PassphraseWrong, PasscommandFailure, NoPassphraseFailure, PasswordRetriesExceeded,
 * RepositoryAccessAborted.
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
  await assertSameRepository(ctx, repository, type, secrets);
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

/**
 * The key says for which repository it was made, and only who knows the passphrase can change that. A server that gives
 * another id would have us look for what we know of the repository, e.g. the nonces that were used, in the wrong place.
 * Users of Borg change the ids of copies on purpose, with "config", so they are asked.
 */
async function assertSameRepository(
  ctx: Context,
  { idHex, location }: KeyRepository,
  type: KeyType,
  { repositoryId }: KeyRecord,
): Promise<void> {
  const expected = toHex(repositoryId);
  if (type.cipher === 'none' || expected === idHex || !location.startsWith('ssh://')) return;
  const isKnown = await ctx.reporter.ask({
    text:
      `Warning: The key was made for the repository ${expected}, but the server says that this is ${idHex}.\n` +
      'If nobody has changed the id with "config", the server lies, and writing would put your data at risk.\n' +
      'Do you want to continue? [yN] ',
    env: 'ALCOVE_CHANGED_REPO_ID_IS_OK',
    falseText: 'Aborting.',
    invalidText: 'Invalid answer, aborting.',
    retry: false,
  });
  if (!isKnown) throw new RepositoryAccessAborted();
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
