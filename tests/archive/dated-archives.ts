/** Many archives in no time: copies of one, under other names and times. */
import { Archive } from '../../src/archive/archive.ts';
import { openObject } from '../../src/archive/repo-object.ts';
import type { Session } from '../../src/archive/session.ts';
import { Statistics } from '../../src/archive/statistics.ts';

/** Adds copies of the archive `model` to the repository, and commits. Times as `2026-01-31T12:00:00`, UTC. */
export async function addDatedArchives(
  session: Session,
  model: string,
  archives: readonly (readonly [name: string, time: string])[],
): Promise<void> {
  const { key, manifest, repository } = session;
  await using cache = await session.openCache();
  await cache.begin();
  const statistics = new Statistics();
  const archive = await Archive.open(session, model);
  const items = await Array.fromAsync(archive.items());
  const referenced = [
    ...archive.metadata.items,
    ...items.flatMap(({ chunks = [] }) => chunks.map(({ id }) => id)),
  ];
  const plaintext = openObject(key, archive.id, await repository.get(archive.id));
  for (const [name, seconds] of archives) {
    const time = `${seconds}.000000`;
    const { value } = key.unpackArchive(plaintext);
    value.set('name', name).set('time', time).set('time_end', time);
    const packed = key.packAuthenticated(value, 'archive');
    const id = key.idHash(packed);
    await cache.addChunk(id, packed, statistics);
    for (const chunk of referenced) cache.incref(chunk, statistics);
    manifest.archives.set(name, { id, time });
  }
  await manifest.write();
  await repository.commit();
  await cache.commit();
}
