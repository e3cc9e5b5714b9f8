/**
 * The files of one repository's cache, `<cache>/<repository id>/`, and the copies that make its changes all or
 * nothing:
 *
 * | name               | content                                                             |
 * |--------------------|---------------------------------------------------------------------|
 * | config             | what the cache is about, see CacheConfig                            |
 * | chunks             | ChunkIndex file; integrity data in config                           |
 * | chunks.archive.d/  | one compact ChunkIndex an archive, with integrity data beside it    |
 * | files, files.<sfx> | FilesCache file; integrity data in config                           |
 * | pre12-meta         | JSON: sizes of archives whose metadata lacks them                   |
 * | alcove-verified.*  | see VerifyRotation; Borg does not know it and leaves it alone       |
 * | README             | text                                                                |
 * | lock.*             | see Lock                                                            |
 * | txn.tmp/           | a transaction being prepared or removed                             |
 * | txn.active/        | config, chunks and files as they were before the transaction        |
 *
 * Source: Borg 1.4.5, cache.py, LocalCache (create, begin_txn, commit, rollback).
 */
import { FileIntegrityError } from '../../errors.ts';
import {
  decodeBuckets,
  decodeIndexHeader,
  encodeIndexFile,
  INDEX_HEADER_BYTES,
  IndexFileError,
} from '../../format/index-file.ts';
import {
  computeIntegrityData,
  encodeIntegrityData,
  IntegrityHasher,
  type IntegrityPart,
  verifyIntegrityData,
} from '../../format/integrity-data.ts';
import { hasCode, type ReadHandle, type Store } from '../../store/store.ts';
import { readWholeFile, saveWholeFile } from '../../store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../../util/bytes.ts';
import { HashIndex } from '../../util/hash-index.ts';
import { CHUNK_VALUE_WORDS, ChunkIndex } from './chunk-index.ts';

const README = 'This is a Borg Backup cache.\nSee https://borgbackup.readthedocs.io/\n';
const COPY_BYTES = 1 << 20;
const MAX_SMALL_FILE_BYTES = 64 << 20;
const MAX_FILES_CACHE_BYTES = 2 ** 40;

export const ARCHIVE_INDEXES = 'chunks.archive.d';

export interface ChunkIndexFileOptions {
  /** As in config, or from the file beside it; unchecked where undefined. */
  integrity?: string | undefined;
  /** The name that the integrity data is about, where it is not the file's. */
  integrityName?: string;
  compact?: boolean;
  shared?: boolean;
}

export class CacheDirectory {
  readonly store: Store;
  readonly filesName: string;

  /** `filesSuffix` as of BORG_FILES_CACHE_SUFFIX. */
  constructor(store: Store, filesSuffix: string | undefined) {
    this.store = store;
    this.filesName = filesSuffix ? `files.${filesSuffix}` : 'files';
  }

  get path(): string {
    return this.store.root;
  }

  exists(name = ''): boolean {
    return this.store.stat(name) !== undefined;
  }

  hasFolder(name: string): boolean {
    return this.store.stat(name)?.kind === 'folder';
  }

  /** Fills a new folder; the config is the caller's to write. */
  create(): void {
    this.store.createFolder('');
    this.writeText('README', README);
    this.writeChunkIndex('chunks', new ChunkIndex());
    this.store.createFolder(ARCHIVE_INDEXES);
    this.saveText(this.filesName, '');
    this.saveText('pre12-meta', '{}');
  }

