/**
 * Makes items in the destination folder: files, folders, links, devices. Nothing is ever made outside of it.
 *
 * Source: Borg 1.4.5, archive.py, Archive.extract_item.
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { DirectoryRoot } from '../../platform/directory-root.ts';
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
  createFile,
  createNewFile,
  FileWriter,
  makeDeviceFile,
  makeDirectory,
  makeFifo,
  makeHardLink,
  makeSymlink,
} from '../../platform/write-file.ts';
import type { Reporter } from '../../util/reporter.ts';
import { extractIo, ItemError, UnsafeItemError } from '../extract/extract-error.ts';
import { ExtractedLinks } from '../extract/extracted-links.ts';
import { type AttributeOptions, restoreAttributes } from '../extract/item-attributes.ts';

export interface ItemWriterOptions extends AttributeOptions {
  /** Leave holes for chunks of zeros. */
  readonly sparse?: boolean | undefined;
  /** Leave files alone that have the item's size and time already. */
  readonly continueExtraction?: boolean | undefined;
}

/** Where a file's contents come from; what is not read is skipped by the caller. */
export interface ContentSource {
  /** The item's own chunks. */
  own(): AsyncIterable<Uint8Array>;
  /** Chunks that were found to be wanted only now. */
  other(chunks: readonly ChunkRef[]): AsyncIterable<Uint8Array>;
}

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

  /** Makes the folder, without its attributes: files are still to be made in it. */
  makeFolder(path: Uint8Array): void {
    const at = this.#parentOf(path, 'mkdir');
    extractIo(
      'mkdir',
      () => this.#replacing(path, at, (there) => makeDirectory(path, there), makeFolderAt),
      path,
    );
  }

  /** Gives the folder its attributes, after all in it was made. */
  finishFolder(item: Item, path: Uint8Array): void {
    const at = this.#parentOf(path, 'mkdir');
    // It was made before what is in it; an error for each folder would take long to make.
    extractIo('mkdir', () => isFolder(path, at) || makeFolderAt(path, at), path);
    this.#restore(item, { path, at });
  }

  /** Makes anything but a folder at `path`; throws a BackupError, or what reading the contents throws. */
  async make(item: Item, path: Uint8Array, content: ContentSource): Promise<void> {
    const mode = item.mode ?? 0;
    if (item.source !== undefined) refuseZeroByte(item.source);
    if (this.#options.continueExtraction === true && this.#isThere(item, path)) return;
    const at = this.#parentOf(path, 'makedirs');
    if (isSymlink(mode)) {
      const target = item.source ?? new Uint8Array(0);
      this.#restore(item, {
        path,
        at: this.#create('symlink', path, at, (there) => makeSymlink(target, path, there)),
      });
      return;
    }
    let chunks: readonly ChunkRef[] | undefined;
    if (item.source !== undefined) {
      const found = this.#hardLinks.lookUp(item.source);
      if ('linkTo' in found) return this.#link(found.linkTo, path, at);
      chunks = found.chunks;
    }
    if (isRegular(mode)) {
      const contents = chunks === undefined ? content.own() : content.other(chunks);
      await this.#writeFile(item, path, at, contents);
    } else if (isFifo(mode)) {
      this.#restore(item, { path, at: this.#create('mkfifo', path, at, (there) => makeFifo(path, there)) });
    } else if (isCharacterDevice(mode) || isBlockDevice(mode)) {
      const rdev = BigInt(item.rdev ?? 0);
      const make = (there: At): void => makeDeviceFile(path, mode, rdev, there);
      this.#restore(item, { path, at: this.#create('mknod', path, at, make) });
    } else throw new ItemError(`unknown type of item, mode ${mode.toString(8)}`);
    this.#hardLinks.extracted(item, path);
  }

  #isThere(item: Item, path: Uint8Array): boolean {
    if (!isRegular(item.mode ?? 0) || item.source !== undefined) return false;
    try {
      const stat = lstat(path, this.#root.parentOf(path));
      const sizeBytes = (item.chunks ?? []).reduce((sum, chunk) => sum + chunk.size, 0);
      return isRegular(stat.mode) && stat.sizeBytes === sizeBytes && stat.mtimeNs === item.mtimeNs;
    } catch {
      return false;
    }
  }

  #parentOf(path: Uint8Array, operation: string): At {
    refuseZeroByte(path);
    return extractIo(operation, () => this.#root.parentOf(path, { create: true }), path);
  }

  /**
   * Makes what is not there yet; what is there goes first. Where it can't go, `otherwise` makes the best of it.
   * Most things are not there, so this is tried without looking.
   */
  #replacing<T>(
    path: Uint8Array,
    at: At,
    make: (at: At) => T,
    otherwise = (_path: Uint8Array, there: At) => make(there),
  ): T {
    try {
      return make(at);
    } catch (error) {
      if (!isOsError(error, 'EEXIST')) throw error;
    }
    try {
      this.#root.removeExisting(path);
    } catch (error) {
      if (!isOsError(error)) throw error;
    }
    return otherwise(path, this.#root.parentOf(path));
  }

  /** As #replacing, for what has no descriptor; gives the place where it was made. */
  #create(operation: string, path: Uint8Array, at: At, make: (at: At) => void): At {
    const placed = (there: At): At => {
      make(there);
      return there;
    };
    return extractIo(operation, () => this.#replacing(path, at, placed), path);
  }

  #link(source: Uint8Array, path: Uint8Array, at: At): void {
    let sourceAt: At;
    try {
      sourceAt = extractIo('link', () => this.#sources.parentOf(source), source);
    } catch (error) {
      throw error instanceof UnsafeItemError ? new UnsafeItemError('hardlink-source') : error;
    }
    this.#create('link', path, at, (there) => makeHardLink(source, sourceAt, path, there));
  }

  async #writeFile(item: Item, path: Uint8Array, at: At, contents: AsyncIterable<Uint8Array>): Promise<void> {
    const create = (there: At): number => createNewFile(path, there);
    const fd = extractIo('open', () => this.#replacing(path, at, create, createFile), path);
    try {
      const writer = new FileWriter(fd);
      let endsInHole = false;
      for await (const data of contents) {
        endsInHole = this.#options.sparse === true && isZero(data);
        extractIo('write', () => (endsInHole ? writer.hole(data.length) : writer.write(data)));
      }
      if (endsInHole) extractIo('truncate_and_attrs', () => writer.finish());
      this.#restore(item, { path, fd });
      checkContents(item, writer.positionBytes);
    } finally {
      closeFile(fd);
    }
  }

  #restore(item: Item, where: { path: Uint8Array; fd: number } | { path: Uint8Array; at: At }): void {
    extractIo('attrs', () => restoreAttributes(where, item, this.#options, this.#reporter), where.path);
  }
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

function makeFolderAt(path: Uint8Array, at: At): void {
  try {
    makeDirectory(path, at);
  } catch (error) {
    if (!isOsError(error, 'EEXIST') || !isDirectory(lstat(path, at).mode)) throw error;
  }
}

const zeros = Buffer.alloc(64 * 1024);

function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += zeros.length) {
    const end = Math.min(at + zeros.length, data.length);
    if (zeros.compare(data, at, end, 0, end - at) !== 0) return false;
  }
  return true;
}
