import { CommandError } from '../errors.ts';
import type { KeyRecord } from '../format/key-blob.ts';
import type { Context } from '../util/context.ts';
import { findKeyStorage, saveSecrets, type KeyRepository } from './key-storage.ts';
import type { Key } from './key.ts';
import { isLogicallyEncrypted } from './load-key.ts';
import { newPassphrase } from './passphrase.ts';

/**
 * Stores the key under a new passphrase, in place. The secrets stay the same, so who has the old blob and the old
 * passphrase still has the key. Gives the key's location.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyfileKeyBase.change_passphrase(); archiver.py, do_change_passphrase().
 */
export async function changePassphrase(ctx: Context, repository: KeyRepository, key: Key): Promise<string> {
  if (key.type.storage === 'none') {
    throw new CommandError(['This repository is not encrypted, cannot change the passphrase.']);
  }
  if (key.unverified) {
    throw new CommandError(['The passphrase of a key that is not known cannot be changed.']);
  }
  const storage = await findKeyStorage(ctx, repository, key.type);
  const passphrase = await newPassphrase(ctx);
  await saveSecrets(storage, secretsOf(key), passphrase, false);
  key.logicallyEncrypted = isLogicallyEncrypted(key.type, passphrase);
  return storage.target;
}

export function secretsOf(key: Key): KeyRecord {
  const { encKey, encHmacKey, idKey } = key.material;
  return {
    repositoryId: key.repositoryId,
    encKey,
    encHmacKey,
    idKey,
    chunkSeed: key.chunkSeed,
    tamRequired: key.tamRequired,
  };
}
