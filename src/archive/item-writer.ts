/**
 * Makes items in the destination folder: files, folders, links, devices. Nothing is ever made outside of it.
 *
 * Source: Borg 1.4.5, archive.py, Archive.extract_item.
 */
import type { ChunkRef, Item } from '../format/item.ts';
import { DirectoryRoot } from '../platform/directory-root.ts';
import {
  type At,
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSymlink,
  lstat,
} from '../platform/file-stat.ts';
import { closeFile } from '../platform/open-file.ts';
import { isOsError, type Path } from '../platform/os-error.ts';
import {
  createFile,
  FileWriter,
  makeDeviceFile,
  makeDirectory,
  makeFifo,
  makeHardLink,
  makeSymlink,
} from '../platform/write-file.ts';
import type { Reporter } from '../util/reporter.ts';
import { extractIo, ItemError, UnsafeItemError } from './extract-error.ts';
import { ExtractedLinks } from './extracted-links.ts';
import { type AttributeOptions, restoreAttributes } from './item-attributes.ts';

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
    this.#removeExisting(path);
    const at = this.#parentOf(path, 'mkdir');
    extractIo('mkdir', () => makeFolderAt(path, at), path);
  }

  /** Gives the folder its attributes, after all in it was made. */
  finishFolder(item: Item, path: Uint8Array): void {
    const at = this.#parentOf(path, 'mkdir');
    extractIo('mkdir', () => makeFolderAt(path, at), path);
    this.#restore(item, { path, at });
  }

  /** Makes anything but a folder at `path`; throws a BackupError, or what reading the contents throws. */
  async make(item: Item, path: Uint8Array, content: ContentSource): Promise<void> {
    const mode = item.mode ?? 0;
    if (this.#options.continueExtraction === true && this.#isThere(item, path)) return;
    this.#removeExisting(path);
    const at = this.#parentOf(path, 'makedirs');
    if (isSymlink(mode)) {
      extractIo('symlink', () => makeSymlink(item.source ?? new Uint8Array(0), path, at), path);
      this.#restore(item, { path, at });
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
      extractIo('mkfifo', () => makeFifo(path, at), path);
      this.#restore(item, { path, at });
    } else if (isCharacterDevice(mode) || isBlockDevice(mode)) {
      extractIo('mknod', () => makeDeviceFile(path, mode, BigInt(item.rdev ?? 0), at), path);
      this.#restore(item, { path, at });
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
    return extractIo(operation, () => this.#root.parentOf(path, { create: true }), path);
  }

  /** What can't be removed stays, and making the new thing says why it can't be. */
  #removeExisting(path: Uint8Array): void {
    extractIo('', () => {
      try {
        this.#root.removeExisting(path);
      } catch (error) {
        if (!isOsError(error)) throw error;
      }
    });
  }

  #link(source: Uint8Array, path: Uint8Array, at: At): void {
    let sourceAt: At;
    try {
      sourceAt = extractIo('link', () => this.#sources.parentOf(source), source);
    } catch (error) {
      throw error instanceof UnsafeItemError ? new UnsafeItemError('hardlink-source') : error;
    }
    extractIo('link', () => makeHardLink(source, sourceAt, path, at), source);
  }

  async #writeFile(item: Item, path: Uint8Array, at: At, contents: AsyncIterable<Uint8Array>): Promise<void> {
    const fd = extractIo('open', () => createFile(path, at), path);
    try {
      const writer = new FileWriter(fd);
      for await (const data of contents) {
        extractIo('write', () => {
          if (this.#options.sparse === true && isZero(data)) writer.hole(data.length);
          else writer.write(data);
        });
      }
      extractIo('truncate_and_attrs', () => writer.finish());
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
