/** Removal of a repository and all in it. */
import type { Store } from '../store/store.ts';

/** Removes the folder; links in it are removed, never followed. */
export function removeTree(store: Store, folder: string): void {
  for (const { name, kind, isLink } of store.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'folder' && !isLink) removeTree(store, path);
    else store.removeFile(path);
  }
  store.removeFolder(folder);
}
