/**
 * What "upgrade" without an option about TAM does: it looks whether the repository, or its key, is of a version before
 * Borg 1.0. Source: Borg 1.4.5, upgrader.py.
 */
import { AtticRepository, GeneralError, ObjectNotFound } from '../errors.ts';
import { PASSPHRASE_TYPE } from '../keys/key-type.ts';
import { findLegacyKeyfile, moveLegacyKeyfile, newPathOf } from '../keys/legacy-keyfile.ts';
import { MANIFEST_ID, type Repository } from '../repository/repository.ts';
import type { CommonArgs } from './options/common.ts';
import type { LocationArgs } from './options/positionals.ts';
import type { CliContext } from './context.ts';
import { openRepositoryAt } from './open-repository.ts';

type Args = CommonArgs & LocationArgs & { readonly dryRun: boolean };

export async function upgradeFormat(ctx: CliContext, args: Args): Promise<void> {
  await using repository = await open(ctx, args);
  const legacyKeyfile = findLegacyKeyfile(ctx, repository.idHex);
  const usesPassphrase = await isInPassphraseMode(repository);
  if (legacyKeyfile !== undefined) {
    const path = args.dryRun ? newPathOf(ctx, legacyKeyfile) : moveLegacyKeyfile(ctx, legacyKeyfile);
    ctx.print(`${args.dryRun ? 'Would move' : 'Moved'} the key file ${legacyKeyfile} to ${path}\n`);
  }
  if (usesPassphrase) {
    ctx.print('The repository is in passphrase mode: give it a key with "key migrate-to-repokey".\n');
  } else if (legacyKeyfile === undefined) {
    ctx.print('The repository is one of Borg 1 already: there is nothing to convert.\n');
  }
}

async function open(ctx: CliContext, args: Args): Promise<Repository> {
  try {
    return await openRepositoryAt(ctx, args, { exclusive: true });
  } catch (error) {
    if (!(error instanceof AtticRepository)) throw error;
    throw new GeneralError(
      [
        `${args.location.canonicalPath()} is a repository of Attic. This program can't convert it: ` +
          'run "borg upgrade" of Borg 1.4 on it, then use it here.',
      ],
      error,
    );
  }
}

async function isInPassphraseMode(repository: Repository): Promise<boolean> {
  try {
    return (await repository.get(MANIFEST_ID))[0] === PASSPHRASE_TYPE;
  } catch (error) {
    if (error instanceof ObjectNotFound) return false;
    throw error;
  }
}
