/**
 * The folder that an archive is extracted into, and the only way by which extraction reaches a path in it: folder by
 * folder, none of them a symlink. So nothing that an archive (or another user) plants there leads outside.
 *
 * Source: Borg 1.4.5, archive.py (Archive._check_safe_parent, extract_item's make_parent).
 */
import { constants } from 'node:fs';
import { equalBytes } from '../util/bytes.ts';
import type { At } from './file-stat.ts';
import { closeFile, openAt, openDirectory } from './open-file.ts';
import { type Path, isOsError } from './os-error.ts';
import { makeDirectory } from './write-file.ts';

/** A path that extraction must not touch; `reason` tells which of Borg's two warnings it is worth. */
export class UnsafePathError extends Error {
  override readonly name = 'UnsafePathError';
  readonly reason: 'traversal' | 'symlink-parent';

  constructor(reason: 'traversal' | 'symlink-parent') {
    super(reason === 'traversal' ? 'the path leads outside' : 'a parent folder is not a folder');
    this.reason = reason;
  }
}

const SLASH = 0x2f;
const DOT = 0x2e;

interface OpenFolder {
  readonly name: Uint8Array;
  readonly fd: number;
  leases: number;
  /** Not one of those above the path looked at last. */
  isLeft: boolean;
}

export interface FolderLease {
  /** To be called once. */
  release(): void;
}

/** The root itself stays open anyway. */
const ROOT_LEASE: FolderLease = { release() {} };

export class DirectoryRoot implements Disposable {
  readonly #fd: number;
  /** The folders above the path looked at last, from the top: items come folder by folder. */
  readonly #chain: OpenFolder[] = [];
  /** That path up to its name, where `#chain` are the folders in it. */
  #above: Uint8Array | undefined;

  /** `path` itself may be a symlink to a folder: the user named it. */
  constructor(path: Path) {
    this.#fd = openAt(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /**
   * The open parent folder of a relative path, and the path's last name; missing parents are made if `create` is
   * set. It stays open until the next call. Throws UnsafePathError, or ENOENT where a parent is missing.
   */
  parentOf(path: Uint8Array, options: { create?: boolean } = {}): At {
    const start = path.lastIndexOf(SLASH) + 1;
    // Other than "." and "..", which begin so, and nothing at all.
    const hasName = start < path.length && path[start] !== DOT;
    if (hasName && this.#above !== undefined && isAbove(this.#above, path, start)) {
      return { directoryFd: this.#top(), name: path.subarray(start) };
    }
    this.#above = undefined;
    const at = this.#findParent(path, options);
    if (hasName) this.#above = path.slice(0, start);
    return at;
  }

  #findParent(path: Uint8Array, options: { create?: boolean }): At {
    const names = splitPath(path);
    const name = names.pop();
    // The root itself, as an archive of "." has it.
    if (name === undefined) return { directoryFd: this.#fd, name: Buffer.from('.') };
    let depth = 0;
    while (depth < names.length && depth < this.#chain.length) {
      if (!equalBytes(this.#chain[depth]!.name, names[depth]!)) break;
      depth++;
    }
    this.#closeFrom(depth);
    for (const folder of names.slice(depth)) {
      const at: At = { directoryFd: this.#top(), name: folder };
      const fd = openFolder(path, at, options.create ?? false);
      this.#chain.push({ name: folder, fd, leases: 0, isLeft: false });
    }
    return { directoryFd: this.#top(), name };
  }

  /** Keeps the folder that parentOf() gave last open until the lease is released. */
  lease(): FolderLease {
    const folder = this.#chain.at(-1);
    if (folder === undefined) return ROOT_LEASE;
    folder.leases += 1;
    return {
      release: () => {
        folder.leases -= 1;
        if (folder.isLeft) closeUnused(folder);
      },
    };
  }

  /** Looks up all folders of the next path anew, since one that is open may have been replaced. */
  forget(): void {
    this.#closeFrom(0);
  }

  [Symbol.dispose](): void {
    this.#closeFrom(0);
    closeFile(this.#fd);
  }

  #top(): number {
    return this.#chain.at(-1)?.fd ?? this.#fd;
  }

  #closeFrom(depth: number): void {
    this.#above = undefined;
    for (const folder of this.#chain.splice(depth)) {
      folder.isLeft = true;
      closeUnused(folder);
    }
  }
}

function closeUnused({ fd, leases }: OpenFolder): void {
  if (leases === 0) closeFile(fd);
}

function openFolder(path: Uint8Array, at: At, create: boolean): number {
  try {
    return openDirectory(path, at);
  } catch (error) {
    if (isOsError(error, 'ENOTDIR', 'ELOOP')) throw new UnsafePathError('symlink-parent');
    if (!create || !isOsError(error, 'ENOENT')) throw error;
  }
  makeDirectory(path, at);
  return openDirectory(path, at);
}

/** Whether the path's name begins at `start`, behind `above`. */
function isAbove(above: Uint8Array, path: Uint8Array, start: number): boolean {
  if (above.length !== start) return false;
  // Folders next to each other differ in what comes last.
  for (let index = start - 1; index >= 0; index--) if (path[index] !== above[index]) return false;
  return true;
}

function splitPath(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  if (path[0] === SLASH) throw new UnsafePathError('traversal');
  for (let start = 0; start <= path.length;) {
    const slash = path.indexOf(SLASH, start);
    const end = slash < 0 ? path.length : slash;
    const name = path.subarray(start, end);
    if (name.length === 2 && name[0] === DOT && name[1] === DOT) throw new UnsafePathError('traversal');
    if (name.length > 0 && !(name.length === 1 && name[0] === DOT)) names.push(name);
    start = end + 1;
  }
  return names;
}
