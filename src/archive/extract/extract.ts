/**
 * Extracts an archive, or what is selected of it: contents in order, folders' attributes after what is in them.
 *
 * Source: Borg 1.4.5, archiver.py, do_extract.
 */
import { IncludePatternNeverMatchedWarning, IntegrityError, ObjectNotFound } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import { isDirectory } from '../../platform/file-stat.ts';
import type { Path } from '../../platform/os-error.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import type { Context } from '../../util/context.ts';
import type { PercentProgress } from '../../util/reporter.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { Archive } from '../archive.ts';
import { BackupError } from '../backup-error.ts';
import { ContentReader } from './content-reader.ts';
import { ExtractedLinks, stripPath } from './extracted-links.ts';
import { itemSizeBytes } from '../listing/item-sizes.ts';
import { checkContents, ItemWriter, type ItemWriterOptions } from '../create/item-writer.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import { workText } from '../work-text.ts';

export interface ExtractOptions extends ItemWriterOptions {
  readonly matcher: PatternMatcher;
  /** Folder to extract into. Default: the context's working directory. */
  readonly destination?: Path | undefined;
  /** Leave out so many leading components of each path; items with no more than those are skipped. */
  readonly stripComponents?: number | undefined;
  /** Read all that would be extracted, and write nothing. */
  readonly dryRun?: boolean | undefined;
  /** Log each item's path. */
  readonly list?: boolean | undefined;
  /** Takes the contents of all files, one after the other; no file is made then. */
  readonly toStream?: ((data: Uint8Array) => void | Promise<void>) | undefined;
  readonly progress?: boolean | undefined;
  /** Threads that decrypt and decompress. Default: one for each processor, at most four. */
  readonly threads?: number | undefined;
}

interface Folder {
  readonly item: Item;
  readonly path: Uint8Array;
}

const LIST_LOGGER = { logger: 'borg.output.list' };

/**
 * What goes wrong with one item is reported as a warning. Throws where the repository lacks or damaged what is wanted
 * (ObjectNotFound, IntegrityError), after naming the file.
 */
export async function extractArchive(ctx: Context, archive: Archive, options: ExtractOptions): Promise<void> {
  await new Extraction(ctx, archive, options).run();
}

class Extraction {
  readonly #ctx: Context;
  readonly #archive: Archive;
  readonly #options: ExtractOptions;
  readonly #hardLinks: ExtractedLinks;
  readonly #stripComponents: number;
  readonly #partial: boolean;
  /** Folders that may still get entries, each within the one before. */
  readonly #folders: Folder[] = [];
  #progress: PercentProgress | undefined;
  #current: { readonly path: Uint8Array; doneBytes: number } | undefined;

  constructor(ctx: Context, archive: Archive, options: ExtractOptions) {
    this.#ctx = ctx;
    this.#archive = archive;
    this.#options = options;
    this.#stripComponents = options.stripComponents ?? 0;
    this.#partial = !options.matcher.empty || this.#stripComponents > 0;
    this.#hardLinks = new ExtractedLinks(this.#stripComponents);
  }

