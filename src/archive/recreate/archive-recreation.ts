/**
 * Makes one archive from another: the items that the matcher selects, their chunks as they are, compressed again or
 * cut anew.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveRecreater (process_items, process_item, process_chunks) and ChunksProcessor.
 */
import type { Item } from '../../format/item.ts';
import {
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSymlink,
} from '../../platform/file-stat.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import type { Context } from '../../util/context.ts';
import type { Archive } from '../archive.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import type { ArchiveWriter } from '../create/archive-writer.ts';
import { Interrupted } from '../create/backup-run.ts';
import { PendingFile, totalSize } from '../create/pending-file.ts';
import { ContentReader } from '../extract/content-reader.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import { workText } from '../work-text.ts';
import type { ChunkRewriter } from './chunk-rewriter.ts';
import { MovedLinks } from './moved-links.ts';
import type { Rechunker } from './rechunker.ts';

export interface RecreationParts {
  readonly archive: Archive;
  readonly writer: ArchiveWriter;
  readonly cache: ChunksCache;
  readonly matcher: PatternMatcher;
  /** Missing where all chunks are taken over as they are. */
  readonly rewriter: ChunkRewriter | undefined;
  /** Missing where files stay cut as they are. */
  readonly rechunker: Rechunker | undefined;
}

export interface RecreationOptions {
  /** Only say which items would be taken over. */
  readonly dryRun: boolean;
  /** 0: no checkpoints. */
  readonly checkpointIntervalSeconds: number;
  readonly progress: boolean;
  /** Threads that decrypt and decompress. Default: one a processor. */
  readonly threads?: number | undefined;
}

export class ArchiveRecreation {
  readonly #ctx: Context;
  readonly #parts: RecreationParts;
  readonly #options: RecreationOptions;
  /** What stands for items that are left out, among those that come with their contents. */
  readonly #leftOut = new WeakSet<Item>();
  #file: PendingFile | undefined;
  #current: Item | undefined;
  #lastCheckpointMs = performance.now();

  constructor(ctx: Context, parts: RecreationParts, options: RecreationOptions) {
    this.#ctx = ctx;
    this.#parts = parts;
    this.#options = options;
  }

  /** @throws Interrupted, when what was done is in a checkpoint; what a damaged archive throws */
  async run(): Promise<void> {
    const { cache, rewriter } = this.#parts;
    this.#ctx.reporter.working?.(() => this.#describeWork());
    try {
      if (this.#options.dryRun) await this.#dryRun();
      else {
        await cache.begin();
        await (rewriter === undefined ? this.#takeOverAll() : this.#rewriteAll(rewriter));
      }
    } catch (error) {
      if (error instanceof Interrupted && this.#hasWork) await this.#checkpoint();
      throw error;
    } finally {
      this.#ctx.reporter.working?.(undefined);
    }
    if (this.#options.progress) this.#ctx.reporter.archiveProgressEnd();
  }

  async #dryRun(): Promise<void> {
    for await (const item of this.#selected()) {
      this.#ctx.reporter.fileStatus(this.#leftOut.has(item) ? 'x' : '-', item.path);
    }
  }

  async #takeOverAll(): Promise<void> {
    const { cache, writer } = this.#parts;
    for await (const item of this.#selected()) {
      await this.#add(item, (chunks) => {
        for (const { id } of chunks) cache.incref(id, writer.statistics);
      });
    }
  }

  async #rewriteAll(rewriter: ChunkRewriter): Promise<void> {
    const { reader } = this.#parts.archive;
    await using opener = reader.createOpener(this.#options.threads ?? defaultThreadCount());
    const content = new ContentReader(reader.withOpener(opener), this.#selected());
    for await (const item of content.items()) {
      await this.#add(item, () => this.#rewrite(item, content.contents(), rewriter));
    }
  }

  /** The archive's items in their order; for those that are left out, an item with nothing but the path. */
  async *#selected(): AsyncGenerator<Item, void, undefined> {
    const { archive, matcher } = this.#parts;
    const links = matcher.empty ? undefined : new MovedLinks();
    for await (const item of archive.items()) {
      if (this.#ctx.signal.aborted) throw new Interrupted();
      if (matcher.match(item.path)) {
        links?.takenOver(item);
        yield item;
        continue;
      }
      links?.leftOut(item);
      const stub: Item = { path: item.path };
      this.#leftOut.add(stub);
      yield stub;
    }
  }

  async #add(
    item: Item,
    takeOverChunks: (chunks: NonNullable<Item['chunks']>) => Promise<void> | void,
  ): Promise<void> {
    const { reporter } = this.#ctx;
    const { writer } = this.#parts;
    this.#current = item;
    if (this.#leftOut.has(item)) {
      reporter.fileStatus('x', item.path);
      return;
    }
    reporter.fileStatus(statusOf(item), item.path);
    if (item.chunks !== undefined) {
      await takeOverChunks(item.chunks);
      writer.statistics.files += 1;
    }
    this.#progress(item);
    writer.addItem(item);
    if (writer.flushDue) await writer.flush();
  }

  /** Replaces the item's chunks. */
  async #rewrite(item: Item, contents: AsyncIterable<Uint8Array>, rewriter: ChunkRewriter): Promise<void> {
    const { writer, cache, rechunker } = this.#parts;
    // With other cuts, it would tell of chunks that the item does not have any more.
    if (rechunker !== undefined) delete item.chunksHealthy;
    const file = new PendingFile({ path: item.path, item, firstStatus: '' });
    this.#file = file;
    for await (const plaintext of rechunker === undefined ? contents : rechunker.cut(contents)) {
      file.addChunk(await rewriter.store(plaintext, writer.statistics));
      this.#progress(item);
      if (this.#ctx.signal.aborted) throw new Interrupted();
      if (this.#checkpointDue()) await this.#checkpoint();
    }
    file.finishParts(writer, cache);
    item.chunks = file.chunks;
    this.#file = undefined;
  }

  #describeWork(): string | undefined {
    const item = this.#current;
    if (item === undefined) return undefined;
    return workText(item.path, totalSize(this.#file?.chunks ?? []), totalSize(item.chunks ?? []));
  }

  get #hasWork(): boolean {
    return this.#parts.writer.itemCount > 0 || (this.#file?.looseChunks.length ?? 0) > 0;
  }

  #checkpointDue(): boolean {
    const intervalMs = this.#options.checkpointIntervalSeconds * 1000;
    return intervalMs > 0 && performance.now() - this.#lastCheckpointMs > intervalMs;
  }

  /** Every chunk that was stored is in an item then, so the commit refers to all that it contains. */
  async #checkpoint(): Promise<void> {
    const { writer } = this.#parts;
    const part = this.#file?.takePart();
    if (part !== undefined) writer.addItem(part);
    await writer.writeCheckpoint();
    this.#lastCheckpointMs = performance.now();
  }

  #progress({ path }: Item): void {
    if (this.#options.progress) {
      this.#ctx.reporter.archiveProgress(this.#parts.writer.statistics.toCounts(), path);
    }
  }
}

/** The letter of --list. */
function statusOf({ mode = 0 }: Item): string {
  if (isRegular(mode)) return 'A';
  if (isDirectory(mode)) return 'd';
  if (isBlockDevice(mode)) return 'b';
  if (isCharacterDevice(mode)) return 'c';
  if (isSymlink(mode)) return 's';
  return isFifo(mode) ? 'f' : '?';
}
