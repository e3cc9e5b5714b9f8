/**
 * One backup under way: starts to read what it is given, keeps several files in flight, ends them in the order in
 * which they began, and writes checkpoints.
 *
 * Source: Borg 1.4.5, archive.py, ChunksProcessor; archiver.py, Archiver.do_create.
 */
import { setImmediate } from 'node:timers/promises';
import { GeneralError, type BorgWarning } from '../../errors.ts';
import type { ChunkRef, Item } from '../../format/item.ts';
import type { FileJob, FileTaker, PipelineChunk } from '../../pipeline/file-job.ts';
import type { Context } from '../../util/context.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import { FileRead, type FileReadHost, type ReadOutcome } from './file-read.ts';
import { Mutex } from './mutex.ts';
import { OrderedSteps, type Step } from './ordered-steps.ts';
import { totalSize, type PendingFile } from './pending-file.ts';
import { WakeUp } from './wake-up.ts';
import { workText } from '../work-text.ts';

/** Reads files in other threads; Pipeline is one. */
export interface ContentReader {
  processFile(job: FileJob, taker: FileTaker): void;
  /** Tells it that the chunk index is in another place now. */
  setIndex(buckets: Uint8Array, bucketCount: number, valueWords: number): void;
  /** Gives up all that is in flight. */
  close(): Promise<void>;
}

export interface BackupRunOptions {
  /** 0: no checkpoints. */
  readonly checkpointIntervalSeconds: number;
  readonly progress: boolean;
}

/** Thrown where the user interrupts; a checkpoint is written then. */
export class Interrupted extends Error {}

/** Files that are being read at a time, or wait to be, each with a descriptor open. */
const MAX_OPEN_FILES = 384;
/** Steps that wait for their turn, also those of files that were read while one before them is not. */
const MAX_STEPS = 4096;
const PROGRESS_INTERVAL_MS = 100;
/** Time without looking for news from other threads. */
const MAX_BUSY_MS = 2;