  /** @throws FileIntegrityError; ENOENT of the store */
  readChunkIndex(name: string, options: ChunkIndexFileOptions = {}): ChunkIndex {
    const file = this.store.openFile(name);
    try {
      const header = new Uint8Array(INDEX_HEADER_BYTES);
      const headerBytes = file.read(header, 0);
      const sizeBytes = file.sizeBytes();
      const { size, bucketCount } = decodeIndexHeader(
        header.subarray(0, headerBytes),
        CHUNK_VALUE_WORDS,
        sizeBytes,
      );
      const shared = options.shared ?? false;
      const buckets = HashIndex.allocate(bucketCount, { valueWords: CHUNK_VALUE_WORDS, shared });
      file.read(buckets, INDEX_HEADER_BYTES);
      if (options.integrity !== undefined) {
        const parts: IntegrityPart[] = [{ name: 'HashHeader', bytes: header }, { bytes: buckets }];
        verifyIntegrityData(options.integrity, this.#full(name), parts, options.integrityName ?? name);
      }
      const compact = options.compact ?? false;
      return new ChunkIndex(decodeBuckets(buckets, { valueWords: CHUNK_VALUE_WORDS, size, compact, shared }));
    } catch (error) {
      if (error instanceof IndexFileError) throw new FileIntegrityError([this.#full(name)], error);
      throw error;
    } finally {
      file.close();
    }
  }

  /** Gives the integrity data. */
  writeChunkIndex(name: string, index: ChunkIndex, integrityName = name): string {
    const parts = encodeIndexFile(index.table);
    this.#write(
      name,
      parts.map((part) => part.bytes),
    );
    return computeIntegrityData(integrityName, parts);
  }

  /** @throws FileIntegrityError; ENOENT of the store */
  readFilesCache(integrity: string | undefined): Uint8Array {
    const bytes = readWholeFile(this.store, this.filesName, MAX_FILES_CACHE_BYTES);
    if (integrity !== undefined) verifyIntegrityData(integrity, this.#full(this.filesName), [{ bytes }]);
    return bytes;
  }

  /** What the files cache takes, 0 where there is none, or nobody can tell. */
  get filesCacheBytes(): number {
    try {
      return this.store.stat(this.filesName)?.sizeBytes ?? 0;
    } catch (error) {
      if (!hasCode(error)) throw error;
      return 0;
    }
  }

  /** Writes the pieces one after the other; gives the integrity data. */
  writeFilesCache(pieces: Iterable<Uint8Array>): string {
    return this.#writeHashed(this.filesName, pieces);
  }

  readText(name: string): string {
    return toUtf8Lossy(readWholeFile(this.store, name, MAX_SMALL_FILE_BYTES));
  }

  writeText(name: string, text: string): void {
    this.#write(name, [fromUtf8(text)]);
  }

  /** As writeText, atomically and durably. */
  saveText(name: string, text: string): void {
    saveWholeFile(this.store, name, fromUtf8(text));
  }

  /** Removes the file if it is there. */
  removeFile(name: string): boolean {
    try {
      this.store.removeFile(name);
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }

  /** Removes the folder and all in it, if it is there. */
  removeTree(name: string): void {
    if (this.store.stat(name) === undefined) return;
    for (const entry of this.store.list(name)) {
      const path = name === '' ? entry.name : `${name}/${entry.name}`;
      if (entry.kind === 'folder') this.removeTree(path);
      else this.store.removeFile(path);
    }
    this.store.removeFolder(name);
  }

  /** Copies what the transaction will change. */
  beginTransaction(): void {
    this.store.createFolder('txn.tmp');
    this.#copyConfig('config', 'txn.tmp/config');
    this.#copy('chunks', 'txn.tmp/chunks');
    if (this.exists(this.filesName)) this.#copy(this.filesName, `txn.tmp/${this.filesName}`);
    else this.saveText(`txn.tmp/${this.filesName}`, '');
    this.store.rename('txn.tmp', 'txn.active');
  }

  /** From here on the changes stay. */
  endTransaction(): void {
    this.store.rename('txn.active', 'txn.tmp');
    this.removeTree('txn.tmp');
  }

  /** Brings back what a transaction that did not end has changed. */
  rollback(): void {
    this.removeTree('txn.tmp');
    if (!this.exists('txn.active')) return;
    for (const { name } of this.store.list('txn.active')) {
      if (name !== 'config') this.#copy(`txn.active/${name}`, name);
    }
    // Last, since it tells whether the others are whole.
    if (this.exists('txn.active/config')) this.#copyConfig('txn.active/config', 'config');
    this.endTransaction();
  }

  #full(name: string): string {
    return `${this.store.root}/${name}`;
  }

  #write(name: string, pieces: Iterable<Uint8Array>): void {
    this.removeFile(name);
    const file = this.store.createFile(name);
    try {
      for (const piece of pieces) file.write(piece);
    } finally {
      file.close();
    }
  }

  #writeHashed(name: string, pieces: Iterable<Uint8Array>): string {
    const hasher = new IntegrityHasher(name);
    this.#write(name, hashed(pieces, hasher));
    return encodeIntegrityData(hasher.finish());
  }

  /** Durably: without its config the cache is none, while damage to the other files is recognized by it. */
  #copyConfig(from: string, to: string): void {
    this.saveText(to, this.readText(from));
  }

  #copy(from: string, to: string): void {
    const source = this.store.openFile(from);
    try {
      this.#write(to, readPieces(source));
    } finally {
      source.close();
    }
  }
}

function* hashed(pieces: Iterable<Uint8Array>, hasher: IntegrityHasher): Generator<Uint8Array> {
  for (const piece of pieces) {
    hasher.update(piece);
    yield piece;
  }
}

function* readPieces(source: ReadHandle): Generator<Uint8Array> {
  const buffer = new Uint8Array(COPY_BYTES);
  for (let position = 0; ;) {
    const count = source.read(buffer, position);
    if (count === 0) return;
    yield buffer.subarray(0, count);
    position += count;
  }
}
