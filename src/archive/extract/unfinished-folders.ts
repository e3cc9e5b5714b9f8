/** Gives folders their attributes once all in them was made: items come folder by folder. */
import type { Item } from '../../format/item.ts';
import type { PathUnderWay } from './paths-under-way.ts';

export interface UnfinishedFolder {
  readonly item: Item;
  readonly path: Uint8Array;
  readonly underWay: PathUnderWay;
}

export class UnfinishedFolders {
  /** Those that may still get entries, each within the one before. */
  readonly #folders: UnfinishedFolder[] = [];
  readonly #finish: (folder: UnfinishedFolder) => void;

  constructor(finish: (folder: UnfinishedFolder) => void) {
    this.#finish = finish;
  }

  add(folder: UnfinishedFolder): void {
    this.#folders.push(folder);
  }

  /** Finishes the folders that `next` is not in. */
  finishBefore(next: Uint8Array): void {
    for (let folder = this.#folders.at(-1); folder !== undefined; folder = this.#folders.at(-1)) {
      if (isWithin(next, folder.path)) return;
      this.#folders.pop();
      this.#finish(folder);
    }
  }

  finishAll(): void {
    for (const folder of this.#folders.splice(0).toReversed()) this.#finish(folder);
  }
}

function isWithin(path: Uint8Array, folder: Uint8Array): boolean {
  if (path.length <= folder.length || path[folder.length] !== 0x2f) return isRoot(folder);
  for (let index = folder.length - 1; index >= 0; index--) if (path[index] !== folder[index]) return false;
  return true;
}

function isRoot(folder: Uint8Array): boolean {
  return folder.length === 1 && folder[0] === 0x2e;
}