export class BackupRun {
  readonly writer: ArchiveWriter;
  readonly cache: ChunksCache;
  readonly #ctx: Context;
  readonly #reader: ContentReader;
  readonly #options: BackupRunOptions;
  readonly #steps = new OrderedSteps();
  readonly #inFlight = new Set<PendingFile>();
  /** Steps of files that are open and wait for another. */
  #waiting = 0;
  /** Reads that have not ended; they end before descriptors are gone. */
  #reads = 0;
  /** One at a time changes repository, cache and item stream. */
  readonly #gate = new Mutex();
  readonly #news = new WakeUp();
  /** Chunks of files that failed, to be released when nothing is in flight that may rely on them. */
  readonly #abandoned: Uint8Array[] = [];
  #failure: { error: unknown } | undefined;
  #stopped = false;
  #indexGeneration = -1;
  #chunksSinceCheckpoint = 0;
  #lastCheckpointMs = performance.now();
  #lastProgressMs = 0;
  /** Of the item that was added last. */
  #lastPath: Uint8Array | undefined;
  #lastPauseMs = 0;
  readonly #readHost: FileReadHost = {
    addChunk: (file, chunk) => this.#addChunk(file, chunk),
    readEnded: (failure) => this.#readEnded(failure),
    readFinished: (file) => this.#readFinished(file),
  };

  constructor(
    ctx: Context,
    cache: ChunksCache,
    writer: ArchiveWriter,
    reader: ContentReader,
    options: BackupRunOptions,
  ) {
    this.#ctx = ctx;
    this.cache = cache;
    this.writer = writer;
    this.#reader = reader;
    this.#options = options;
    ctx.signal.addEventListener('abort', this.#onAbort, { once: true });
    ctx.reporter.working?.(() => this.#describeWork());
  }

  /** Adds a step behind those that are there. */
  push(step: Step): void {
    this.#steps.push(step);
  }

  /** Whether no step is before the next one, which then needs to be none. */
  get isIdle(): boolean {
    return this.#steps.isIdle;
  }

  /** Adds a step that waits for `ready`, of a file that is open until then. */
  pushOpen(ready: Promise<void>, finish: () => void): void {
    this.#waiting += 1;
    const step: Step = {
      isReady: false,
      finish: () => {
        this.#waiting -= 1;
        finish();
      },
    };
    this.push(step);
    void ready.then(() => {
      step.isReady = true;
      this.#news.call();
    });
  }

  status(letter: string, path: Uint8Array): void {
    if (this.isIdle) this.#ctx.reporter.fileStatus(letter, path);
    else this.#statusLater(letter, path);
  }

  #statusLater(letter: string, path: Uint8Array): void {
    this.push({ finish: () => this.#ctx.reporter.fileStatus(letter, path) });
  }

  warn(warning: BorgWarning): void {
    this.push({ finish: () => this.#ctx.reporter.warn(warning) });
  }

  /** Runs the work while nothing else uses repository or cache. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.run(work);
  }

  /** For steps: adds an item to the archive. */
  addItem(item: Item): void {
    this.writer.addItem(item);
    this.#lastPath = item.path;
    this.#progress(item.path);
  }

  /**
   * Reads the file's content; the file's error tells in the end whether it made it.
   */
  read<File extends PendingFile>(file: File, job: FileJob, outcome: ReadOutcome<File>): void {
    this.#inFlight.add(file);
    this.#reads += 1;
    this.#tellIndex();
    const read = new FileRead(this.#readHost, file, outcome);
    this.#reader.processFile(job, read);
    this.push(read);
  }

  /** Drives a walk to its end, or until the user interrupts. */
  async drive(walk: Iterable<void> | AsyncIterable<void>): Promise<void> {
    try {
      if (Symbol.iterator in walk) {
        for (const _ of walk) if (this.#step()) await this.#attend(MAX_STEPS - 1, MAX_OPEN_FILES - 1);
      } else {
        for await (const _ of walk) if (this.#step()) await this.#attend(MAX_STEPS - 1, MAX_OPEN_FILES - 1);
      }
    } catch (error) {
      // A list of paths that is being read ends so; any other error ends the backup, without a checkpoint.
      const isAbort = error instanceof Error && error.name === 'AbortError';
      throw isAbort && this.#ctx.signal.aborted ? new Interrupted() : error;
    }
  }

  /** Waits until all steps have ended, or no more files than that are being read. */
  async drain(maxOpenFiles = 0): Promise<void> {
    await this.#attend(maxOpenFiles === 0 ? 0 : MAX_STEPS - 1, maxOpenFiles);
  }

  /** Waits until all steps have ended; no more may come. */
  async finish(): Promise<void> {
    await this.drain();
    // Not before: a thread that has sealed a chunk doesn't seal it again for a while, whatever became of it.
    await this.#releaseAbandoned();
  }

  /** Does the work to its end, or, when it is interrupted, leaves a checkpoint of what there is. */
  async complete(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      await this.finish();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await this.#stopWithCheckpoint();
      throw new GeneralError(['Got Ctrl-C / SIGINT.'], error);
    } finally {
      await this.stop();
    }
  }

  async #stopWithCheckpoint(): Promise<void> {
    const { reporter } = this.#ctx;
    await this.stop();
    if (this.writer.itemCount === 0 && this.#chunksSinceCheckpoint === 0) return;
    reporter.log('info', 'checkpoint requested: starting checkpoint creation...', { logger: 'borg.archive' });
    await this.#releaseAbandoned();
    await this.#gate.run(() => this.#checkpoint());
    reporter.log('info', 'checkpoint requested: finished checkpoint creation!', { logger: 'borg.archive' });
  }

  /** Gives up all that is in flight. To be called in any case. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ctx.signal.removeEventListener('abort', this.#onAbort);
    this.#ctx.reporter.working?.(undefined);
    await this.#reader.close();
    while (this.#reads > 0) await this.#news.wait();
  }

  readonly #onAbort = (): void => this.#news.call();

  // Nearly always at once. What may come later has a method of its own: functions made for it are memory, for each chunk.
  #addChunk(file: PendingFile, chunk: PipelineChunk): void | Promise<void> {
    if (!this.#gate.isIdle) return this.#addChunkLater(file, chunk);
    const added = this.#addChunkNow(file, chunk);
    if (added !== undefined) return this.#exclusivelyUntil(added);
  }

  #exclusivelyUntil(added: Promise<void>): Promise<void> {
    return this.exclusively(() => added);
  }

  #addChunkLater(file: PendingFile, chunk: PipelineChunk): Promise<void> {
    return this.exclusively(async () => this.#addChunkNow(file, chunk));
  }

  #addChunkNow(file: PendingFile, { id, sizeBytes, sealed }: PipelineChunk): undefined | Promise<void> {
    if (this.#stopped || this.#failure !== undefined) throw new Interrupted();
    const added = this.cache.addSealed(id, sizeBytes, sealed, this.writer.statistics);
    if (added instanceof Promise) return this.#whenAdded(file, added);
    this.#chunkAdded(file, added);
    return undefined;
  }

  async #whenAdded(file: PendingFile, chunk: Promise<ChunkRef>): Promise<void> {
    this.#chunkAdded(file, await chunk);
  }

  #chunkAdded(file: PendingFile, chunk: ChunkRef): void {
    file.addChunk(chunk);
    this.#tellIndex();
    this.#chunksSinceCheckpoint += 1;
    this.#progress(file.item.path);
    if (this.#checkpointDue()) this.#news.call();
  }

  /** Without a result the backup fails, or was stopped. */
  #readEnded(failure: { readonly error: unknown } | undefined): void {
    if (failure !== undefined && !this.#stopped) this.#failure ??= failure;
    this.#reads -= 1;
    this.#news.call();
  }

  #readFinished(file: PendingFile): void {
    this.#inFlight.delete(file);
    if (file.error !== undefined) this.#abandon(file);
    else file.finishParts(this.writer, this.cache);
  }

  /** The file whose turn is next, and how far it was read. */
  #describeWork(): string | undefined {
    const [file] = this.#inFlight;
    if (file !== undefined) return workText(file.path, totalSize(file.chunks), file.stat?.sizeBytes);
    return this.#lastPath === undefined ? undefined : workText(this.#lastPath, 0, 0);
  }

  get #openFiles(): number {
    return this.#reads + this.#waiting;
  }

  #tellIndex(): void {
    const { table } = this.cache.chunks;
    if (table.generation === this.#indexGeneration) return;
    this.#indexGeneration = table.generation;
    this.#reader.setIndex(table.buckets, table.bucketCount, table.valueWords);
  }

  /** Ends the steps that can be ended at once, and says whether there is more to attend to. */
  #step(): boolean {
    this.#steps.run();
    return (
      this.#failure !== undefined ||
      this.#ctx.signal.aborted ||
      this.writer.flushDue ||
      this.#checkpointDue() ||
      this.#steps.length >= MAX_STEPS ||
      this.#openFiles >= MAX_OPEN_FILES ||
      (this.#reads > 0 && performance.now() - this.#lastPauseMs > MAX_BUSY_MS)
    );
  }

  /** Does what is due, and waits until there are no more steps and open files than this. */
  async #attend(maxSteps: number, maxOpenFiles: number): Promise<void> {
    for (;;) {
      await setImmediate();
      this.#lastPauseMs = performance.now();
      // Asked for now: what becomes ready while something is written must not be missed.
      const news = this.#news.wait();
      this.#steps.run();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ctx.signal.aborted) throw new Interrupted();
      if (this.writer.flushDue) await this.#gate.run(() => this.writer.flush());
      if (this.#checkpointDue()) await this.#gate.run(() => this.#checkpoint());
      if (this.#steps.length <= maxSteps && this.#openFiles <= maxOpenFiles) return;
      await news;
    }
  }

  #checkpointDue(): boolean {
    const intervalMs = this.#options.checkpointIntervalSeconds * 1000;
    if (intervalMs === 0 || this.#chunksSinceCheckpoint === 0) return false;
    return performance.now() - this.#lastCheckpointMs > intervalMs;
  }

  /** Every chunk that was delivered is in an item then, so the commit refers to all that it contains. */
  async #checkpoint(): Promise<void> {
    // What waits behind a file that takes long is done with: whole items are better than part items.
    this.#steps.runAllReady();
    for (const file of this.#inFlight) {
      const part = file.takePart();
      if (part !== undefined) this.writer.addItem(part);
    }
    await this.writer.writeCheckpoint();
    this.#lastCheckpointMs = performance.now();
    this.#chunksSinceCheckpoint = 0;
    this.#tellIndex();
  }

  #abandon(file: PendingFile): void {
    for (const { id } of file.looseChunks) this.#abandoned.push(id);
  }

  async #releaseAbandoned(): Promise<void> {
    if (this.#abandoned.length === 0) return;
    await this.#gate.run(async () => {
      for (const id of this.#abandoned.splice(0)) await this.cache.decref(id, this.writer.statistics);
    });
  }

  #progress(path: Uint8Array): void {
    if (!this.#options.progress) return;
    const nowMs = performance.now();
    if (nowMs - this.#lastProgressMs < PROGRESS_INTERVAL_MS) return;
    this.#lastProgressMs = nowMs;
    this.#ctx.reporter.archiveProgress(this.writer.statistics.toCounts(), path);
  }
}
