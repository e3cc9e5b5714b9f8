/**
 * Taking a repository's key out for safekeeping and bringing it back, still under its passphrase. Plain backups are
 * keyfiles, whatever the kind of the key.
 *
 * Source: Borg 1.4.5, crypto/keymanager.py, KeyManager.
 */
import {
  CommandError,
  KeyfileInvalidError,
  NoManifestError,
  NotABorgKeyFile,
  ObjectNotFound,
  RepoIdMismatch,
  UnencryptedRepo,
} from '../errors.ts';
import {
  decodeEncryptedKey,
  decodeKeyfile,
  decodeKeyText,
  encodeKeyfile,
  encodeKeyText,
  KeyBlobError,
  KEYFILE_MAGIC,
} from '../format/key-blob.ts';
import { isOsError } from '../platform/os-error.ts';
import { readSmallText, writeInPlace } from '../platform/state-files.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../util/context.ts';
import { existingOrNewKeyfilePath, writeKeyfile } from './keyfile.ts';
import { findKeyStorage, type KeyRepository } from './key-storage.ts';
import { identifyKeyType, type KeyType } from './key-type.ts';
import { encodePaperKey } from './paper-key.ts';

export type BackupRepository = KeyRepository & Pick<Repository, 'get'>;

const MANIFEST_ID = new Uint8Array(32);

/** The repository's key as the text of a keyfile. Throws UnencryptedRepo, NoManifestError, and as `loadKey`. */
export async function exportKey(ctx: Context, repository: BackupRepository): Promise<string> {
  return encodeKeyfile(repository.idHex, await readKeyBlob(ctx, repository));
}

/** The repository's key as text to print and to type in again. Throws as `exportKey`. */
export async function exportPaperKey(ctx: Context, repository: BackupRepository): Promise<string> {
  return encodePaperKey(repository.idHex, decodeKeyText(await readKeyBlob(ctx, repository)));
}

/** The text of the key blob, the common ground of all forms of backup. */
export async function readKeyBlob(ctx: Context, repository: BackupRepository): Promise<string> {
  const storage = await findKeyStorage(ctx, repository, await storedKeyType(repository));
  return storage.read();
}

/**
 * Puts the key of a backup, the text of a keyfile, in the place of the repository's own. Throws NotABorgKeyFile,
 * RepoIdMismatch, KeyfileInvalidError, UnencryptedRepo, NoManifestError. `path` names the backup in messages.
 */
export async function importKey(
  ctx: Context,
  repository: BackupRepository,
  text: string,
  path: string,
): Promise<void> {
  const type = await storedKeyType(repository);
  const { header, keyText } = decodeKeyfile(text);
  if (header.trimEnd() !== `${KEYFILE_MAGIC} ${repository.idHex}`) {
    throw header.startsWith(KEYFILE_MAGIC) ? new RepoIdMismatch() : new NotABorgKeyFile();
  }
  await storeImported(ctx, repository, type, () => decodeKeyText(keyText), path);
}

/** As importKey, for a copy that was typed in. The caller has made sure that it is of this repository. */
export async function importKeyBlob(
  ctx: Context,
  repository: BackupRepository,
  blob: Uint8Array,
): Promise<void> {
  await storeImported(ctx, repository, await storedKeyType(repository), () => blob, '(paper)');
}

async function storeImported(
  ctx: Context,
  repository: BackupRepository,
  type: KeyType,
  readBlob: () => Uint8Array,
  path: string,
): Promise<void> {
  try {
    // The old key may be the only copy: what takes its place must at least look like a key.
    const blob = readBlob();
    decodeEncryptedKey(blob);
    await storeKeyBlob(ctx, repository, type, blob);
  } catch (error) {
    if (error instanceof KeyBlobError) throw new KeyfileInvalidError([repository.location, path], error);
    throw error;
  }
}

/** Stores a key blob in the place of the repository's own. */
export async function storeKeyBlob(
  ctx: Context,
  repository: BackupRepository,
  type: KeyType,
  blob: Uint8Array,
): Promise<void> {
  const keyText = encodeKeyText(blob);
  if (type.storage === 'keyfile') {
    writeKeyfile(existingOrNewKeyfilePath(ctx, repository), repository.idHex, keyText, false);
  } else await repository.saveKey(keyText);
}

/** The kind of key that the repository has. Throws NoManifestError, UnencryptedRepo. */
export async function storedKeyType(repository: BackupRepository): Promise<KeyType> {
  let manifest: Uint8Array;
  try {
    manifest = await repository.get(MANIFEST_ID);
  } catch (error) {
    throw error instanceof ObjectNotFound ? new NoManifestError([], error) : error;
  }
  const type = identifyKeyType(manifest);
  if (type.storage === 'none') throw new UnencryptedRepo();
  return type;
}

/** Writes a backup, for its owner alone. Throws a CommandError, which says `shown`, where `path` is a folder. */
export function writeKeyBackup(path: string, text: string, shown: string = path): void {
  try {
    writeInPlace(path, text, 0o600);
  } catch (error) {
    if (!isOsError(error, 'EISDIR')) throw error;
    throw new CommandError([`'${shown}' must be a file, not a directory`], error);
  }
}

/** Reads a backup. Throws a CommandError where there is none. */
export function readKeyBackup(path: string): string {
  const text = readSmallText(path);
  if (text === undefined) throw new CommandError([`input file does not exist: ${path}`]);
  return text;
}
