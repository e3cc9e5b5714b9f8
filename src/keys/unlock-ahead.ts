/**
 * Deriving a key from a passphrase takes another thread some 20 ms: it can begin before it is known which key is needed, while
 * the manifest is read, or the repository's files are checked.
 */
import type { KeyRecord } from '../format/key-blob.ts';
import type { Context } from '../util/context.ts';
import { unprotectKey } from './key-protection.ts';
import type { KeyRepository } from './key-storage.ts';

interface Begun {
  readonly keyText: string;
  readonly passphrase: string;
  readonly secrets: Promise<KeyRecord | undefined>;
}

const begun = new WeakMap<KeyRepository, Begun>();

/**
 * Begins to unlock the key in a repository of this machine, where the passphrase is at hand; waits for nothing. What
 * is wrong with the key, who needs it will say.
 */
export async function unlockAhead({ env }: Context, repository: KeyRepository): Promise<void> {
  const passphrase = env.BORG_PASSPHRASE;
  // Another machine would be asked once more.
  if (passphrase === undefined || repository.location.startsWith('ssh://')) return;
  let keyText: string;
  try {
    keyText = await repository.loadKey();
  } catch {
    return;
  }
  if (keyText === '') return;
  const secrets = unprotectKey(keyText, passphrase);
  secrets.catch(() => {});
  begun.set(repository, { keyText, passphrase, secrets });
}

/** As unprotectKey(), once with what was begun ahead. */
export function unlockKey(
  repository: KeyRepository,
  keyText: string,
  passphrase: string,
): Promise<KeyRecord | undefined> {
  const ahead = begun.get(repository);
  begun.delete(repository);
  const fits = ahead !== undefined && ahead.keyText === keyText && ahead.passphrase === passphrase;
  return fits ? ahead.secrets : unprotectKey(keyText, passphrase);
}
