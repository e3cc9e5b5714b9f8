/**
 * Asks the system for all that the item of a thing in the tree needs, contents aside. What was found at a path and what
 * is opened there then must be the same thing.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors; archiver.py, Archiver._process_any.
 */
import {
  type At,
  type FileStat,
  fstat,
  isBlockDevice,
  isCharacterDevice,
  isFifo,
  isRegular,
  isSocket,
  isSymlink,
  lstat,
  stat as statFollowing,
} from '../../platform/file-stat.ts';
import {
  closeFile,
  openDirectory,
  openRead,
  type OpenReadOptions,
  readLink,
} from '../../platform/open-file.ts';
import { isOsError } from '../../platform/os-error.ts';
import { BackupError, backupIo, checkSameFile } from '../backup-error.ts';
import { type Attributes, type AttributeOptions, readAttributes } from './attributes.ts';
import { isSpecial, joinPath } from './path-bytes.ts';

/** A thing found in the tree. `at` is missing where the path was given by the user. */
export interface FoundObject {
  readonly path: Uint8Array;
  readonly at: At | undefined;
  readonly stat: FileStat;
}

/** A thing of which all is known that no contents tell. */
export interface InspectedObject {
  readonly path: Uint8Array;
  /** Of what was opened, where something was. */
  readonly stat: FileStat;
  /** Open, where there are contents to read; whoever takes the object closes it. */
  readonly fd?: number | undefined;
  /** Of a symlink. */
  readonly linkTarget?: Uint8Array | undefined;
  /** Or why they can't be read. Absent where whoever takes the object may want them read with the contents. */
  readonly attributes?: Attributes | BackupError | undefined;
  /** The key of a regular file in the files cache, where it is known already. */
  readonly pathHash?: Uint8Array | undefined;
}

export interface OpenedObject extends InspectedObject {
  readonly fd: number;
}

export interface InspectorOptions extends AttributeOptions {
  /** Open devices and fifos, and what symlinks to them lead to, for their content. */
  readonly readSpecial: boolean;
  /** Absolute; what paths are relative to. */
  readonly cwd: Uint8Array;
  /** Read the attributes of regular files, too. */
  readonly attributesAhead: boolean;
}

const USUAL: OpenReadOptions = { noAtime: true };
const SPECIAL: OpenReadOptions = { noAtime: true, nonBlock: false };

export class Inspector {
  readonly #options: InspectorOptions;

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  /** Undefined for what is in no backup: sockets. Throws BackupError. */
  inspect(found: FoundObject): InspectedObject | undefined {
    const { path, stat } = found;
    const { mode } = stat;
    const { readSpecial } = this.#options;
    if (isRegular(mode)) return this.#regular(this.#open(found, USUAL));
    if (isSymlink(mode)) return this.#symlinkOrTarget(found);
    if (isSocket(mode)) return undefined;
    if (isSpecial(mode) && readSpecial) return this.#open(found, SPECIAL);
    if (isFifo(mode)) return this.#fifo(found);
    if (isCharacterDevice(mode) || isBlockDevice(mode)) return this.#device(found);
    return { path, stat };
  }

