import { NoManifestError, ObjectNotFound } from '../errors.ts';
import { type CommitOptions, MANIFEST_ID, type Repository } from '../repository/repository.ts';

/**
 * Frees the space of what was deleted; `repository` is open for writing, exclusively.
 *
 * @throws NoManifestError; CheckNeeded where it is not known what belongs to it
 */
export async function compactRepository(
  repository: Repository,
  options: Omit<CommitOptions, 'compact'> = {},
): Promise<void> {
  // Only a transaction that changes something is committed, so the manifest is written as it was.
  await repository.put(MANIFEST_ID, await manifestOf(repository));
  await repository.commit({ ...options, compact: true });
}

async function manifestOf(repository: Repository): Promise<Uint8Array> {
  try {
    return await repository.get(MANIFEST_ID);
  } catch (error) {
    if (error instanceof ObjectNotFound) throw new NoManifestError([], error);
    throw error;
  }
}
