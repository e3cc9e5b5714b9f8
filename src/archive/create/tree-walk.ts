/**
 * Walks a directory tree in Borg's order, deciding what belongs to the backup; a visitor processes what is found.
 * Directories are held open while their entries are looked at, and entries are found relative to them, so that a
 * path replaced by a symlink meanwhile leads nowhere else.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver._rec_walk; helpers/fs.py, dir_is_tagged and scandir_inorder.
 */
import { backupIo, BackupError } from '../backup-error.ts';
import { childPath, joinPath } from './path-bytes.ts';
import type { Attributes } from './attributes.ts';
import { directoryTags, type TagOptions } from './directory-tags.ts';
import type { FoundObject, InspectedObject, Inspector, OpenedObject } from './inspector.ts';
import { getFlags, UF_NODUMP } from '../../platform/bsd-flags.ts';
import { type DirectoryEntry, listDirectory, type SaidType } from '../../platform/directory.ts';
import { type At, type FileStat, isDirectory, lstat } from '../../platform/file-stat.ts';
import { closeFile } from '../../platform/open-file.ts';

/** Called in the order of the walk. */
export interface WalkVisitor {
  /** A directory is taken in; all that is in it follows. */
  directory(path: Uint8Array, stat: FileStat, attributes: Attributes): void;
  /** What is in the directory has been visited. */
  directoryEnd(path: Uint8Array): void;
  /** Anything else is taken in; the visitor closes its descriptor. */
  object(found: InspectedObject): void;
  status(letter: string, path: Uint8Array): void;
  failed(path: Uint8Array, error: BackupError): void;
  /**
   * The keys in the files cache of files that it is told of next, where it will ask for them: of many at once they take less
   * time.
   */
  pathHashes?(paths: readonly Uint8Array[]): readonly Uint8Array[] | undefined;
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
  readonly keepExcludeTags: boolean;
  readonly excludeNodump: boolean;
}

export interface InodeId {
  readonly dev: bigint;
  readonly ino: bigint;
}

type Entry = Pick<DirectoryEntry, 'name' | 'says'>;

/** A directory that the walk is in. */
interface Frame {
  readonly path: Uint8Array;
  readonly fd: number;
  readonly entries: readonly Entry[];
  next: number;
  /** What to report at its end: that it was taken in, this letter, or nothing. */
  readonly end: 'directory' | 'x' | '-' | undefined;
}

/** Where a walk stands, as it can be sent to another thread. */
export interface WalkState {
  readonly frames: readonly Frame[];
  readonly skipped: readonly InodeId[];
  readonly restrictToDevice: bigint | undefined;
}

export class TreeWalk {
  readonly #options: WalkOptions;
  readonly #inspector: Inspector;
  readonly #visitor: WalkVisitor;
  readonly #dryRun: boolean;
  #skipped: InodeId[] = [];
  readonly #frames: Frame[] = [];
  #restrictToDevice: bigint | undefined;

  /** A dry run opens nothing but directories, and only reports what it finds. */
  constructor(options: WalkOptions, inspector: Inspector, visitor: WalkVisitor, dryRun = false) {
    this.#options = options;
    this.#inspector = inspector;
    this.#visitor = visitor;
    this.#dryRun = dryRun;
  }

  /** Leaves out what has this inode, wherever it is met. */
  skip(inode: InodeId): void {
    this.#skipped.push(inode);
  }

  /** Walks what is at `root`; yields after each step, where the walk may also be left, or given away. */
  walk(root: Uint8Array, restrictToDevice: bigint | undefined): Generator<void> {
    this.#restrictToDevice = restrictToDevice;
    return this.#steps(root);
  }

  /** Gives the walk away as it stands, with its descriptors, between two steps: here it is over then. */
  giveAway(): WalkState {
    const frames = this.#frames.splice(0);
    return { frames, skipped: [...this.#skipped], restrictToDevice: this.#restrictToDevice };
  }

  /** Goes on with a walk that was given away. */
  resume({ frames, skipped, restrictToDevice }: WalkState): Generator<void> {
    this.#frames.push(...frames);
    this.#skipped = [...skipped];
    this.#restrictToDevice = restrictToDevice;
    return this.#steps();
  }

  *#steps(root?: Uint8Array): Generator<void> {
    try {
      if (root !== undefined) {
        this.#enter(root, undefined);
        yield;
      }
      for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
        const entry = frame.entries[frame.next++];
        if (entry === undefined) this.#leave(frame);
        else this.#enterEntry(frame, entry);
        yield;
      }
    } finally {
      for (const { fd } of this.#frames.splice(0)) closeFile(fd);
    }
  }

  #leave({ path, fd, end }: Frame): void {
    this.#frames.pop();
    closeFile(fd);
    if (end === 'directory') this.#visitor.directoryEnd(path);
    else if (end !== undefined) this.#visitor.status(end, path);
  }

