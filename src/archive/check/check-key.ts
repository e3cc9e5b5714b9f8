/**
 * The key of a repository whose manifest may be lost: any object tells of what kind it is.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.make_key.
 */
import { BorgError, IntegrityError, ObjectNotFound, UnsupportedPayloadError } from '../../errors.ts';
import { identifyKeyType } from '../../keys/key-type.ts';
import type { Key } from '../../keys/key.ts';
import { loadKey } from '../../keys/load-key.ts';
import { SecurityManager } from '../../keys/security-manager.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import { equalBytes } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { openObject } from '../repo-object.ts';
import { isIntegrityError } from './object-source.ts';

const MAX_ATTEMPTS = 999;

/** These say that there is no such key; another object may be of another kind. */
const WRONG_KIND: ReadonlySet<string> = new Set([
  'KeyfileNotFoundError',
  'KeyfileInvalidError',
  'KeyfileMismatchError',
  'RepoKeyNotFoundError',
]);

/**
 * Loads the key that opens an object of the repository; `ids` are all of them. An object whose first byte is damaged,
 * or that someone put there to have the rest taken for garbage, decides nothing, unless nothing opens.
 *
 * @throws IntegrityError where no object tells the kind of key; what loading the key throws
 */
export async function loadKeyOfObjects(
  ctx: Context,
  repository: Repository,
  ids: Iterable<Uint8Array>,
): Promise<Key> {
  const remembered = new SecurityManager(ctx, repository).rememberedKeyType;
  const keys = new Map<string, Key | BorgError>();
  let attempts = 0;
  for (const id of candidates(ids)) {
    attempts += 1;
    if (attempts > MAX_ATTEMPTS) break;
    const sealed = await readable(repository, id);
    const type = sealed === undefined ? undefined : kindOf(sealed);
    if (sealed === undefined || type === undefined) continue;
    if (remembered !== undefined && type.typeByte !== remembered) continue;
    let key = keys.get(type.name);
    if (key === undefined) {
      key = await load(ctx, repository, sealed);
      keys.set(type.name, key);
    }
    if (key instanceof BorgError || !opens(key, id, sealed)) continue;
    return key;
  }
  for (const key of keys.values()) if (!(key instanceof BorgError)) return key;
  for (const error of keys.values()) throw error as BorgError;
  throw new IntegrityError([
    attempts === 0
      ? 'make_key: repository has no chunks at all!'
      : `make_key: failed to create the key (tried ${attempts} chunks)`,
  ]);
}

/** The manifest first: its nonces are the last ones. */
function* candidates(ids: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield MANIFEST_ID;
  for (const id of ids) if (!equalBytes(id, MANIFEST_ID)) yield id;
}

async function readable(repository: Repository, id: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return await repository.get(id);
  } catch (error) {
    if (error instanceof ObjectNotFound || isIntegrityError(error)) return undefined;
    throw error;
  }
}

function kindOf(sealed: Uint8Array): ReturnType<typeof identifyKeyType> | undefined {
  try {
    return identifyKeyType(sealed);
  } catch (error) {
    if (error instanceof UnsupportedPayloadError) return undefined;
    throw error;
  }
}

async function load(ctx: Context, repository: Repository, sealed: Uint8Array): Promise<Key | BorgError> {
  try {
    return await loadKey(ctx, repository, sealed);
  } catch (error) {
    if (error instanceof BorgError && (WRONG_KIND.has(error.msgid) || isIntegrityError(error))) return error;
    throw error;
  }
}

function opens(key: Key, id: Uint8Array, sealed: Uint8Array): boolean {
  try {
    openObject(key, equalBytes(id, MANIFEST_ID) ? undefined : id, sealed);
    return true;
  } catch (error) {
    if (isIntegrityError(error)) return false;
    throw error;
  }
}
