/**
 * Makes items in the destination folder: files, folders, links, devices. Nothing is ever made outside of it.
 *
 * Source: Borg 1.4.5, archive.py, Archive.extract_item.
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { DirectoryRoot } from '../../platform/directory-root.ts';
import { type AttributeTarget, setFileAttributes } from '../../platform/file-attributes.ts';
import {
  type At,
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSymlink,
  lstat,
} from '../../platform/file-stat.ts';
import { closeFile } from '../../platform/open-file.ts';
import { isOsError, type Path } from '../../platform/os-error.ts';
import {
  FileWriter,
  makeDeviceFile,
  makeDirectory,
  makeFifo,
  makeHardLink,
  makeSymlink,
  replaceExisting,
  replaceFile,
} from '../../platform/write-file.ts';
import type { Reporter } from '../../util/reporter.ts';
import { GeneralWarning } from '../../errors.ts';
import { extractIo, ItemError, UnsafeItemError } from './extract-error.ts';
import type { ExtractedLinks } from './extracted-links.ts';
import { plainBytesOf } from './file-in-hand.ts';
import { type AttributeOptions, attributesOf } from './item-attributes.ts';

export interface ItemWriterOptions extends AttributeOptions {
  /** Leave holes for chunks of zeros. */
  readonly sparse?: boolean | undefined;
  /** Leave files alone that have the item's size and time already. */
  readonly continueExtraction?: boolean | undefined;
}

type Contents = AsyncIterable<Uint8Array>;

export class ItemWriter implements Disposable {
  readonly #root: DirectoryRoot;
  /** For the other end of hard links, while `#root` holds the new name's folder open. */
  readonly #sources: DirectoryRoot;
  readonly #options: ItemWriterOptions;
  readonly #reporter: Reporter;
  readonly #hardLinks: ExtractedLinks;

  constructor(destination: Path, hardLinks: ExtractedLinks, options: ItemWriterOptions, reporter: Reporter) {
    this.#root = new DirectoryRoot(destination);
    this.#sources = new DirectoryRoot(destination);
    this.#hardLinks = hardLinks;
    this.#options = options;
    this.#reporter = reporter;
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    this.#sources[Symbol.dispose]();
  }

  /** To be called where a folder may have been put in the place of another. */
  forgetFolders(): void {
    this.#root.forget();
    this.#sources.forget();
  }

