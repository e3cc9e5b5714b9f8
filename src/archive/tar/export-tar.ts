/**
 * Writes an archive, or what is selected of it, as a tar.
 *
 * Source: Borg 1.4.5, archiver.py, do_export_tar and _export_tar.
 */
import {
  GeneralError,
  GeneralWarning,
  IncludePatternNeverMatchedWarning,
  IntegrityError,
  ObjectNotFound,
} from '../../errors.ts';
import type { ChunkRef, Item } from '../../format/item.ts';
import { TAR_TYPE, type TarHeader } from '../../format/tar-header.ts';
import { TarFormatError } from '../../format/tar-number.ts';
import {
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSymlink,
} from '../../platform/file-stat.ts';
import { deviceNumbers } from '../../platform/linux.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import { concatBytes, fromBinaryString } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import type { PercentProgress } from '../../util/reporter.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { Archive } from '../archive.ts';
import { totalSize } from '../create/pending-file.ts';
import { ContentReader } from '../extract/content-reader.ts';
import { ExtractedLinks, stripPath } from '../extract/extracted-links.ts';
import { itemSizeBytes } from '../listing/item-sizes.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import { workText } from '../work-text.ts';
import { encodeMemberHeader, type TarFormat } from './member-header.ts';
import { TarOutput, type TarFile, type TarSink } from './tar-output.ts';

/** A PatternMatcher, or what selects paths as one does. */
export interface PathSelection extends Pick<PatternMatcher, 'empty' | 'unmatchedIncludePatterns'> {
  match(path: Uint8Array): boolean;
}

export interface ExportTarOptions {
  readonly file: TarFile | TarSink;
  /** The command that compresses; none, if not given. */
  readonly filter?: string | undefined;
  /** Default GNU, as Borg 1.4 writes. */
  readonly format?: TarFormat | undefined;
  readonly matcher: PathSelection;
  /** Leave out so many leading components of each path; items with no more than those are skipped. */
  readonly stripComponents?: number | undefined;
  /** Log each item's path. */
  readonly list?: boolean | undefined;
  readonly progress?: boolean | undefined;
  /** Threads that decrypt and decompress. Default: one for each processor, at most four. */
  readonly threads?: number | undefined;
}

const LIST_LOGGER = { logger: 'borg.output.list' };
const TYPE_MASK = 0o170000;
const PERMISSIONS = 0o7777;
const NO_BYTES = new Uint8Array(0);
const SLASH = 0x2f;

/**
 * @throws GeneralError where the tar can't be written, or the filter fails; ObjectNotFound, IntegrityError where the
 *   repository lacks or damaged what is wanted, after naming the file. What is written by then is no whole tar.
 */
export async function exportTar(ctx: Context, archive: Archive, options: ExportTarOptions): Promise<void> {
  await new TarExport(ctx, archive, options).run();
}

/** What becomes of an item: a header, and the contents behind it. */
interface Member {
  readonly header: TarHeader;
  /** The item's own, or those of another name of the file. */
  readonly chunks: readonly ChunkRef[] | undefined;
}

class TarExport {
  readonly #ctx: Context;
  readonly #archive: Archive;
  readonly #options: ExportTarOptions;
  readonly #stripComponents: number;
  readonly #partial: boolean;
  readonly #links: ExtractedLinks;
  #progress: PercentProgress | undefined;
  #current: { readonly path: Uint8Array; readonly doneBytes: number } | undefined;

  constructor(ctx: Context, archive: Archive, options: ExportTarOptions) {
    this.#ctx = ctx;
    this.#archive = archive;
    this.#options = options;
    this.#stripComponents = options.stripComponents ?? 0;
    this.#partial = !options.matcher.empty || this.#stripComponents !== 0;
    this.#links = new ExtractedLinks(this.#stripComponents);
  }

