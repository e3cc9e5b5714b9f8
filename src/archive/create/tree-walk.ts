/**
 * Walks a directory tree in Borg's order, deciding what belongs to the backup; a visitor processes what is found.
 * Directories are held open while their entries are looked at, and entries are found relative to them, so that a
 * path replaced by a symlink meanwhile leads nowhere else.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver._rec_walk; helpers/fs.py, dir_is_tagged and scandir_inorder.
 */
import { backupIo, BackupError, checkSameFile } from '../backup-error.ts';
import { childPath, joinPath } from './path-bytes.ts';
import { directoryTags, type TagOptions } from './directory-tags.ts';
import { getFlags, UF_NODUMP } from '../../platform/bsd-flags.ts';
import { listDirectory } from '../../platform/directory.ts';
import { type At, type FileStat, fstat, isDirectory, lstat } from '../../platform/file-stat.ts';
import { closeFile, openDirectory } from '../../platform/open-file.ts';

/** A thing found in the tree. `at` is missing where the path was given by the user. */
export interface FoundObject {
  readonly path: Uint8Array;
  readonly at: At | undefined;
  readonly stat: FileStat;
}

/** Called in the order of the walk. */
export interface WalkVisitor {
  /**
   * Takes a directory in, which is open as `fd`, and gives the status to report when all in it is done; throws
   * BackupError to leave it and all below it out.
   */
  directory(path: Uint8Array, fd: number, stat: FileStat): string;
  /** Takes anything else in, and reports its status; throws BackupError. */
  object(found: FoundObject): void;
  status(letter: string, path: Uint8Array): void;
  failed(path: Uint8Array, error: BackupError): void;
}

/** What PatternMatcher offers. */
export interface Matcher {
  match(path: Uint8Array): boolean;
  readonly recurseDir: boolean;
}

export interface WalkOptions extends TagOptions {
  /** Absolute; what paths are relative to. */
  readonly cwd: Uint8Array;
  readonly matcher: Matcher;
  readonly dryRun: boolean;
  readonly keepExcludeTags: boolean;
  readonly excludeNodump: boolean;
}

export interface InodeId {
  readonly dev: bigint;
  readonly ino: bigint;
}

interface Frame {
  readonly path: Uint8Array;
  readonly fd: number;
  readonly names: readonly Uint8Array[];
  next: number;
  readonly endStatus: string | undefined;
}

export class TreeWalk {
  readonly #options: WalkOptions;
  readonly #visitor: WalkVisitor;
  readonly #skipped: InodeId[] = [];
  readonly #frames: Frame[] = [];
  #restrictToDevice: bigint | undefined;

  constructor(options: WalkOptions, visitor: WalkVisitor) {
    this.#options = options;
    this.#visitor = visitor;
  }

  /** Leaves out what has this inode, wherever it is met. */
  skip(inode: InodeId): void {
    this.#skipped.push(inode);
  }

  /** Walks what is at `root`; yields after each step, where the walk may also be left. */
  *walk(root: Uint8Array, restrictToDevice: bigint | undefined): Generator<void> {
    this.#restrictToDevice = restrictToDevice;
    try {
      this.#enter(root, undefined);
      yield;
      for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
        const name = frame.names[frame.next++];
        if (name === undefined) {
          this.#leave();
          if (frame.endStatus !== undefined) this.#visitor.status(frame.endStatus, frame.path);
        } else {
          this.#enter(childPath(frame.path, name), { directoryFd: frame.fd, name });
        }
        yield;
      }
    } finally {
      while (this.#frames.length > 0) this.#leave();
    }
  }

  #leave(): void {
    closeFile(this.#frames.pop()!.fd);
  }

  #enter(path: Uint8Array, at: At | undefined): void {
    const { matcher } = this.#options;
    const included = matcher.match(path);
    if (!included) {
      this.#visitor.status('x', path);
      // Not even touched then: looking at it could trigger an error.
      if (!matcher.recurseDir) return;
    }
    try {
      const stat = backupIo('stat', () => lstat(this.#locate(path, at), at), at?.name ?? path);
      if (!included && !isDirectory(stat.mode)) return;
      this.#enterFound({ path, at, stat }, included);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      this.#visitor.failed(path, error);
      if (included) this.#visitor.status('E', path);
    }
  }

  #enterFound(found: FoundObject, included: boolean): void {
    const { path, stat } = found;
    if (this.#skipped.some((inode) => inode.ino === stat.ino && inode.dev === stat.dev)) return;
    if (this.#options.excludeNodump) {
      const flags = backupIo('flags', () => getFlags(joinPath(this.#options.cwd, path), stat.mode));
      if ((flags & UF_NODUMP) !== 0) {
        this.#visitor.status('x', path);
        return;
      }
    }
    if (isDirectory(stat.mode)) this.#enterDirectory(found, included);
    else if (this.#options.dryRun) this.#visitor.status('-', path);
    else this.#visitor.object(found);
  }

  /** What to give to the system: found by its name in an open directory, the path is for messages only. */
  #locate(path: Uint8Array, at: At | undefined): Uint8Array {
    return at === undefined ? joinPath(this.#options.cwd, path) : path;
  }

  #enterDirectory(found: FoundObject, included: boolean): void {
    const { path, at } = found;
    const fd = backupIo('dir_open', () => openDirectory(this.#locate(path, at), at), at?.name ?? path);
    let frame: Frame | undefined;
    try {
      const stat = checkSameFile(
        found.stat,
        backupIo('fstat', () => fstat(fd)),
      );
      frame = this.#directoryFrame(path, fd, stat, included);
    } finally {
      if (frame === undefined) closeFile(fd);
      else this.#frames.push(frame);
    }
  }

  /** Undefined where nothing is to be done inside of the directory. */
  #directoryFrame(path: Uint8Array, fd: number, stat: FileStat, included: boolean): Frame | undefined {
    const { dryRun, keepExcludeTags } = this.#options;
    // The directory that another file system is mounted on is backed up, what is in it is not.
    const recurse = this.#restrictToDevice === undefined || stat.dev === this.#restrictToDevice;
    const tags = recurse ? directoryTags(path, fd, this.#options) : [];
    if (tags.length > 0) {
      if (!included) return undefined;
      if (!keepExcludeTags) {
        this.#visitor.status('x', path);
        return undefined;
      }
      if (!dryRun) this.#visitor.directory(path, fd, stat);
      return { path, fd, names: tags, next: 0, endStatus: 'x' };
    }
    let endStatus: string | undefined;
    if (included) endStatus = dryRun ? '-' : this.#visitor.directory(path, fd, stat);
    const names = recurse ? backupIo('scandir', () => listDirectory(fd).map((entry) => entry.name)) : [];
    return { path, fd, names, next: 0, endStatus };
  }
}
