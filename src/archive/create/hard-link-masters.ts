/**
 * Files with several names, while they are backed up: the first name that is archived is the master, later ones refer
 * to its path.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors.create_helper.
 */
import type { FileStat } from '../../platform/file-stat.ts';

type Inode = Pick<FileStat, 'dev' | 'ino' | 'nlink'>;

/** A master that is being read. */
export interface PendingMaster {
  /** Settles when it is in the archive, or is known not to get there. */
  readonly ended: Promise<void>;
}

export class HardLinkMasters {
  readonly #masters = new Map<string, Uint8Array | (PendingMaster & { end(): void })>();

  /** The master's path in the archive, or the master on its way there; undefined where there is none. */
  find(stat: Inode): Uint8Array | PendingMaster | undefined {
    return stat.nlink > 1 ? this.#masters.get(keyOf(stat)) : undefined;
  }

  /** This file is going to be the master. */
  begin(stat: Inode): void {
    if (stat.nlink <= 1) return;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#masters.set(keyOf(stat), { ended, end });
  }

  /** The master is in the archive. */
  add(stat: Inode, path: Uint8Array): void {
    if (stat.nlink > 1) this.#replace(stat, path);
  }

  /** The file did not make it; the next of its names gets its chance. */
  fail(stat: Inode): void {
    if (stat.nlink > 1) this.#replace(stat, undefined);
  }

  #replace(stat: Inode, path: Uint8Array | undefined): void {
    const key = keyOf(stat);
    const before = this.#masters.get(key);
    if (path === undefined) this.#masters.delete(key);
    // Of memory that it shares with other paths, a path would keep all.
    else this.#masters.set(key, path.slice());
    if (before !== undefined && !(before instanceof Uint8Array)) before.end();
  }
}

function keyOf(stat: Inode): string {
  return `${stat.dev}:${stat.ino}`;
}
