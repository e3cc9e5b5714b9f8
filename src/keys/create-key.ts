import { randomBytes } from '../crypto/random.ts';
import { GeneralError } from '../errors.ts';
import type { KeyRecord } from '../format/key-blob.ts';
import type { Context } from '../util/context.ts';
import { newKeyStorage, saveSecrets, type KeyRepository } from './key-storage.ts';
import { keyTypeByArgName, KEY_TYPES, type KeyType } from './key-type.ts';
import type { Key } from './key.ts';
import { isLogicallyEncrypted } from './load-key.ts';
import { openKey, openPlaintextKey } from './open-key.ts';
import { newPassphrase } from './passphrase.ts';
import { rememberPassphrase } from './remembered-passphrase.ts';
import type { RelatedSecrets } from './related-secrets.ts';

const LOGGER = { logger: 'borg.crypto.key' };
/** A BLAKE2b key fills one block; more than 64 random bytes would add nothing. */
const BLAKE2B_BLOCK_BYTES = 128;

export interface CreateKeyOptions {
  /** Id key and chunker seed of another repository, so that equal data has equal ids in both. */
  readonly relatedSecrets?: RelatedSecrets | undefined;
  /** The repository's location as it was typed: a new keyfile is named by it. Default: the absolute one. */
  readonly location?: string | undefined;
  /** False: a passphrase that was typed twice is good enough, and nobody is asked whether to show it. */
  readonly offerDisplay?: boolean | undefined;
}

/**
 * Makes the key of a new repository and stores it, under a new passphrase. `argName` is a value of --encryption.
 *
 * Throws NoPassphraseFailure, PasscommandFailure, PasswordRetriesExceeded; GeneralError where a keyfile would be
 * overwritten.
 *
 * Source: Borg 1.4.5, crypto/key.py, key_creator(), KeyfileKeyBase.create().
 */
export async function createKey(
  ctx: Context,
  repository: KeyRepository,
  argName: string,
  { relatedSecrets, location, offerDisplay }: CreateKeyOptions = {},
): Promise<Key> {
  const type = keyTypeByArgName(argName);
  if (type === undefined) throw new RangeError(`Invalid encryption mode "${argName}"`);
  if (type.storage === 'none') {
    ctx.reporter.log(
      'info',
      'Encryption NOT enabled.\nUse the "--encryption=repokey|keyfile" to enable encryption.',
      LOGGER,
    );
    return openPlaintextKey(ctx, repository, type);
  }
  const secrets = newSecrets(type, repository.id, relatedSecrets);
  const passphrase = await newPassphrase(ctx, offerDisplay);
  const storage = newKeyStorage(ctx, repository, type, location);
  await saveSecrets(storage, secrets, passphrase, true);
  ctx.reporter.log('info', `Key in "${storage.target}" created.`, LOGGER);
  ctx.reporter.log('info', 'Keep this key safe. Your data will be inaccessible without it.', LOGGER);
  const key = await openKey(ctx, repository, type, secrets, {
    target: storage.target,
    logicallyEncrypted: isLogicallyEncrypted(type, passphrase),
    manifest: undefined,
  });
  return rememberPassphrase(key, passphrase);
}

function newSecrets(type: KeyType, repositoryId: Uint8Array, related: RelatedSecrets | undefined): KeyRecord {
  const newMacKey = type.idHash === 'blake2b-256' ? newBlake2bKey : () => randomBytes(32);
  const secrets: KeyRecord = {
    repositoryId,
    encKey: randomBytes(32),
    encHmacKey: newMacKey(),
    idKey: newMacKey(),
    chunkSeed: seedFrom(randomBytes(4)),
    tamRequired: true,
  };
  if (related === undefined) return secrets;
  const other = KEY_TYPES.find(({ name }) => name === related.keyName);
  if (other === undefined || other.idHash !== type.idHash) {
    throw new GeneralError([
      'You must keep the same ID hash (HMAC-SHA256 or BLAKE2b) or deduplication will break.',
    ]);
  }
  return { ...secrets, idKey: related.idKey, chunkSeed: related.chunkSeed };
}

function newBlake2bKey(): Uint8Array {
  const key = new Uint8Array(BLAKE2B_BLOCK_BYTES);
  key.set(randomBytes(BLAKE2B_BLOCK_BYTES / 2));
  return key;
}

/** Signed, big-endian. */
function seedFrom(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
}
