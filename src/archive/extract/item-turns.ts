/** What is said when it is an item's turn: that it is there, and what goes wrong with it. */
import type { Item } from '../../format/item.ts';
import type { ExtractionReport } from './extraction-report.ts';
import type { FileInHand } from './file-in-hand.ts';
import type { PathUnderWay } from './paths-under-way.ts';
import type { UnfinishedFolders } from './unfinished-folders.ts';

type Call = () => Promise<void> | void;

export class ItemTurns {
  readonly #report: ExtractionReport;
  readonly #folders: UnfinishedFolders;

  /** Folders are finished before the first item that is not in them. */
  constructor(report: ExtractionReport, folders: UnfinishedFolders) {
    this.#report = report;
    this.#folders = folders;
  }

  /** Does what is left to be done for an item; a BackupError is a warning. */
  take(item: Item, path: Uint8Array, call: Call, underWay?: PathUnderWay): Promise<void> | void {
    this.#announce(item, path);
    underWay?.end();
    return this.#warning(item, call);
  }

  /** The same for a part of a file. */
  takePart(file: FileInHand, call: Call): Promise<void> | void {
    if (!file.isAnnounced) this.#announce(file.item, file.path);
    file.isAnnounced = true;
    return this.#warning(file.item, call);
  }

  #announce(item: Item, path: Uint8Array): void {
    this.#folders.finishBefore(path);
    this.#report.begin(item.path);
    this.#report.list(path);
  }

  #warning(item: Item, call: Call): Promise<void> | void {
    const warn = (error: unknown): void => this.#report.warn(item.path, error);
    try {
      return call()?.catch(warn);
    } catch (error) {
      return warn(error);
    }
  }
}