  #enterEntry({ path, fd }: Frame, { name, says }: Entry): void {
    this.#enter(childPath(path, name), { directoryFd: fd, name }, says);
  }

  #enter(path: Uint8Array, at: At | undefined, says?: SaidType): void {
    const { matcher } = this.#options;
    const included = matcher.match(path);
    if (!included) {
      this.#visitor.status('x', path);
      // Not even touched then: looking at it could trigger an error.
      if (!matcher.recurseDir) return;
    }
    try {
      if (at !== undefined && included && says !== undefined && this.#enterSaid(path, at, says)) return;
      const stat = backupIo('stat', () => lstat(this.#locate(path, at), at), at?.name ?? path);
      if (!included && !isDirectory(stat.mode)) return;
      this.#enterFound({ path, at, stat }, included);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      this.#visitor.failed(path, error);
      if (included) this.#visitor.status('E', path);
    }
  }

  /** Opens a regular file or a directory at once, as most things in a tree are; false where nothing came of it. */
  #enterSaid(path: Uint8Array, at: At, says: Exclude<SaidType, undefined>): boolean {
    if (this.#dryRun || this.#options.excludeNodump) return false;
    const isFile = says === 'regular';
    const inspector = this.#inspector;
    const opened = isFile ? inspector.inspectRegular(path, at) : inspector.openSaidDirectory(path, at);
    if (opened === undefined) return false;
    if (this.#isSkipped(opened.stat)) closeFile(opened.fd);
    else if (isFile) this.#visitor.object(opened);
    else this.#enterOpened(opened, true);
    return true;
  }

  #isSkipped({ ino, dev }: InodeId): boolean {
    return this.#skipped.some((inode) => inode.ino === ino && inode.dev === dev);
  }

  #enterFound(found: FoundObject, included: boolean): void {
    const { path, stat } = found;
    if (this.#isSkipped(stat)) return;
    if (this.#options.excludeNodump) {
      const flags = backupIo('flags', () => getFlags(joinPath(this.#options.cwd, path), stat.mode));
      if ((flags & UF_NODUMP) !== 0) {
        this.#visitor.status('x', path);
        return;
      }
    }
    if (isDirectory(stat.mode)) return this.#enterOpened(this.#inspector.openDirectory(found), included);
    if (this.#dryRun) return this.#visitor.status('-', path);
    const inspected = this.#inspector.inspect(found);
    if (inspected !== undefined) this.#visitor.object(inspected);
  }

  /** What to give to the system: found by its name in an open directory, the path is for messages only. */
  #locate(path: Uint8Array, at: At | undefined): Uint8Array {
    return at === undefined ? joinPath(this.#options.cwd, path) : path;
  }

  #enterOpened({ path, fd, stat }: OpenedObject, included: boolean): void {
    let frame: Frame | undefined;
    try {
      frame = this.#directoryFrame(path, fd, stat, included);
    } finally {
      if (frame === undefined) closeFile(fd);
      else this.#frames.push(frame);
    }
  }

  /** Undefined where nothing is to be done inside of the directory. */
  #directoryFrame(path: Uint8Array, fd: number, stat: FileStat, included: boolean): Frame | undefined {
    const { keepExcludeTags } = this.#options;
    // The directory that another file system is mounted on is backed up, what is in it is not.
    const recurse = this.#restrictToDevice === undefined || stat.dev === this.#restrictToDevice;
    const tags = recurse ? directoryTags(path, fd, this.#options) : [];
    if (tags.length > 0) {
      if (!included) return undefined;
      if (!keepExcludeTags) {
        this.#visitor.status('x', path);
        return undefined;
      }
      if (!this.#dryRun) this.#takeIn(path, fd, stat);
      const entries = tags.map((name) => ({ name, says: undefined }));
      return { path, fd, entries, next: 0, end: 'x' };
    }
    if (included && !this.#dryRun) this.#takeIn(path, fd, stat);
    const entries = recurse ? backupIo('scandir', () => listDirectory(fd)) : [];
    const end = this.#dryRun ? '-' : 'directory';
    return { path, fd, entries, next: 0, end: included ? end : undefined };
  }

  #takeIn(path: Uint8Array, fd: number, stat: FileStat): void {
    this.#visitor.directory(path, stat, this.#inspector.attributes(fd, stat, path));
  }
}
