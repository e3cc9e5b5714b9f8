/**
 * Keyfiles where Borg before 1.0 kept them, in ~/.borg/keys.
 *
 * Source: Borg 1.4.5, upgrader.py, BorgRepositoryUpgrader and Borg0xxKeyfileKey.
 */
import { GeneralError } from '../errors.ts';
import { decodeKeyfile, KEYFILE_MAGIC } from '../format/key-blob.ts';
import { getBaseDir, getKeysDir } from '../platform/home.ts';
import { saveFile } from '../platform/save-file.ts';
import { isRegularFile, listFolder, pathExists, readSmallText, removeFile } from '../platform/state-files.ts';
import type { Context } from '../util/context.ts';

/** Path of the repository's old keyfile, if there is one. */
export function findLegacyKeyfile(ctx: Context, repositoryIdHex: string): string | undefined {
  const folder = `${getBaseDir(ctx.env)}/.borg/keys`;
  if (!pathExists(folder)) return undefined;
  return listFolder(folder)
    .map((name) => `${folder}/${name}`)
    .find((path) => isKeyfileOf(path, repositoryIdHex));
}

/** Where `moveLegacyKeyfile` would put the file. */
export function newPathOf(ctx: Context, legacyPath: string): string {
  return `${getKeysDir(ctx.env)}/${legacyPath.slice(legacyPath.lastIndexOf('/') + 1)}`;
}

/** Moves the keyfile to where it is looked for now. Throws a GeneralError where another file has its name there. */
export function moveLegacyKeyfile(ctx: Context, legacyPath: string): string {
  const path = newPathOf(ctx, legacyPath);
  if (pathExists(path)) throw new GeneralError([`Aborting because key in "${path}" already exists.`]);
  saveFile(path, readSmallText(legacyPath)!, { mode: 0o600 });
  removeFile(legacyPath);
  return path;
}

function isKeyfileOf(path: string, repositoryIdHex: string): boolean {
  if (!isRegularFile(path)) return false;
  const { header } = decodeKeyfile(readSmallText(path) ?? '');
  return header.trim() === `${KEYFILE_MAGIC} ${repositoryIdHex}`;
}
