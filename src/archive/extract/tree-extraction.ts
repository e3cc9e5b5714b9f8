/**
 * Makes the tree of an archive's items. Regular files are written by other threads, many at a time; all else by this one.
 * Folders are made at once, other items in their turn; what is said of items is said in their order.
 *
 * Source: Borg 1.4.5, archiver.py, do_extract.
 */
import { GeneralWarning } from '../../errors.ts';
import type { ChunkRef, Item } from '../../format/item.ts';
import type { FileOutcome, FileWrite } from '../../pipeline/file-write.ts';
import type { SealedInput } from '../../pipeline/open-batch.ts';
import { DirectoryRoot } from '../../platform/directory-root.ts';
import type { FileAttributes } from '../../platform/file-attributes.ts';
import { type At, isDirectory, isRegular } from '../../platform/file-stat.ts';
import type { Path } from '../../platform/os-error.ts';
import { makeDirectory, replaceExisting } from '../../platform/write-file.ts';
import type { Context } from '../../util/context.ts';
import { releaseSealed, type Unread } from '../../util/sealed.ts';
import { BackupOsError } from '../backup-error.ts';
import type { Fetched } from '../object-pages.ts';
import type { ObjectReader } from '../object-reader.ts';
import { extractIo } from './extract-error.ts';
import { type ExtractedLinks, stripPath } from './extracted-links.ts';
import type { ExtractionReport } from './extraction-report.ts';
import { areEnough, BATCH_BYTES, FileBatches, type WriteTicket } from './file-batches.ts';
import { FileInHand, plainBytesOf } from './file-in-hand.ts';
import { attributesOf } from './item-attributes.ts';
import { itemPages } from './item-pages.ts';
import { ItemTurns } from './item-turns.ts';
import {
  checkContents,
  isThere,
  ItemWriter,
  type ItemWriterOptions,
  makeFolderAt,
  parentOf,
} from './item-writer.ts';
import { PathsUnderWay } from './paths-under-way.ts';
import { StepsInOrder } from './steps-in-order.ts';
import { type UnfinishedFolder, UnfinishedFolders } from './unfinished-folders.ts';

export interface TreeOptions extends ItemWriterOptions {
  readonly destination: Path;
  readonly stripComponents: number;
  readonly hardLinks: ExtractedLinks;
  readonly report: ExtractionReport;
  /** How many batches keep all threads busy. */
  readonly capacity: number;
  /** Reads chunks by this thread. */
  readonly contents: (chunks: readonly ChunkRef[]) => AsyncIterable<Uint8Array>;
}

/** Items that wait for their turn, at most. */
const MAX_STEPS = 1024;

/** Items, and objects of the one before. */
type Entries = readonly Fetched<Item | undefined, Unread>[];

export class TreeExtraction implements AsyncDisposable {
  readonly #ctx: Context;
  readonly #reader: ObjectReader;
  readonly #options: TreeOptions;
  readonly #report: ExtractionReport;
  /** For what is made at once; `#writer`, for what is made in its turn, looks at other folders. */
  readonly #root: DirectoryRoot;
  readonly #writer: ItemWriter;
  readonly #batches: FileBatches;
  readonly #steps = new StepsInOrder();
  readonly #paths = new PathsUnderWay();
  readonly #folders = new UnfinishedFolders((folder) => this.#finishFolder(folder));
  readonly #turns: ItemTurns;
  /** Whose objects come next; undefined where they are not wanted. */
  #file: FileInHand | undefined;
  readonly #openFiles = new Set<FileInHand>();

  constructor(ctx: Context, reader: ObjectReader, options: TreeOptions) {
    this.#ctx = ctx;
    this.#reader = reader;
    this.#options = options;
    this.#report = options.report;
    this.#turns = new ItemTurns(options.report, this.#folders);
    this.#root = new DirectoryRoot(options.destination);
    this.#writer = new ItemWriter(options.destination, options.hardLinks, options, ctx.reporter);
    this.#batches = new FileBatches((objects, writes) => reader.writeFiles(objects, writes), this.#root);
  }

  async run(batches: AsyncIterable<readonly Item[]>): Promise<void> {
    const source = this.#reader.fetchSealed(itemPages(batches, this.#reader.pageEntries));
    try {
      for (;;) {
        const entries = await this.#next(source);
        if (entries === undefined) break;
        await this.#take(entries);
      }
      await this.#endAll();
    } finally {
      // Whoever leaves early does not wait for what is under way.
      source.return().catch(() => {});
    }
    this.#report.finish();
    this.#folders.finishAll();
  }

