/**
 * Writes one new archive: its item stream, its checkpoints, and at last its own object and the commit.
 *
 * Source: Borg 1.4.5, archive.py, Archive (create=True, add_item, write_checkpoint, save).
 */
import type { ChunkerParams } from '../../chunker/chunker-params.ts';
import { ArchiveAlreadyExists, GeneralError, IntegrityError } from '../../errors.ts';
import { type ArchiveMetadata, encodeArchiveMetadata } from '../../format/archive-metadata.ts';
import { encodeItemTransient, type Item } from '../../format/item.ts';
import { encodeTimestamp } from '../../format/timestamp.ts';
import type { Context } from '../../util/context.ts';
import type { CacheSubject, ChunksCache } from '../cache/chunks-cache.ts';
import { ItemBuffer } from './item-buffer.ts';
import { Statistics } from '../statistics.ts';

export interface ArchiveWriterOptions {
  readonly name: string;
  readonly chunkerParams: ChunkerParams;
  /** The command, as archives keep it. */
  readonly cmdline: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly cwd: string;
  /** When the command began; now, if not given. */
  readonly startNs?: bigint;
}

export interface SaveOptions {
  readonly comment?: string | undefined;
  /** Stored as the start, in place of the clock's. */
  readonly timestampNs?: bigint | undefined;
  /** More fields, or other values, of the metadata. */
  readonly metadata?: Partial<ArchiveMetadata>;
  /** Sizes to store; the writer's own if not given. */
  readonly statistics?: Statistics;
}

export interface SavedArchive {
  readonly id: Uint8Array;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

export class ArchiveWriter {
  readonly name: string;
  readonly checkpointName: string;
  /** Of the files' content. */
  readonly statistics = new Statistics();
  /** Of the archive's own objects. */
  readonly metadataStatistics = new Statistics();
  readonly #ctx: Context;
  readonly #subject: CacheSubject;
  readonly #cache: ChunksCache;
  readonly #options: ArchiveWriterOptions;
  readonly #startNs: bigint;
  readonly #items: ItemBuffer;
  #itemCount = 0;

  /** @throws ArchiveAlreadyExists */
  constructor(ctx: Context, subject: CacheSubject, cache: ChunksCache, options: ArchiveWriterOptions) {
    const { archives } = subject.manifest;
    if (archives.has(options.name)) throw new ArchiveAlreadyExists([options.name]);
    this.#ctx = ctx;
    this.#subject = subject;
    this.#cache = cache;
    this.#options = options;
    this.#startNs = options.startNs ?? ctx.nowNs();
    this.name = options.name;
    this.checkpointName = freeCheckpointName(options.name, archives);
    this.#items = new ItemBuffer(subject.key.chunkSeed, async (plaintext) => {
      const id = subject.key.idHash(plaintext);
      await cache.addChunk(id, plaintext, this.metadataStatistics);
      return id;
    });
  }

  /** Items added so far. */
  get itemCount(): number {
    return this.#itemCount;
  }

  /** Appends to the item stream. Where flushDue is true then, flush() is to be called. */
  addItem(item: Item): void {
    this.#itemCount += 1;
    this.#items.add(encodeItemTransient(item));
  }

  get flushDue(): boolean {
    return this.#items.isFull;
  }

  async flush(): Promise<void> {
    await this.#cache.begin();
    await this.#items.flush(false);
  }

  /**
   * Commits what there is under the checkpoint's name, so that it is not lost; the next commit takes the name away.
   * All chunks in the cache that are not in an item yet must be in a part item.
   */
  async writeCheckpoint(): Promise<void> {
    const { id } = await this.#save(this.checkpointName, {});
    this.#subject.manifest.archives.delete(this.checkpointName);
    await this.#cache.begin();
    await this.#cache.decref(id, this.metadataStatistics);
  }

  /** Ends the archive: item stream, archive object, manifest, commit of the repository and of the cache. */
  save(options: SaveOptions = {}): Promise<SavedArchive> {
    return this.#save(this.name, options);
  }

  async #save(name: string, options: SaveOptions): Promise<SavedArchive> {
    const { manifest, key, repository } = this.#subject;
    if (manifest.archives.has(name)) throw new ArchiveAlreadyExists([name]);
    await this.#cache.begin();
    await this.#items.flush(true);
    const elapsedNs = this.#ctx.nowNs() - this.#startNs;
    const durationNs = elapsedNs > 0n ? elapsedNs : 0n;
    const endNs = options.timestampNs === undefined ? this.#ctx.nowNs() : options.timestampNs + durationNs;
    const startNs = endNs - durationNs;
    const metadata: ArchiveMetadata = {
      version: 1,
      name,
      comment: options.comment ?? '',
      items: this.#items.chunkIds,
      cmdline: [...this.#options.cmdline],
      hostname: this.#options.hostname,
      username: this.#options.username,
      time: encodeTimestamp(startNs),
      timeEnd: encodeTimestamp(endNs),
      cwd: this.#options.cwd,
      chunkerParams: [...this.#options.chunkerParams],
      ...(options.statistics ?? this.statistics).toRaw(),
      ...options.metadata,
    };
    const packed = key.packAuthenticated(encodeArchiveMetadata(metadata), 'archive');
    const id = key.idHash(packed);
    await this.#addArchiveObject(id, packed);
    manifest.archives.set(name, { id, time: metadata.time });
    await manifest.write();
    await repository.commit({ compact: false });
    await this.#cache.commit();
    return { id, startNs, endNs };
  }

  async #addArchiveObject(id: Uint8Array, packed: Uint8Array): Promise<void> {
    try {
      await this.#cache.addChunk(id, packed, this.metadataStatistics);
    } catch (error) {
      if (error instanceof IntegrityError && error.message.includes('More than allowed put data')) {
        throw new GeneralError([`${error.message} - archive too big (issue #1473)!`], error);
      }
      throw error;
    }
  }
}

function freeCheckpointName(name: string, archives: ReadonlyMap<string, unknown>): string {
  for (let i = 0; ; i++) {
    const checkpointName = `${name}.checkpoint${i === 0 ? '' : `.${i}`}`;
    if (!archives.has(checkpointName)) return checkpointName;
  }
}
