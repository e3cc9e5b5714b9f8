/**
 * Files with several names, while they are backed up: the first name that is archived is the master, later ones refer
 * to its path.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors.create_helper.
 */
import type { FileStat } from '../platform/file-stat.ts';

type Inode = Pick<FileStat, 'dev' | 'ino' | 'nlink'>;

export class HardLinkMasters {
  readonly #paths = new Map<string, Uint8Array | undefined>();

  /** The master's path in the archive; 'pending' while it is on its way there; undefined where there is none. */
  find(stat: Inode): Uint8Array | 'pending' | undefined {
    if (stat.nlink <= 1) return undefined;
    const key = keyOf(stat);
    return this.#paths.has(key) ? (this.#paths.get(key) ?? 'pending') : undefined;
  }

  /** This file is going to be the master. */
  begin(stat: Inode): void {
    if (stat.nlink > 1) this.#paths.set(keyOf(stat), undefined);
  }

  /** The master is in the archive. */
  add(stat: Inode, path: Uint8Array): void {
    if (stat.nlink > 1) this.#paths.set(keyOf(stat), path);
  }

  /** The file did not make it; the next of its names gets its chance. */
  fail(stat: Inode): void {
    const key = keyOf(stat);
    if (this.#paths.get(key) === undefined) this.#paths.delete(key);
  }
}

function keyOf(stat: Inode): string {
  return `${stat.dev}:${stat.ino}`;
}