  async run(): Promise<void> {
    const { file, filter, matcher, threads } = this.#options;
    const { reporter } = this.#ctx;
    await using output = TarOutput.open(this.#ctx, file, filter);
    if (this.#options.progress === true) await this.#startProgress();
    await using opener = this.#archive.reader.createOpener(threads ?? defaultThreadCount());
    const reader = this.#archive.reader.withOpener(opener, { recycles: true });
    const content = new ContentReader(reader, this.#selected());
    reporter.working?.(
      () => this.#current && workText(this.#current.path, this.#current.doneBytes, undefined),
    );
    for await (const item of content.items()) {
      this.#ctx.signal.throwIfAborted();
      this.#current = { path: item.path, doneBytes: 0 };
      await this.#export(item, content, output);
    }
    this.#progress?.finish();
    reporter.working?.(undefined);
    await output.finish();
    for (const pattern of matcher.unmatchedIncludePatterns()) {
      reporter.warn(new IncludePatternNeverMatchedWarning([pattern]));
    }
  }

  async #export(item: Item, content: ContentReader, output: TarOutput): Promise<void> {
    const path = stripPath(item.path, this.#stripComponents);
    const member = this.#memberOf(item, path);
    if (member === undefined) return;
    const { list, format } = this.#options;
    if (list === true) this.#ctx.reporter.log('info', toDisplayText(item.path), LIST_LOGGER);
    await output.write(
      encodeHeader(item, () => encodeMemberHeader(member.header, { ...item, path }, format ?? 'GNU')),
    );
    if (member.chunks === undefined) return;
    const own = member.chunks === item.chunks;
    await this.#writeContents(
      item,
      own ? content.contents() : this.#archive.contents(member.chunks),
      member,
      output,
    );
  }

  async #writeContents(
    item: Item,
    contents: AsyncIterable<Uint8Array>,
    { header }: Member,
    output: TarOutput,
  ): Promise<void> {
    const path = toDisplayText(item.path);
    let sizeBytes = 0;
    try {
      for await (const data of contents) {
        this.#ctx.signal.throwIfAborted();
        this.#progress?.advance({ steps: data.length, info: [path] });
        sizeBytes += data.length;
        this.#current = { path: item.path, doneBytes: sizeBytes };
        await output.write(data);
      }
    } catch (error) {
      if (error instanceof ObjectNotFound || error instanceof IntegrityError) {
        this.#ctx.reporter.log('error', `${path}: contents are missing or damaged in the repository`);
      }
      throw error;
    }
    if (BigInt(sizeBytes) !== header.sizeBytes) {
      throw new GeneralError([`${path}: ${sizeBytes} bytes of contents instead of ${header.sizeBytes}`]);
    }
    await output.pad();
  }

  /** Undefined, after a warning, where a tar can't have such a thing. */
  #memberOf(item: Item, path: Uint8Array): Member | undefined {
    const mode = item.mode ?? 0;
    const member = (type: string, fields: Partial<TarHeader> = {}): Member => ({
      header: { ...commonFields(item, path), type, ...fields },
      chunks: undefined,
    });
    if (isRegular(mode)) return this.#regular(item, path);
    if (isDirectory(mode)) return member(TAR_TYPE.directory, { name: asFolder(path) });
    if (isSymlink(mode)) return member(TAR_TYPE.symlink, { linkName: item.source ?? NO_BYTES });
    if (isFifo(mode)) return member(TAR_TYPE.fifo);
    const { major, minor } = deviceNumbers(BigInt(item.rdev ?? 0));
    const device = { deviceMajor: BigInt(major), deviceMinor: BigInt(minor) };
    if (isBlockDevice(mode)) return member(TAR_TYPE.blockDevice, device);
    if (isCharacterDevice(mode)) return member(TAR_TYPE.characterDevice, device);
    const type = (mode & TYPE_MASK).toString(8);
    const text = `${toDisplayText(item.path)}: unsupported file type ${type} for tar export`;
    this.#ctx.reporter.warn(new GeneralWarning([text]));
    return undefined;
  }

  #regular(item: Item, path: Uint8Array): Member {
    const common = commonFields(item, path);
    const withContents = (chunks: readonly ChunkRef[]): Member => ({
      header: { ...common, type: TAR_TYPE.file, sizeBytes: BigInt(totalSize(chunks)) },
      chunks,
    });
    if (item.source === undefined) {
      const chunks = item.chunks ?? [];
      if (item.size !== undefined && item.size !== totalSize(chunks)) {
        const text = `size inconsistency detected: size ${item.size}, chunks size ${totalSize(chunks)}`;
        this.#ctx.reporter.warn(new GeneralWarning([`${toDisplayText(item.path)}: ${text}`]));
      }
      return withContents(chunks);
    }
    const found = this.#links.lookUp(item.source);
    if ('linkTo' in found && found.linkTo.length > 0) {
      return { header: { ...common, type: TAR_TYPE.link, linkName: found.linkTo }, chunks: undefined };
    }
    if ('linkTo' in found || found.chunks === undefined) {
      return { header: { ...common, type: TAR_TYPE.file }, chunks: undefined };
    }
    // The name that has the contents is not in the tar: this one gets them, and further ones link to it.
    this.#links.extracted(item, path);
    return withContents(found.chunks);
  }

  /** The items to export; others are remembered as far as hard links need them. */
  async *#selected(): AsyncGenerator<Item, void> {
    const { matcher } = this.#options;
    for await (const item of this.#archive.items()) {
      const matched = matcher.match(item.path) && stripPath(item.path, this.#stripComponents).length > 0;
      if (matched) yield item;
      else if (this.#partial) this.#links.skipped(item);
    }
  }

  async #startProgress(): Promise<void> {
    const progress = this.#ctx.reporter.percent('extract', '%5.1f%% Processing: %s', 0);
    progress.say('Calculating size');
    let totalBytes = 0;
    for await (const item of this.#selected()) totalBytes += itemSizeBytes(item);
    progress.setTotal(totalBytes);
    this.#progress = progress;
  }
}

function commonFields(item: Item, path: Uint8Array): Omit<TarHeader, 'type'> {
  return {
    name: path,
    mode: BigInt((item.mode ?? 0) & PERMISSIONS),
    uid: BigInt(item.uid ?? 0),
    gid: BigInt(item.gid ?? 0),
    sizeBytes: 0n,
    // By way of a floating point number, as Borg does it: close below a second, it is rounded up.
    mtimeS: BigInt(Math.trunc(Number(item.mtimeNs ?? 0n) / 1e9)),
    linkName: NO_BYTES,
    user: item.user ?? NO_BYTES,
    group: item.group ?? NO_BYTES,
    deviceMajor: 0n,
    deviceMinor: 0n,
  };
}

function asFolder(path: Uint8Array): Uint8Array {
  return path.at(-1) === SLASH ? path : concatBytes([path, fromBinaryString('/')]);
}

function encodeHeader(item: Item, encode: () => Uint8Array): Uint8Array {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof TarFormatError)) throw error;
    throw new GeneralError([`${toDisplayText(item.path)}: ${error.message}`], error);
  }
}