  /** Opens a directory that was found; the caller closes it. Throws BackupError. */
  openDirectory(found: FoundObject): OpenedObject {
    const { path, at } = found;
    const fd = backupIo('dir_open', () => openDirectory(this.#locate(found), at), at?.name ?? path);
    return { path, fd, stat: this.#checkOpened(found, fd) };
  }

  /**
   * Opens what its folder calls a directory without looking at it before. Undefined where that fails: why, openDirectory()
   * finds out.
   */
  openSaidDirectory(path: Uint8Array, at: At): OpenedObject | undefined {
    return tryOpen(path, () => openDirectory(path, at));
  }

  /** Of an open file, or of a path. Throws BackupError. */
  attributes(target: number | Uint8Array, stat: FileStat, path: Uint8Array): Attributes {
    return readAttributes(target, stat, path, this.#options);
  }

  /**
   * Opens what its folder calls a regular file without looking at it before. Undefined where it is none, and where
   * anything fails: what to say then, inspect() finds out.
   */
  inspectRegular(path: Uint8Array, at: At): OpenedObject | undefined {
    const opened = tryOpen(path, () => openRead(path, USUAL, at));
    if (opened === undefined || isRegular(opened.stat.mode)) return opened && this.#regular(opened);
    closeFile(opened.fd);
    return undefined;
  }

  /** All that is to be known of a regular file that was opened. */
  #regular(opened: OpenedObject): OpenedObject {
    if (!this.#options.attributesAhead) return opened;
    const { path, stat, fd } = opened;
    return { path, stat, fd, attributes: this.#tryAttributes(opened) };
  }

  #tryAttributes({ path, stat, fd }: OpenedObject): Attributes | BackupError {
    try {
      return this.attributes(fd, stat, path);
    } catch (error) {
      if (error instanceof BackupError) return error;
      closeFile(fd);
      throw error;
    }
  }

  #symlinkOrTarget(found: FoundObject): InspectedObject {
    if (this.#options.readSpecial) {
      const target = this.#targetOf(found);
      if (target !== undefined && isSpecial(target.mode)) {
        return this.#open({ ...found, stat: target }, { ...SPECIAL, noFollow: false });
      }
    }
    const { path, at, stat } = found;
    const linkTarget = backupIo('readlink', () => readLink(this.#locate(found), at), at?.name ?? path);
    return { path, stat, linkTarget, attributes: this.#attributesOfPath(path, stat) };
  }

  #fifo(found: FoundObject): InspectedObject {
    const { path, stat, fd } = this.#open(found, USUAL);
    try {
      return { path, stat, attributes: this.attributes(fd, stat, path) };
    } finally {
      closeFile(fd);
    }
  }

  /** Not opened: some devices do things when they are. */
  #device(found: FoundObject): InspectedObject {
    const { path, at } = found;
    const stat = checkSameFile(
      found.stat,
      backupIo('stat', () => lstat(this.#locate(found), at), at?.name ?? path),
    );
    return { path, stat, attributes: this.#attributesOfPath(path, stat) };
  }

  #attributesOfPath(path: Uint8Array, stat: FileStat): Attributes {
    return this.attributes(joinPath(this.#options.cwd, path), stat, joinPath(this.#options.cwd, path));
  }

  #open(found: FoundObject, options: OpenReadOptions): OpenedObject {
    const { path, at } = found;
    const fd = backupIo('open', () => openRead(this.#locate(found), options, at), at?.name ?? path);
    return { path, fd, stat: this.#checkOpened(found, fd) };
  }

  /** The stat of what was opened; it is closed where it is not what was found. */
  #checkOpened(found: FoundObject, fd: number): FileStat {
    try {
      return checkSameFile(
        found.stat,
        backupIo('fstat', () => fstat(fd)),
      );
    } catch (error) {
      closeFile(fd);
      throw error;
    }
  }

  #targetOf(found: FoundObject): FileStat | undefined {
    try {
      return statFollowing(this.#locate(found), found.at);
    } catch {
      return undefined;
    }
  }

  /** What to give to the system: found by its name in an open directory, the path is for messages only. */
  #locate({ path, at }: FoundObject): Uint8Array {
    return at === undefined ? joinPath(this.#options.cwd, path) : path;
  }
}

/** What was opened; undefined where it can't be. */
function tryOpen(path: Uint8Array, open: () => number): OpenedObject | undefined {
  let fd: number | undefined;
  try {
    fd = open();
    return { path, stat: fstat(fd), fd };
  } catch (error) {
    if (fd !== undefined) closeFile(fd);
    if (!isOsError(error)) throw error;
    return undefined;
  }
}
