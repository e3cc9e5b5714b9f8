/**
 * Brings the chunks cache in step with the repository: counts the references of every archive. What an archive
 * refers to never changes, so its counts are kept in `chunks.archive.d/<archive id>.compact` and only archives
 * that other clients added are fetched.
 *
 * Source: Borg 1.4.5, cache.py, LocalCache.sync.
 */
import { FileIntegrityError, GeneralWarning } from '../../errors.ts';
import { hasCode } from '../../store/store.ts';
import { toBinaryString, toHex } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { ARCHIVE_INDEXES, type CacheDirectory } from './cache-directory.ts';
import { ChunkIndex } from './chunk-index.ts';
import type { CacheSubject } from './chunks-cache.ts';
import { ReferenceCounter } from './reference-counter.ts';
import { archiveStreams, type ArchiveStream } from '../archives-ahead.ts';

type ArchiveStreams = AsyncGenerator<ArchiveStream, void, undefined>;

const LOGGER = { logger: 'borg.cache' };

export class CacheSync {
  readonly #ctx: Context;
  readonly #subject: CacheSubject;
  readonly #directory: CacheDirectory;
  /** Whether there is one index file an archive; else all is counted into one table. */
  readonly #keepArchiveIndexes: boolean;
  /** Sizes that no archive knew and that were fetched already. */
  readonly #fetchedCsizes = new Map<string, number>();

  constructor(ctx: Context, subject: CacheSubject, directory: CacheDirectory, keepArchiveIndexes: boolean) {
    this.#ctx = ctx;
    this.#subject = subject;
    this.#directory = directory;
    this.#keepArchiveIndexes = keepArchiveIndexes;
  }

  /** The references of all archives, in shared memory. */
  async run(): Promise<ChunkIndex> {
    this.#cleanUpLegacy();
    this.#info('Synchronizing chunks cache...');
    const names = new Map<string, string>();
    for (const [name, info] of this.#subject.manifest.archives) names.set(toHex(info.id), name);
    const cached = this.#cachedArchives();
    const outdated = [...cached].filter((id) => !names.has(id));
    const missing = [...names.keys()].filter((id) => !cached.has(id));
    this.#info(
      `Archives: ${names.size}, w/ cached Idx: ${cached.size}, w/ outdated Idx: ${outdated.length}, ` +
        `w/o cached Idx: ${missing.length}.`,
    );
    for (const id of outdated) this.#removeIndex(id);
    const capacity = names.size > 0 ? await this.#subject.repository.count() : 0;
    const master = ChunkIndex.withUsable(capacity, { shared: true });
    const progress = this.#ctx.reporter.percent(
      'cache.sync',
      '%3.0f%% Syncing chunks cache. Processing archive %s',
      names.size,
    );
    const fetched = archiveStreams(
      this.#subject,
      missing.map((id) => names.get(id)!),
    );
    try {
      for (const [idHex, name] of names) {
        this.#ctx.signal.throwIfAborted();
        progress.advance({ info: [name] });
        const streams = cached.has(idHex) ? undefined : fetched;
        if (this.#keepArchiveIndexes) master.merge(await this.#archiveIndex(idHex, name, streams));
        else await this.#fetchAndCount(name, fetched, master);
      }
    } finally {
      await fetched.return();
    }
    if (!this.#keepArchiveIndexes) await this.#fetchMissingCsizes(master);
    progress.finish();
    this.#info('Done.');
    return master;
  }

  /** The archive is the next one of the streams; without streams, its index should be kept here. */
  async #archiveIndex(idHex: string, name: string, streams: ArchiveStreams | undefined): Promise<ChunkIndex> {
    const known = streams === undefined ? this.#readIndex(idHex, name) : undefined;
    if (known !== undefined) return known;
    const index = new ChunkIndex();
    await this.#fetchAndCount(name, streams ?? archiveStreams(this.#subject, [name]), index);
    await this.#fetchMissingCsizes(index);
    this.#writeIndex(idHex, index);
    return index;
  }

