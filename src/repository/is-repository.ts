/** Telling a repository by its README. Source: Borg 1.4.5 repository.py, is_repository. */
import { PosixStore } from '../store/posix-store.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { toUtf8Lossy } from '../util/bytes.ts';

export const REPOSITORY_README =
  'This is a Borg Backup repository.\nSee https://borgbackup.readthedocs.io/\n';

const HEAD_SIZE_BYTES = 100;

/** Whether the folder is a repository; what can't be read is none. */
export function isRepository(path: string): boolean {
  return isRepositoryIn(new PosixStore(path));
}

export function isRepositoryIn(store: Store): boolean {
  try {
    const file = store.openFile('README');
    try {
      const head = new Uint8Array(HEAD_SIZE_BYTES);
      const text = toUtf8Lossy(head.subarray(0, file.read(head, 0)));
      // The second is what Borg 1.0 wrote.
      return text.includes('Borg Backup repository') || text.includes('Borg repository');
    } finally {
      file.close();
    }
  } catch (error) {
    if (hasCode(error)) return false;
    throw error;
  }
}
