/**
 * Extracts an archive, or what is selected of it: into a folder, or to a stream, or nowhere.
 *
 * Source: Borg 1.4.5, archiver.py, do_extract.
 */
import { IncludePatternNeverMatchedWarning } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import type { Path } from '../../platform/os-error.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import type { Context } from '../../util/context.ts';
import type { PercentProgress } from '../../util/reporter.ts';
import type { Archive } from '../archive.ts';
import { itemSizeBytes } from '../listing/item-sizes.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import { ContentReader } from './content-reader.ts';
import { ExtractedLinks, stripPath } from './extracted-links.ts';
import { ExtractionReport } from './extraction-report.ts';
import { checkContents, type ItemWriterOptions } from './item-writer.ts';
import { TreeExtraction } from './tree-extraction.ts';

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
  /** Threads that decrypt, decompress and write. Default: one for each processor, at most four. */
  readonly threads?: number | undefined;
}

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
    const progress = options.progress === true ? await this.#startProgress() : undefined;
    const report = new ExtractionReport(this.#ctx, options.list === true, progress);
    if (options.dryRun === true || options.toStream !== undefined) await this.#readThrough(report);
    else await this.#makeTree(report);
    for (const pattern of options.matcher.unmatchedIncludePatterns()) {
      this.#ctx.reporter.warn(new IncludePatternNeverMatchedWarning([pattern]));
    }
  }

  async #makeTree(report: ExtractionReport): Promise<void> {
    const options = this.#options;
    await using opener = this.#archive.reader.createOpener(options.threads ?? defaultThreadCount());
    const reader = this.#archive.reader.withOpener(opener);
    await using tree = new TreeExtraction(this.#ctx, reader, {
      ...options,
      destination: options.destination ?? this.#ctx.cwd,
      stripComponents: this.#stripComponents,
      hardLinks: this.#hardLinks,
      report,
      capacity: opener.capacity,
      contents: (chunks) => this.#archive.contents(chunks),
    });
    await tree.run(this.#selected());
  }

  async #readThrough(report: ExtractionReport): Promise<void> {
    const { toStream, threads, dryRun } = this.#options;
    await using opener = this.#archive.reader.createOpener(threads ?? defaultThreadCount());
    // Whoever takes the stream may keep what it got.
    const reader = this.#archive.reader.withOpener(opener, { recycles: toStream === undefined });
    const content = new ContentReader(reader, this.#selectedEach());
    for await (const item of content.items()) {
      this.#ctx.signal.throwIfAborted();
      report.begin(item.path);
      report.list(stripPath(item.path, this.#stripComponents));
      if (item.chunks === undefined) continue;
      let sizeBytes = 0;
      try {
        for await (const data of report.counted(item.path, content.contents())) {
          if (dryRun !== true) await toStream?.(data);
          sizeBytes += data.length;
        }
        checkContents(item, sizeBytes);
      } catch (error) {
        report.warn(item.path, error);
      }
    }
    report.finish();
  }

  /** The items to extract; others are remembered as far as hard links need them. */
  async *#selected(): AsyncGenerator<readonly Item[], void> {
    const { matcher } = this.#options;
    for await (const batch of this.#archive.itemBatches()) {
      yield batch.filter((item) => {
        const matched = matcher.match(item.path) && stripPath(item.path, this.#stripComponents).length > 0;
        if (!matched && this.#partial) this.#hardLinks.skipped(item);
        return matched;
      });
    }
  }

  async *#selectedEach(): AsyncGenerator<Item, void> {
    for await (const batch of this.#selected()) for (const item of batch) yield item;
  }

  async #startProgress(): Promise<PercentProgress> {
    const progress = this.#ctx.reporter.percent('extract', '%5.1f%% Extracting: %s', 0);
    progress.say(
      'Calculating total archive size for the progress indicator (might take long for large archives)',
    );
    let totalBytes = 0;
    for await (const item of this.#selectedEach()) totalBytes += itemSizeBytes(item);
    progress.setTotal(totalBytes);
    return progress;
  }
}