  /** Waits for the threads; what they have made by then is told of if the user ended it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.idle();
    // Why it ends early is told already.
    if (this.#ctx.signal.aborted) await this.#steps.endReady().catch(() => {});
    this.#file?.giveUp();
    this.#batches.drop();
    for (const file of this.#openFiles) {
      file.isGivenUp = true;
      this.#endLarge(file);
    }
    this.#writer[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }

  async #next(source: AsyncIterator<Entries>): Promise<Entries | undefined> {
    try {
      const { done, value } = await source.next();
      return done === true ? undefined : value;
    } catch (error) {
      // What came before is ended first, and may have another error to tell.
      await this.#endAll();
      const file = this.#file;
      if (file === undefined || file.isGivenUp) throw error;
      file.giveUp();
      file.isReplaced = true;
      // As far as it can be had.
      await this.#turns.takePart(file, () => this.#makeHere(file.item, file.path));
      throw error;
    }
  }

  async #take(entries: Entries): Promise<void> {
    let taken = 0;
    try {
      while (taken < entries.length) {
        const { about: item, id, sealed } = entries[taken++]!;
        let waiting: Promise<void> | undefined;
        if (item !== undefined) waiting = this.#begin(item);
        else if (id !== undefined && sealed !== undefined) waiting = this.#addObject(id, sealed);
        // Mostly there is nothing to wait for, and waiting for it would take longer than all the rest.
        if (waiting !== undefined) await waiting;
      }
    } finally {
      for (const { sealed } of entries.slice(taken)) releaseSealed(sealed);
    }
  }

  #begin(item: Item): Promise<void> | undefined {
    this.#ctx.signal.throwIfAborted();
    this.#file = undefined;
    const path = stripPath(item.path, this.#options.stripComponents);
    return this.#paths.touches(path) ? this.#beginAfterAll(item, path) : this.#beginAt(item, path);
  }

  /** Where something that was begun before is in the way. */
  async #beginAfterAll(item: Item, path: Uint8Array): Promise<void> {
    await this.#endAll();
    this.#folders.finishBefore(path);
    await this.#beginAt(item, path);
  }

  #beginAt(item: Item, path: Uint8Array): Promise<void> | undefined {
    const file = this.#start(item, path);
    if (file?.isComplete === true) return this.#endFile(file);
    this.#file = file;
    return this.#steps.count >= MAX_STEPS ? this.#send() : undefined;
  }

  /** What can be done before the item's objects are there; a file's contents are to follow. */
  #start(item: Item, path: Uint8Array): FileInHand | undefined {
    try {
      if (!isDirectory(item.mode ?? 0)) return this.#startFile(item, path);
      this.#makeFolder(item, path);
    } catch (error) {
      this.#steps.push({ end: () => this.#turns.take(item, path, () => fail(error)) });
    }
    return undefined;
  }

  /** Without its attributes: files are still to be made in it. */
  #makeFolder(item: Item, path: Uint8Array): void {
    const at = parentOf(this.#root, path, 'mkdir');
    const make = (there: At): void => makeDirectory(path, there);
    const makeAgain = (there: At): void => {
      this.#writer.forgetFolders();
      makeFolderAt(path, there);
    };
    extractIo('mkdir', () => replaceExisting(path, at, make, makeAgain), path);
    const underWay = this.#paths.addFolder(path);
    this.#steps.push({
      end: () => this.#turns.take(item, path, () => this.#folders.add({ item, path, underWay })),
    });
  }

  #startFile(item: Item, path: Uint8Array): FileInHand | undefined {
    const at = parentOf(this.#root, path, 'makedirs');
    const hasContents = isRegular(item.mode ?? 0) && item.source === undefined;
    if (hasContents && this.#options.continueExtraction === true && isThere(item, path, at)) {
      this.#steps.push({ end: () => this.#turns.take(item, path, () => {}) });
      return undefined;
    }
    const underWay = this.#paths.addFile(path);
    if (hasContents) return new FileInHand(item, path, at, underWay);
    const read = (chunks: readonly ChunkRef[]) =>
      this.#report.counted(item.path, this.#options.contents(chunks));
    const make = () => this.#writer.make(item, path, read);
    this.#steps.push({ end: () => this.#turns.take(item, path, make, underWay) });
    return undefined;
  }

  #addObject(id: Uint8Array, sealed: Unread): Promise<void> | undefined {
    const file = this.#file;
    if (file === undefined) {
      releaseSealed(sealed);
      return undefined;
    }
    file.add(id, sealed);
    this.#ctx.signal.throwIfAborted();
    if (file.isComplete) return this.#endFile(file);
    return this.#batches.sizeBytes + file.sizeBytes < BATCH_BYTES ? undefined : this.#sendPart(file);
  }

  async #sendPart(file: FileInHand): Promise<void> {
    await this.#send();
    if (!areEnough(file.objects, file.sizeBytes)) return;
    this.#addPart(file);
    await this.#send();
  }

  /** All objects of the file are there. */
  #endFile(file: FileInHand): Promise<void> | undefined {
    this.#file = undefined;
    if (file.isLarge) {
      this.#addPart(file);
      this.#steps.push({ end: () => this.#endLarge(file) });
    } else {
      this.#addWhole(file);
    }
    return this.#batches.isFull || this.#steps.count >= MAX_STEPS ? this.#send() : undefined;
  }

  #addWhole(file: FileInHand): void {
    const { item, path, at, underWay } = file;
    let attributes: FileAttributes;
    try {
      attributes = extractIo('attrs', () => attributesOf(item, this.#options), path);
    } catch (error) {
      file.giveUp();
      this.#steps.push({ end: () => this.#turns.take(item, path, () => fail(error), underWay) });
      return;
    }
    const objects = file.takeAll();
    const write = this.#write(path, objects, { at, attributes });
    const ticket = this.#batches.add(write, objects, file.sizeBytes);
    this.#steps.push({ batch: ticket.batch, end: () => this.#endWhole(file, ticket) });
  }

  #addPart(file: FileInHand): void {
    if (file.isGivenUp) return;
    const { path } = file;
    let fd: number;
    try {
      fd = file.open();
    } catch (error) {
      file.giveUp();
      this.#steps.push({ end: () => this.#turns.takePart(file, () => fail(error)) });
      return;
    }
    this.#openFiles.add(file);
    const { objects, chunks, offsetBytes, sizeBytes } = file.takePart();
    const ticket = this.#batches.add(this.#write(path, objects, { fd, offsetBytes }), objects, sizeBytes);
    const end = () => this.#turns.takePart(file, () => this.#endPart(file, chunks, ticket.outcome()));
    this.#steps.push({ batch: ticket.batch, end });
  }

  #write(path: Uint8Array, objects: readonly SealedInput[], target: FileWrite['target']): FileWrite {
    return { path, objectCount: objects.length, sparse: this.#options.sparse === true, target };
  }

  #endWhole({ item, path, underWay }: FileInHand, ticket: WriteTicket): Promise<void> | void {
    return this.#turns.take(item, path, () => this.#finishWhole(item, path, ticket.outcome()), underWay);
  }

  #finishWhole(item: Item, path: Uint8Array, outcome: FileOutcome): Promise<void> | undefined {
    if (outcome.isDamaged) return this.#makeHere(item, path);
    this.#takeOutcome(item, item.chunks ?? [], outcome);
    checkContents(item, outcome.sizeBytes);
    return undefined;
  }

  #endPart(file: FileInHand, chunks: readonly ChunkRef[], outcome: FileOutcome): Promise<void> | undefined {
    if (file.isGivenUp) return undefined;
    if (outcome.error !== undefined) file.giveUp();
    else if (outcome.isDamaged || outcome.sizeBytes !== plainBytesOf(chunks)) return this.#makeAgain(file);
    file.writtenBytes += outcome.sizeBytes;
    this.#takeOutcome(file.item, chunks, outcome);
    return undefined;
  }

  /** After the last part. */
  #endLarge(file: FileInHand): void {
    const { item, path, fd } = file;
    try {
      if (fd === undefined || file.isReplaced) return;
      // Where it is given up, later parts may have been written behind one that was not.
      if (file.isGivenUp || this.#options.sparse === true) file.cut();
      if (!file.isGivenUp) this.#writer.finishFile(item, path, fd, file.writtenBytes);
    } catch (error) {
      this.#report.warn(item.path, error);
    } finally {
      file.underWay.end();
      this.#openFiles.delete(file);
      file.close();
    }
  }

  #takeOutcome(item: Item, chunks: readonly ChunkRef[], { warnings, error }: FileOutcome): void {
    for (const warning of warnings) this.#ctx.reporter.warn(new GeneralWarning([warning]));
    if (error !== undefined) throw new BackupOsError(error.operation, error.cause);
    for (const { size } of chunks) this.#report.advance(item.path, size);
  }

  /** In place of a large file whose other parts are not where they belong. */
  async #makeAgain(file: FileInHand): Promise<void> {
    file.giveUp();
    file.isReplaced = true;
    await this.#batches.idle();
    await this.#makeHere(file.item, file.path);
  }

  /** What did not open there is read again here, and says what is wrong with it. */
  #makeHere(item: Item, path: Uint8Array): Promise<void> {
    const contents = this.#options.contents(item.chunks ?? []);
    return this.#writer.makeFile(item, path, this.#report.counted(item.path, contents));
  }

  #finishFolder({ item, path, underWay }: UnfinishedFolder): void {
    underWay.end();
    try {
      this.#writer.finishFolder(item, path);
    } catch (error) {
      this.#report.warn(path, error);
    }
  }

  /** Has what was gathered written, and ends what can be ended, until there is room for more. */
  async #send(): Promise<void> {
    this.#batches.send();
    await this.#steps.endReady();
    while (this.#batches.underWayCount >= this.#options.capacity || this.#steps.count >= MAX_STEPS) {
      await this.#steps.endFirst();
    }
  }

  async #endAll(): Promise<void> {
    this.#batches.send();
    await this.#steps.endAll();
  }
}

function fail(error: unknown): never {
  throw error;
}
