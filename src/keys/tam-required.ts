/**
 * The empty file `tam_required` in a repository's security folder: this client knows that the repository's manifest
 * must be authenticated, so an older, unauthenticated one is no longer taken.
 *
 * Source: Borg 1.4.5, crypto/key.py, tam_required(); helpers/manifest.py, Manifest.load(); archiver.py, do_init().
 */
import { getSecurityDir } from '../platform/home.ts';
import { isRegularFile, removeFile, writeEmptyFile } from '../platform/state-files.ts';
import type { Context } from '../util/context.ts';

function pathOf(ctx: Context, repositoryIdHex: string): string {
  return `${getSecurityDir(ctx.env, repositoryIdHex)}/tam_required`;
}

export function isTamRequired(ctx: Context, repositoryIdHex: string): boolean {
  return isRegularFile(pathOf(ctx, repositoryIdHex));
}

/** Remembers, or forgets, that the repository needs TAM. Only on the word of an authenticated manifest. */
export function setTamRequired(ctx: Context, repositoryIdHex: string, required: boolean): void {
  const path = pathOf(ctx, repositoryIdHex);
  if (isRegularFile(path) === required) return;
  const known = required ? 'required' : '*not* required';
  ctx.reporter.log('debug', `Manifest says that TAM is ${known}, updating security database...`);
  if (required) writeEmptyFile(path);
  else removeFile(path);
}
