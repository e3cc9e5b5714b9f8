/**
 * Gives an archive another name, which makes it another object: the name is in its metadata.
 *
 * Source: Borg 1.4.5, archive.py, Archive.rename and set_meta; archiver.py, do_rename.
 */
import { ArchiveAlreadyExists } from '../errors.ts';
import { encodeArchiveMetadata } from '../format/archive-metadata.ts';
import { Archive } from './archive.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import type { Session } from './session.ts';
import { Statistics } from './statistics.ts';

/**
 * Renames and commits.
 *
 * @throws ArchiveDoesNotExist; ArchiveAlreadyExists
 */
export async function renameArchive(session: Session, name: string, newName: string): Promise<void> {
  await using cache = await session.openCache();
  await renameInTransaction(session, cache, name, newName);
  await session.manifest.write();
  await session.repository.commit({ compact: false });
  await cache.commit();
}

/**
 * Renames in the running transaction, which the caller commits: manifest, repository, cache. Gives the new id.
 *
 * @throws as renameArchive
 */
export async function renameInTransaction(
  session: Session,
  cache: ChunksCache,
  name: string,
  newName: string,
): Promise<Uint8Array> {
  const { key, manifest } = session;
  const { id: oldId, metadata } = await Archive.open(session, name);
  if (manifest.archives.has(newName)) throw new ArchiveAlreadyExists([newName]);
  const packed = key.packAuthenticated(encodeArchiveMetadata({ ...metadata, name: newName }), 'archive');
  const id = key.idHash(packed);
  // Sizes of files stay as they are.
  const statistics = new Statistics();
  await cache.begin();
  await cache.addChunk(id, packed, statistics);
  manifest.archives.set(newName, { id, time: metadata.time });
  manifest.archives.delete(name);
  await cache.decref(oldId, statistics);
  return id;
}
