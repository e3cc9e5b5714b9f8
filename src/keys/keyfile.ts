/**
 * Finding, checking, naming and writing keyfiles.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyfileKey; helpers/parseformat.py, Location.to_key_filename().
 */
import { GeneralError, KeyfileInvalidError, KeyfileMismatchError, KeyfileNotFoundError } from '../errors.ts';
import {
  decodeKeyfile,
  decodeKeyText,
  encodeKeyfile,
  KeyBlobError,
  KEYFILE_MAGIC,
} from '../format/key-blob.ts';
import { getKeysDir } from '../platform/home.ts';
import { saveFile } from '../platform/save-file.ts';
import { isRegularFile, listFolder, pathExists, readSmallText } from '../platform/state-files.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../util/context.ts';
import { normalizePosixPath } from '../util/posix-path.ts';

type Identity = Pick<Repository, 'idHex' | 'location'>;

const MAX_NAME_LENGTH = 100;

/**
 * The keyfile of the repository: BORG_KEY_FILE, else the one in the keys folder that names it. Throws
 * KeyfileNotFoundError; KeyfileInvalidError, KeyfileMismatchError for BORG_KEY_FILE.
 */
export function findKeyfile(ctx: Context, repository: Identity): string {
  const path = keyfileFromEnvironment(ctx);
  if (path !== undefined) {
    readKeyfile(ctx, repository, path);
    return path;
  }
  const found = findInKeysFolder(ctx, repository);
  if (found === undefined) throw new KeyfileNotFoundError([repository.location, getKeysDir(ctx.env)]);
  return found;
}

/** Where a new keyfile goes: BORG_KEY_FILE, else a free name in the keys folder, made from `location`. */
export function newKeyfilePath(
  ctx: Context,
  repository: Identity,
  location: string = repository.location,
): string {
  const given = keyfileFromEnvironment(ctx);
  if (given !== undefined) return given;
  const first = `${getKeysDir(ctx.env)}/${keyfileName(location)}`;
  for (let path = first, i = 1; ; path = `${first}.${++i}`) if (!pathExists(path)) return path;
}

/** Where an imported key goes: in place of the repository's keyfile, if there is one. */
export function existingOrNewKeyfilePath(ctx: Context, repository: Identity): string {
  return keyfileFromEnvironment(ctx) ?? findInKeysFolder(ctx, repository) ?? newKeyfilePath(ctx, repository);
}

/** The text of the key blob. Throws KeyfileInvalidError, KeyfileMismatchError. */
export function readKeyfile(ctx: Context, repository: Identity, path: string): string {
  const text = readSmallText(path);
  if (text === undefined) throw new KeyfileNotFoundError([repository.location, path]);
  const { header, keyText } = decodeKeyfile(text);
  const invalid = (reason?: string) => {
    if (reason !== undefined) {
      ctx.reporter.log('warning', `borg key sanity check: ${reason} [${path}]`, {
        logger: 'borg.crypto.key',
      });
    }
    return new KeyfileInvalidError([repository.location, path]);
  };
  const magic = `${KEYFILE_MAGIC} `;
  if (!header.startsWith(magic)) throw invalid();
  if (!header.startsWith(magic + repository.idHex)) {
    throw new KeyfileMismatchError([repository.location, path]);
  }
  if (keyText === '') throw invalid('expected 2+ lines total.');
  if (header.trimEnd().length > magic.length + repository.idHex.length) {
    throw invalid('key line 1 seems too long.');
  }
  try {
    decodeKeyText(keyText);
  } catch (error) {
    if (error instanceof KeyBlobError) throw invalid(`key line 2+: ${error.message}.`);
    throw error;
  }
  return keyText;
}

/** Writes a keyfile for its owner alone. A new one never takes the place of another file. */
export function writeKeyfile(path: string, repositoryIdHex: string, keyText: string, isNew: boolean): void {
  if (isNew && isRegularFile(path)) {
    throw new GeneralError([`Aborting because key in "${path}" already exists.`]);
  }
  saveFile(path, encodeKeyfile(repositoryIdHex, keyText), { mode: 0o600 });
}

/** File name from a location: host and path, all but letters, digits and "_" replaced. */
export function keyfileName(location: string): string {
  const remote = /^ssh:\/\/(?:[^@:/]+@)?(\[[^\]]*\]|[^:/]+)(?::\d+)?(\/.*)$/s.exec(location);
  const name =
    remote === null
      ? trimUnderscores(toWords(location))
      : `${toWords(remote[1]!.replace(/^\[/, '').replace(/\]$/, ''))}__${trimUnderscores(toWords(remote[2]!))}`;
  return Array.from(name).slice(0, MAX_NAME_LENGTH).join('');
}

function toWords(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}_]/gu, '_');
}

function trimUnderscores(text: string): string {
  return text.replace(/^_+/, '').replace(/_+$/, '');
}

function keyfileFromEnvironment(ctx: Context): string | undefined {
  const path = ctx.env.BORG_KEY_FILE;
  if (!path) return undefined;
  return normalizePosixPath(path.startsWith('/') ? path : `${ctx.cwd}/${path}`);
}

function findInKeysFolder(ctx: Context, repository: Identity): string | undefined {
  const folder = getKeysDir(ctx.env);
  for (const name of listFolder(folder)) {
    const path = `${folder}/${name}`;
    if (!isRegularFile(path)) continue;
    try {
      readKeyfile(ctx, repository, path);
      return path;
    } catch (error) {
      if (!(error instanceof KeyfileInvalidError || error instanceof KeyfileMismatchError)) throw error;
    }
  }
  return undefined;
}
