import { GeneralError, NoManifestError, ObjectNotFound } from '../../errors.ts';
import { PASSPHRASE_TYPE } from '../../keys/key-type.ts';
import { migrateToRepokey } from '../../keys/migrate-to-repokey.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface MigrateToRepokeyArgs extends CommonArgs, LocationArgs {}

export const keyMigrateToRepokey = defineCommand<MigrateToRepokeyArgs>({
  name: 'key migrate-to-repokey',
  description: `
Gives a repository in passphrase mode, which Borg had before 1.0, a key in the repository. Takes the passphrase of the
repository, and then a new one, which may be the same, from BORG_NEW_PASSPHRASE or typed twice.

The secrets stay what they were: who has the old passphrase can still make them from it.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [],
  examples: [{ command: 'alcove key migrate-to-repokey /path/to/repo', text: 'asks for both passphrases' }],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args, { exclusive: true });
    const manifest = await readManifest(repository);
    if (manifest[0] !== PASSPHRASE_TYPE) {
      throw new GeneralError([
        `The repository ${repository.location} is not in passphrase mode: there is nothing to migrate.`,
      ]);
    }
    await migrateToRepokey(ctx, repository, manifest);
    ctx.reporter.log('info', 'Key updated');
  },
});

async function readManifest(repository: Repository): Promise<Uint8Array> {
  try {
    return await repository.get(MANIFEST_ID);
  } catch (error) {
    throw error instanceof ObjectNotFound ? new NoManifestError([], error) : error;
  }
}
