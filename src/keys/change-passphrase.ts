/**
 * Storing an open key again, in place. The secrets stay the same, so who has an old blob and its passphrase still has
 * the key.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyfileKeyBase.change_passphrase(); archiver.py, do_change_passphrase(),
 * do_upgrade().
 */
import { CommandError } from '../errors.ts';
import type { Context } from '../util/context.ts';
import { findKeyStorage, saveSecrets, type KeyRepository } from './key-storage.ts';
import type { Key } from './key.ts';
import { isLogicallyEncrypted } from './load-key.ts';
import { newPassphrase } from './passphrase.ts';
import { rememberedPassphrase, rememberPassphrase } from './remembered-passphrase.ts';
import { SecurityManager } from './security-manager.ts';

/** Stores the key under a new passphrase, and gives its location. Throws a CommandError where it has none. */
export async function changePassphrase(ctx: Context, repository: KeyRepository, key: Key): Promise<string> {
  if (key.type.storage === 'none') {
    throw new CommandError(['This repository is not encrypted, cannot change the passphrase.']);
  }
  if (key.unverified) {
    throw new CommandError(['The passphrase of a key that is not known cannot be changed.']);
  }
  const target = await save(ctx, repository, key, await newPassphrase(ctx));
  new SecurityManager(ctx, repository).rememberProtection(key);
  return target;
}

/**
 * Stores with the key whether manifest and archives must be authenticated, under the passphrase that opened it. Gives
 * the key's location; undefined where nothing is stored, since the repository has no key.
 */
export async function saveTamRequired(
  ctx: Context,
  repository: KeyRepository,
  key: Key,
  required: boolean,
): Promise<string | undefined> {
  const passphrase = rememberedPassphrase(key);
  if (passphrase === undefined) return undefined;
  key.tamRequired = required;
  return save(ctx, repository, key, passphrase);
}

async function save(ctx: Context, repository: KeyRepository, key: Key, passphrase: string): Promise<string> {
  const storage = await findKeyStorage(ctx, repository, key.type);
  const { repositoryId, chunkSeed, tamRequired, material } = key;
  const { encKey, encHmacKey, idKey } = material;
  const secrets = { repositoryId, encKey, encHmacKey, idKey, chunkSeed, tamRequired };
  await saveSecrets(storage, secrets, passphrase, false);
  key.logicallyEncrypted = isLogicallyEncrypted(key.type, passphrase);
  rememberPassphrase(key, passphrase);
  return storage.target;
}
