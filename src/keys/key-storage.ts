import { KeyfileInvalidError, RepoKeyNotFoundError } from '../errors.ts';
import { KeyBlobError, type KeyRecord } from '../format/key-blob.ts';
import type { Repository } from '../repository/repository.ts';
import { toHex } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import type { KeyType } from './key-type.ts';
import { protectKey } from './key-protection.ts';
import { findKeyfile, newKeyfilePath, readKeyfile, writeKeyfile } from './keyfile.ts';
import { unlockKey } from './unlock-ahead.ts';

/** What the keys need of a repository. */
export type KeyRepository = Pick<
  Repository,
  | 'id'
  | 'idHex'
  | 'location'
  | 'supportsNonces'
  | 'loadKey'
  | 'saveKey'
  | 'getFreeNonce'
  | 'commitNonceReservation'
>;

/** The place that holds the encrypted secrets of one repository's key. */
export interface KeyStorage {
  /** As shown to the user. */
  readonly target: string;
  /** Text of the key blob. */
  read(): Promise<string>;
  write(keyText: string, options?: { isNew: boolean }): Promise<void>;
}

/** The place of an existing key. Throws RepoKeyNotFoundError, KeyfileNotFoundError and others of `findKeyfile`. */
export async function findKeyStorage(
  ctx: Context,
  repository: KeyRepository,
  type: KeyType,
): Promise<KeyStorage> {
  if (type.storage === 'keyfile') return keyfileStorage(ctx, repository, findKeyfile(ctx, repository));
  const storage = repositoryStorage(repository);
  const keyText = await storage.read();
  // Asked for once: it may be far away.
  return { ...storage, read: () => Promise.resolve(keyText) };
}

/** The place of a key to be made; a keyfile is named by `location`. */
export function newKeyStorage(
  ctx: Context,
  repository: KeyRepository,
  type: KeyType,
  location?: string,
): KeyStorage {
  return type.storage === 'keyfile'
    ? keyfileStorage(ctx, repository, newKeyfilePath(ctx, repository, location))
    : repositoryStorage(repository);
}

/** The secrets; undefined with a wrong passphrase. Throws a KeyfileInvalidError where they can't be read at all. */
export async function loadSecrets(
  storage: KeyStorage,
  repository: KeyRepository,
  passphrase: string,
): Promise<KeyRecord | undefined> {
  try {
    return await unlockKey(repository, await storage.read(), passphrase);
  } catch (error) {
    if (!(error instanceof KeyBlobError)) throw error;
    const where = storage.target === repository.location ? '(repokey)' : storage.target;
    throw new KeyfileInvalidError([repository.location, where], error);
  }
}

export async function saveSecrets(
  storage: KeyStorage,
  secrets: KeyRecord,
  passphrase: string,
  isNew: boolean,
): Promise<void> {
  await storage.write(await protectKey(secrets, passphrase), { isNew });
}

function keyfileStorage(ctx: Context, repository: KeyRepository, path: string): KeyStorage {
  return {
    target: path,
    async read() {
      return readKeyfile(ctx, repository, path);
    },
    async write(keyText, options) {
      writeKeyfile(path, toHex(repository.id), keyText, options?.isNew ?? false);
    },
  };
}

function repositoryStorage(repository: KeyRepository): KeyStorage {
  return {
    target: repository.location,
    async read() {
      const keyText = await repository.loadKey();
      if (keyText === '') throw new RepoKeyNotFoundError([repository.location]);
      return keyText;
    },
    write: (keyText) => repository.saveKey(keyText),
  };
}