  async #fetchAndCount(name: string, streams: ArchiveStreams, index: ChunkIndex): Promise<void> {
    this.#info(`Fetching and building archive index for ${name} ...`);
    const { archive, sizes, chunks } = (await streams.next()).value!;
    index.add(archive.id, 1, sizes.sizeBytes, sizes.csizeBytes);
    const counter = new ReferenceCounter(index);
    for await (const { id, plaintext, sizeBytes, csizeBytes } of chunks()) {
      index.add(id, 1, sizeBytes, csizeBytes);
      counter.feed(plaintext);
    }
  }

  /** Archives made with --no-cache-sync lack the sizes in the repository of chunks that were there before. */
  async #fetchMissingCsizes(index: ChunkIndex): Promise<void> {
    const unknown: Uint8Array[] = [];
    for (const id of index.idsWithoutCsize()) {
      const csizeBytes = this.#fetchedCsizes.get(toBinaryString(id));
      if (csizeBytes === undefined) unknown.push(id);
      else index.set(id, { ...index.get(id)!, csizeBytes });
    }
    let next = 0;
    for await (const sealed of this.#subject.repository.getMany(unknown)) {
      const id = unknown[next++]!;
      index.set(id, { ...index.get(id)!, csizeBytes: sealed.length });
      this.#fetchedCsizes.set(toBinaryString(id), sealed.length);
    }
  }

  #cachedArchives(): Set<string> {
    const ids = new Set<string>();
    if (!this.#keepArchiveIndexes) return ids;
    for (const { name } of this.#directory.store.list(ARCHIVE_INDEXES)) {
      const match = /^([0-9a-f]{64})(?:\.compact)?$/.exec(name);
      if (match !== null) ids.add(match[1]!);
    }
    return ids;
  }

  #readIndex(idHex: string, archiveName: string): ChunkIndex | undefined {
    this.#info(`Reading cached archive chunk index for ${archiveName} ...`);
    try {
      const isCompact = this.#directory.exists(`${ARCHIVE_INDEXES}/${idHex}.compact`);
      const index = this.#readIndexFile(isCompact ? `${idHex}.compact` : idHex, isCompact);
      if (isCompact && index !== undefined) {
        this.#removeFiles(idHex);
        return index;
      }
      this.#removeIndex(idHex);
      // Written by a Borg from before compact indexes: converted.
      if (index !== undefined) this.#writeIndex(idHex, index);
      return index;
    } catch (error) {
      if (!(error instanceof FileIntegrityError)) throw error;
      const message = `Cached archive chunk index of ${archiveName} is corrupted: ${error.message}`;
      this.#ctx.reporter.warn(new GeneralWarning([message]));
      this.#removeIndex(idHex);
      return undefined;
    }
  }

  /**
   * Undefined where nothing tells whether it is whole, as after a power failure: counts that are too low would in the
   * end delete what is in use.
   */
  #readIndexFile(name: string, compact: boolean): ChunkIndex | undefined {
    const path = `${ARCHIVE_INDEXES}/${name}`;
    if (!this.#directory.exists(`${path}.integrity`)) {
      this.#info(`No integrity file found for ${this.#directory.path}/${path}`);
      return undefined;
    }
    const integrity = this.#directory.readText(`${path}.integrity`);
    return this.#directory.readChunkIndex(path, { integrity, integrityName: name, compact });
  }

  /** Without room for it the index is not kept, which costs time on the next sync and nothing else. */
  #writeIndex(idHex: string, index: ChunkIndex): void {
    index.table.compact();
    const name = `${idHex}.compact`;
    const temporary = `${ARCHIVE_INDEXES}/${idHex}.tmp`;
    try {
      const integrity = this.#directory.writeChunkIndex(temporary, index, name);
      this.#directory.writeText(`${ARCHIVE_INDEXES}/${name}.integrity`, integrity);
      this.#directory.store.rename(temporary, `${ARCHIVE_INDEXES}/${name}`);
    } catch (error) {
      if (!hasCode(error)) throw error;
      this.#directory.removeFile(temporary);
    }
  }

  #removeIndex(idHex: string): void {
    this.#removeFiles(idHex);
    this.#removeFiles(`${idHex}.compact`);
  }

  #removeFiles(name: string): void {
    this.#directory.removeFile(`${ARCHIVE_INDEXES}/${name}`);
    this.#directory.removeFile(`${ARCHIVE_INDEXES}/${name}.integrity`);
  }

  #cleanUpLegacy(): void {
    this.#directory.removeFile('chunks.archive');
    this.#directory.removeFile('chunks.archive.tmp');
    // A file in the folder's place is how users of Borg turn the archive indexes off: it stays.
    if (!this.#directory.exists(ARCHIVE_INDEXES)) this.#directory.store.createFolder(ARCHIVE_INDEXES);
  }

  #info(message: string): void {
    this.#ctx.reporter.log('info', message, LOGGER);
  }
}
