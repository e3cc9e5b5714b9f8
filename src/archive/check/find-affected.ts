/** Which files and archives need objects that a check of the repository found damaged. Beyond Borg. */
import { BorgError, NoManifestError } from '../../errors.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Context } from '../../util/context.ts';
import { selectArchives } from '../archive-selection.ts';
import { Manifest } from '../manifest.ts';
import { ArchiveExaminer } from './archive-examiner.ts';
import type { ArchivesCheckOptions } from './check-archives.ts';
import { loadKeyOfObjects } from './check-key.ts';
import { CheckState } from './check-state.ts';
import { DamageCollector } from './damage.ts';
import { ObjectReferences } from './object-references.ts';
import { isIntegrityError, ObjectSource } from './object-source.ts';

export interface AffectedFiles {
  readonly damage: DamageCollector;
  /** Why nothing, or not all, could be found out. */
  readonly problem: string | undefined;
}

/** Says nothing, changes nothing, and throws nothing that comes from damage or from the key. */
export async function findAffected(
  ctx: Context,
  repository: Repository,
  damagedIds: Iterable<Uint8Array>,
  options: ArchivesCheckOptions = {},
): Promise<AffectedFiles> {
  const damage = new DamageCollector();
  for (const id of damagedIds) damage.addDamagedChunk(id);
  try {
    const chunks = await ObjectReferences.of(repository, false);
    const key = await loadKeyOfObjects(ctx, repository, chunks.ids());
    const state = new CheckState(ctx, { repository, key, mode: 'check', chunks, damage, quiet: true });
    const manifest = await loadManifest(state);
    if (manifest === undefined) return { damage, problem: 'the list of archives is damaged' };
    await using objects = new ObjectSource(repository, key, options.threads);
    const archives = selectArchives(manifest.archives, { sortBy: ['ts'] });
    await new ArchiveExaminer(state, manifest, objects).run(archives, {
      msgid: 'check.find_affected',
      text: 'Looking for affected files %3.1f%%',
    });
    return { damage, problem: undefined };
  } catch (error) {
    if (!(error instanceof BorgError)) throw error;
    return { damage, problem: error.message };
  }
}

async function loadManifest(state: CheckState): Promise<Manifest | undefined> {
  const { ctx, repository, key, damage } = state;
  try {
    return await Manifest.load(ctx, repository, ['check'], { key });
  } catch (error) {
    if (!(error instanceof NoManifestError) && !isIntegrityError(error)) throw error;
    damage.manifestProblem = error.message;
    return undefined;
  }
}
