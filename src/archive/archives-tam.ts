/**
 * The authentication of archives that were made before Borg 1.0.9 or never got one.
 *
 * Source: Borg 1.4.5, archiver.py, do_upgrade (--archives-tam, --check-archives-tam).
 */
import type { Key } from '../keys/key.ts';
import type { Context } from '../util/context.ts';
import { selectArchives, type SelectedArchive } from './archive-selection.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import { openObject } from './repo-object.ts';
import type { Session } from './session.ts';
import { Statistics } from './statistics.ts';

export interface ArchivesTamOptions {
  /** Only look. */
  readonly readOnly?: boolean;
  /** Runs for each archive, oldest first; `newId` is what one is known by that got its authentication now. */
  readonly onArchive?: (archive: SelectedArchive, verified: boolean, newId?: Uint8Array) => void;
}

/** A context in which an archive with a wrong authentication counts as one without. */
export function withoutArchiveTam<T extends Context>(ctx: T): T {
  const workarounds = [ctx.env['BORG_WORKAROUNDS'], 'ignore_invalid_archive_tam'].filter(Boolean);
  return { ...ctx, env: { ...ctx.env, BORG_WORKAROUNDS: workarounds.join(',') } };
}

/**
 * Gives each archive an authentication that has none, and takes its contents for authentic. Gives the number of those
 * that have, or had, none. The session must have been opened in a context of `withoutArchiveTam`.
 *
 * @throws ObjectNotFound, IntegrityError where an archive is damaged: then nothing is changed
 */
export async function authenticateArchives(
  session: Session,
  options: ArchivesTamOptions = {},
): Promise<number> {
  const { ctx, key, manifest, repository } = session;
  await using cache = await session.openCache();
  let issues = 0;
  for (const archive of selectArchives(manifest.archives, { sortBy: ['ts'] })) {
    ctx.signal.throwIfAborted();
    const plaintext = openObject(key, archive.id, await repository.get(archive.id));
    const { value, verified } = key.unpackArchive(plaintext, { forceTamNotRequired: true });
    if (!verified) issues += 1;
    if (verified || options.readOnly === true) options.onArchive?.(archive, verified);
    else {
      const newId = await replace(session, cache, archive, key.packAuthenticated(value, 'archive'));
      options.onArchive?.(archive, verified, newId);
    }
  }
  if (issues > 0 && options.readOnly !== true) {
    await manifest.write();
    await repository.commit({ compact: false });
    await cache.commit();
  }
  return issues;
}

async function replace(
  { key, manifest }: { key: Key; manifest: Session['manifest'] },
  cache: ChunksCache,
  { name, id }: SelectedArchive,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const statistics = new Statistics();
  const newId = key.idHash(plaintext);
  await cache.begin();
  await cache.addChunk(newId, plaintext, statistics);
  await cache.decref(id, statistics);
  manifest.archives.set(name, { ...manifest.archives.get(name)!, id: newId });
  return newId;
}