  async run(): Promise<void> {
    const options = this.#options;
    const { reporter } = this.#ctx;
    if (options.progress === true) await this.#startProgress();
    const reads = options.dryRun === true || options.toStream !== undefined;
    using writer = reads
      ? undefined
      : new ItemWriter(options.destination ?? this.#ctx.cwd, this.#hardLinks, options, reporter);
    await using opener = this.#archive.reader.createOpener(options.threads ?? defaultThreadCount());
    // Whoever takes the stream may keep what it got.
    const recycles = options.toStream === undefined;
    const reader = this.#archive.reader.withOpener(opener, { recycles });
    const content = new ContentReader(reader, this.#selected());
    reporter.working?.(() => this.#describeWork());
    for await (const item of content.items()) {
      this.#ctx.signal.throwIfAborted();
      this.#current = { path: item.path, doneBytes: 0 };
      const path = stripPath(item.path, this.#stripComponents);
      if (writer !== undefined) this.#finishFolders(writer, path);
      if (options.list === true) reporter.log('info', toDisplayText(path), LIST_LOGGER);
      await this.#reportingErrors(item.path, async () => {
        if (writer === undefined) await this.#readThrough(item, content);
        else await this.#extract(writer, item, path, content);
      });
    }
    this.#progress?.finish();
    reporter.working?.(undefined);
    if (writer !== undefined) this.#finishAllFolders(writer);
    for (const pattern of options.matcher.unmatchedIncludePatterns()) {
      reporter.warn(new IncludePatternNeverMatchedWarning([pattern]));
    }
  }

  async #extract(writer: ItemWriter, item: Item, path: Uint8Array, content: ContentReader): Promise<void> {
    if (isDirectory(item.mode ?? 0)) {
      writer.makeFolder(path);
      this.#folders.push({ item, path });
      return;
    }
    await writer.make(item, path, {
      own: () => this.#counted(item, content.contents()),
      other: (chunks) => this.#counted(item, this.#archive.contents(chunks)),
    });
  }

  async #readThrough(item: Item, content: ContentReader): Promise<void> {
    if (item.chunks === undefined) return;
    let sizeBytes = 0;
    for await (const data of this.#counted(item, content.contents())) {
      if (this.#options.dryRun !== true) await this.#options.toStream?.(data);
      sizeBytes += data.length;
    }
    checkContents(item, sizeBytes);
  }

  /** Counts contents for the progress; names the file where they can't be had. */
  async *#counted(item: Item, contents: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const data of contents) {
        this.#ctx.signal.throwIfAborted();
        this.#progress?.advance({ steps: data.length, info: [toDisplayText(item.path)] });
        if (this.#current !== undefined) this.#current.doneBytes += data.length;
        yield data;
      }
    } catch (error) {
      if (error instanceof ObjectNotFound || error instanceof IntegrityError) {
        this.#ctx.reporter.log(
          'error',
          `${toDisplayText(item.path)}: contents are missing or damaged in the repository`,
        );
      }
      throw error;
    }
  }

  /** The items to extract; others are remembered as far as hard links need them. */
  async *#selected(): AsyncGenerator<Item, void> {
    const { matcher } = this.#options;
    for await (const batch of this.#archive.itemBatches()) {
      for (const item of batch) {
        const matched = matcher.match(item.path) && stripPath(item.path, this.#stripComponents).length > 0;
        if (matched) yield item;
        else if (this.#partial) this.#hardLinks.skipped(item);
      }
    }
  }

  async #startProgress(): Promise<void> {
    const progress = this.#ctx.reporter.percent('extract', '%5.1f%% Extracting: %s', 0);
    progress.say(
      'Calculating total archive size for the progress indicator (might take long for large archives)',
    );
    let totalBytes = 0;
    for await (const item of this.#selected()) totalBytes += itemSizeBytes(item);
    progress.setTotal(totalBytes);
    this.#progress = progress;
  }

  /** Finishes the folders that `next` is not in: items come folder by folder. */
  #finishFolders(writer: ItemWriter, next: Uint8Array): void {
    for (let folder = this.#folders.at(-1); folder !== undefined; folder = this.#folders.at(-1)) {
      if (isWithin(next, folder.path)) return;
      this.#folders.pop();
      this.#finishFolder(writer, folder);
    }
  }

  #finishAllFolders(writer: ItemWriter): void {
    for (const folder of this.#folders.splice(0).toReversed()) this.#finishFolder(writer, folder);
  }

  #describeWork(): string | undefined {
    return this.#current && workText(this.#current.path, this.#current.doneBytes, undefined);
  }

  #finishFolder(writer: ItemWriter, { item, path }: Folder): void {
    try {
      writer.finishFolder(item, path);
    } catch (error) {
      this.#report(path, error);
    }
  }

  async #reportingErrors(path: Uint8Array, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#report(path, error);
    }
  }

  #report(path: Uint8Array, error: unknown): void {
    if (!(error instanceof BackupError)) throw error;
    this.#ctx.reporter.warn(error.toWarning(path));
  }
}

function isWithin(path: Uint8Array, folder: Uint8Array): boolean {
  if (path.length <= folder.length || path[folder.length] !== 0x2f) return isRoot(folder);
  for (let index = folder.length - 1; index >= 0; index--) if (path[index] !== folder[index]) return false;
  return true;
}

function isRoot(folder: Uint8Array): boolean {
  return folder.length === 1 && folder[0] === 0x2e;
}