  /** Gives the folder its attributes, after all in it was made. */
  finishFolder(item: Item, path: Uint8Array): void {
    const at = parentOf(this.#root, path, 'mkdir');
    // It was made before what is in it; an error for each folder would take long to make.
    extractIo('mkdir', () => isFolder(path, at) || makeFolderAt(path, at), path);
    this.#restore(item, { path, at });
  }

  /**
   * Makes anything but a folder or a file with contents of its own; throws a BackupError, or what reading the contents
   * throws: those of chunks that were found to be wanted only now.
   */
  async make(item: Item, path: Uint8Array, read: (chunks: readonly ChunkRef[]) => Contents): Promise<void> {
    const mode = item.mode ?? 0;
    if (item.source !== undefined) refuseZeroByte(item.source);
    const at = parentOf(this.#root, path, 'makedirs');
    const create = (operation: string, make: (there: At) => void): void => {
      extractIo(operation, () => replaceExisting(path, at, make), path);
    };
    if (isSymlink(mode)) {
      const target = item.source ?? new Uint8Array(0);
      create('symlink', (there) => makeSymlink(target, path, there));
      return this.#restore(item, { path, at });
    }
    let chunks: readonly ChunkRef[] = [];
    if (item.source !== undefined) {
      const found = this.#hardLinks.lookUp(item.source);
      if ('linkTo' in found) {
        const sourceAt = this.#sourceOf(found.linkTo);
        return create('link', (there) => makeHardLink(found.linkTo, sourceAt, path, there));
      }
      chunks = found.chunks ?? item.chunks ?? [];
    }
    if (isRegular(mode)) {
      await this.#writeFile(item, path, at, read(chunks));
    } else if (isFifo(mode)) {
      create('mkfifo', (there) => makeFifo(path, there));
      this.#restore(item, { path, at });
    } else if (isCharacterDevice(mode) || isBlockDevice(mode)) {
      const rdev = BigInt(item.rdev ?? 0);
      create('mknod', (there) => makeDeviceFile(path, mode, rdev, there));
      this.#restore(item, { path, at });
    } else throw new ItemError(`unknown type of item, mode ${mode.toString(8)}`);
    this.#hardLinks.extracted(item, path);
  }

  /** Makes a regular file from front to back; otherwise as make(). */
  async makeFile(item: Item, path: Uint8Array, contents: Contents): Promise<void> {
    await this.#writeFile(item, path, parentOf(this.#root, path, 'makedirs'), contents);
  }

  /** Gives the open file, which has all its contents, its attributes. */
  finishFile(item: Item, path: Uint8Array, fd: number, sizeBytes: number): void {
    this.#restore(item, { path, fd });
    checkContents(item, sizeBytes);
  }

  async #writeFile(item: Item, path: Uint8Array, at: At, contents: Contents): Promise<void> {
    const fd = extractIo('open', () => replaceFile(path, at), path);
    try {
      const writer = new FileWriter(fd, { sparse: this.#options.sparse ?? false });
      for await (const data of contents) extractIo('write', () => writer.write(data));
      extractIo('truncate_and_attrs', () => writer.finish());
      this.finishFile(item, path, fd, writer.positionBytes);
    } finally {
      closeFile(fd);
    }
  }

  #sourceOf(source: Uint8Array): At {
    try {
      return extractIo('link', () => this.#sources.parentOf(source), source);
    } catch (error) {
      throw error instanceof UnsafeItemError ? new UnsafeItemError('hardlink-source') : error;
    }
  }

  #restore(item: Item, target: AttributeTarget): void {
    const set = () => setFileAttributes(target, attributesOf(item, this.#options));
    for (const warning of extractIo('attrs', set, target.path)) {
      this.#reporter.warn(new GeneralWarning([warning]));
    }
  }
}

/** The item's folder, which is made where it is missing. */
export function parentOf(root: DirectoryRoot, path: Uint8Array, operation: string): At {
  refuseZeroByte(path);
  return extractIo(operation, () => root.parentOf(path, { create: true }), path);
}

/** Says so where the contents are not those that were backed up. */
export function checkContents(item: Item, sizeBytes: number): void {
  if (item.size !== undefined && item.size !== sizeBytes) {
    throw new ItemError(`Size inconsistency detected: size ${item.size}, chunks size ${sizeBytes}`);
  }
  if (item.chunksHealthy !== undefined) {
    throw new ItemError('File has damaged (all-zero) chunks. Try running borg check --repair.');
  }
}

/** Whether the file has the item's size and time already. */
export function isThere(item: Item, path: Uint8Array, at: At): boolean {
  try {
    const stat = lstat(path, at);
    return (
      isRegular(stat.mode) &&
      stat.sizeBytes === plainBytesOf(item.chunks ?? []) &&
      stat.mtimeNs === item.mtimeNs
    );
  } catch {
    return false;
  }
}

/** No file system has such names: the call would fail, or end at the byte. */
function refuseZeroByte(path: Uint8Array): void {
  if (path.includes(0)) throw new ItemError('a zero byte in a path');
}

function isFolder(path: Uint8Array, at: At): boolean {
  try {
    return isDirectory(lstat(path, at).mode);
  } catch (error) {
    if (!isOsError(error, 'ENOENT')) throw error;
    return false;
  }
}

/** Makes the folder unless it is there. */
export function makeFolderAt(path: Uint8Array, at: At): void {
  try {
    makeDirectory(path, at);
  } catch (error) {
    if (!isOsError(error, 'EEXIST') || !isDirectory(lstat(path, at).mode)) throw error;
  }
}
