/** What is in a directory, a bounded number at a time. */
import type { Vfs, VfsEntry } from '../vfs.ts';

const BATCH_ENTRIES = 1000;

/** @throws VfsError */
export async function* directoryEntries(
  vfs: Vfs,
  directory: number,
): AsyncGenerator<VfsEntry, void, undefined> {
  for (let after = 0; ;) {
    const batch: VfsEntry[] = [];
    await vfs.entries(directory, after, (entry) => batch.push(entry) < BATCH_ENTRIES);
    yield* batch;
    if (batch.length < BATCH_ENTRIES) return;
    after = batch.at(-1)!.cookie;
  }
}
