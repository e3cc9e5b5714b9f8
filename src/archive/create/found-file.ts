import type { Item } from '../../format/item.ts';
import type { OpenedObject } from './inspector.ts';
import { PendingFile } from './pending-file.ts';

/** What the files cache says of a file that has to be read. */
export type KnownBefore = Pick<PendingFile, 'firstStatus'> &
  Partial<Pick<PendingFile, 'pathHash' | 'stored'>>;

/** A file of the tree on its way into the archive; it is open while it is read. */
export class FoundFile extends PendingFile {
  readonly found: OpenedObject;

  constructor(found: OpenedObject, item: Item, readNs: bigint, known: KnownBefore) {
    const { path, stat } = found;
    const { firstStatus, pathHash, stored } = known;
    super({ path, item, stat, pathHash, firstStatus, readNs, stored });
    this.found = found;
  }
}
