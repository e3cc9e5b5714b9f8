/** Counts all references of a repository from scratch, and compares the cache and the repository with that. */
import assert from 'node:assert/strict';
import { Archive } from '../../../src/archive/archive.ts';
import type { Session } from '../../../src/archive/session.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { toHex } from '../../../src/util/bytes.ts';

/** Id → references, over all archives. */
export async function countReferences(session: Session): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const add = (id: Uint8Array): void => {
    counts.set(toHex(id), (counts.get(toHex(id)) ?? 0) + 1);
  };
  for (const name of session.manifest.archives.keys()) {
    const archive = await Archive.open(session, name, { considerPartFiles: true });
    add(archive.id);
    for (const id of archive.metadata.items) add(id);
    for await (const item of archive.items()) for (const { id } of item.chunks ?? []) add(id);
  }
  return counts;
}

export interface ReferenceCheckOptions {
  /** Objects that nothing refers to are no fault. */
  readonly orphans?: boolean;
}

/**
 * Asserts that each chunk that an archive refers to is there, and that the cache, as it is on the disk where it is
 * in step, counts just those references.
 */
export async function checkReferences(
  session: Session,
  where: string,
  { orphans = false }: ReferenceCheckOptions = {},
): Promise<void> {
  const counts = await countReferences(session);
  const stored = new Set((await session.repository.list()).map(toHex));
  stored.delete(toHex(MANIFEST_ID));
  const missing = [...counts.keys()].filter((id) => !stored.has(id));
  assert.deepEqual(missing, [], `${where}: objects that archives refer to are gone`);
  await using cache = await session.openCache({ filesCacheMode: 'cis' });
  const cached = new Map([...cache.chunks.entries()].map(([id, { refcount }]) => [toHex(id), refcount]));
  const wrong = [...new Set([...counts.keys(), ...cached.keys()])]
    .filter((id) => counts.get(id) !== cached.get(id))
    .map((id) => `${id.slice(0, 8)}: ${counts.get(id)} references, ${cached.get(id)} in the cache`);
  assert.deepEqual(wrong, [], `${where}: the cache counts wrong`);
  if (orphans) return;
  const unused = [...stored].filter((id) => !counts.has(id));
  assert.deepEqual(unused, [], `${where}: objects that nothing refers to`);
}
