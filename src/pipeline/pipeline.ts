/**
 * Worker threads that turn files into sealed chunks. Ids, and the order of a file's chunks, do not depend on the
 * number of threads; files proceed side by side.
 */
import type { FileJob, FileTaker } from './file-job.ts';
import type { SealingOptions } from './chunk-sealer.ts';
import type { SharedIndex } from './pipeline-worker.ts';
import { OwnThread } from './own-thread.ts';
import { type Task, type WorkerEvents, WorkerHandle } from './worker-handle.ts';

export interface PipelineOptions extends SealingOptions {
  /** Worker threads, at least 1; each starts when there is work for it. A few small files are read without any. */
  readonly threads: number;
  /** Reserves so many nonces (one for each 16-byte block) for good, and gives the first. */
  leaseNonces(blocks: number): Promise<bigint>;
  /** Rejects all that is unfinished with its reason, and ends the threads. */
  readonly signal?: AbortSignal | undefined;
}

/** Jobs that may wait for a thread before `ready` does. */
const MAX_WAITING = 512;
const MAX_BATCH_JOBS = 64;
const MAX_BATCH_BYTES = 2 * 2 ** 20;
/** Fewer jobs are not divided between threads. */
const MIN_SHARE_JOBS = 16;
/** With less than this waiting, a busy thread gets no second batch: a message costs more than it gains. */
const FULL_BATCH_JOBS = MAX_BATCH_JOBS / 2;
/** With less than this waiting, the threads that run are enough: another one takes some 40 ms to start. */
const NEW_THREAD_JOBS = 64;
/** With fewer small files for each thread, the first one is done before another one has started. */
const JOBS_OF_A_THREAD = 200;
const NEW_THREAD_BYTES = 4 * 2 ** 20;

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #ownThread: OwnThread;
  readonly #workers: WorkerHandle[] = [];
  #waiting: Task[] = [];
  #waitingBytes = 0;
  /** Jobs that are waiting no more. */
  #takenJobs = 0;
  #wakeups: (() => void)[] = [];
  #index: SharedIndex | undefined;
  #failure: { readonly error: unknown } | undefined;
  #dispatchPlanned = false;
  #closed: Promise<void> | undefined;
  readonly #events: WorkerEvents = {
    leaseNonces: (blocks) => this.#options.leaseNonces(blocks),
    onDone: () => this.#planDispatch(),
    onFailure: (error) => this.#fail(error),
  };
  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  constructor(options: PipelineOptions) {
    if (!(options.threads >= 1)) throw new RangeError(`threads: ${options.threads}`);
    this.#options = options;
    this.#ownThread = new OwnThread(options, this.#events);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
  }

  /**
   * Reads a file. What is wrong with it is in the result; what is wrong with the pipeline, or was thrown by the taker, is
   * a failure. The taker is called by nobody before this returns.
   */
  processFile(job: FileJob, taker: FileTaker): void {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      return queueMicrotask(() => taker.fail(error));
    }
    this.#waiting.push({ job, taker });
    this.#waitingBytes += sizeOf(job);
    this.#planDispatch();
  }

  /** Resolves when the queue has room; for whoever walks the tree to wait on before the next file. */
  async ready(): Promise<void> {
    while (this.#waiting.length >= MAX_WAITING && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#wakeups.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Shares the chunk index: its chunks are not sealed again. Call it again whenever the index's buckets move to another
   * buffer (HashIndex.generation changes); the old buffer may be in use for a little longer.
   */
  setIndex(buckets: Uint8Array, bucketCount: number, valueWords: number): void {
    if (!(buckets.buffer instanceof SharedArrayBuffer))
      throw new TypeError('the index is not in shared memory');
    this.#index = { buckets, bucketCount, valueWords };
    for (const worker of [this.#ownThread, ...this.#workers]) worker.setIndex(this.#index);
  }

  /** Ends the threads. What is unfinished is rejected. */
  async close(): Promise<void> {
    this.#fail(new Error('the pipeline was closed'));
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Jobs added in one turn of the event loop travel together. */
  #planDispatch(): void {
    if (this.#dispatchPlanned) return;
    this.#dispatchPlanned = true;
    queueMicrotask(() => {
      this.#dispatchPlanned = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    this.#readHere();
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      const worker = this.#workerForMore();
      if (worker === undefined) break;
      worker.send(this.#takeBatch());
    }
    if (this.#waiting.length < MAX_WAITING) this.#wake();
  }

  /** Small files come first to this thread, as long as there is no other. */
  #readHere(): void {
    if (this.#workers.length > 0 || !this.#ownThread.isIdle || this.#failure !== undefined) return;
    let count = 0;
    while (count < this.#waiting.length && this.#ownThread.takes(this.#waiting[count]!.job)) count++;
    if (count > 0) this.#ownThread.send(this.#takeFirst(count));
  }

  #workerForMore(): WorkerHandle | undefined {
    const idle = this.#workers.find((worker) => worker.isIdle);
    if (idle !== undefined) return idle;
    const [jobs, sizeBytes] = [this.#waiting.length, this.#waitingBytes];
    const running = this.#workers.length;
    const isLong = this.#takenJobs + jobs >= running * JOBS_OF_A_THREAD;
    const isMuch = (jobs >= NEW_THREAD_JOBS && isLong) || sizeBytes >= NEW_THREAD_BYTES;
    // What this thread is about to read is not waited for where there is much.
    const isNeeded = running === 0 && this.#ownThread.isIdle;
    if (isNeeded || (isMuch && running < this.#options.threads)) return this.#startWorker();
    if (jobs < FULL_BATCH_JOBS && sizeBytes < MAX_BATCH_BYTES) return undefined;
    return this.#workers.find((worker) => worker.hasRoom);
  }

  #takeBatch(): Task[] {
    const takers = Math.max(
      1,
      this.#workers.reduce((count, worker) => count + (worker.isIdle ? 1 : 0), 0),
    );
    const share = Math.max(MIN_SHARE_JOBS, Math.ceil(this.#waiting.length / (2 * takers)));
    const most = Math.min(MAX_BATCH_JOBS, share, this.#waiting.length);
    let sizeBytes = 0;
    let count = 0;
    while (count < most && sizeBytes < MAX_BATCH_BYTES) sizeBytes += sizeOf(this.#waiting[count++]!.job);
    return this.#takeFirst(count);
  }

  #takeFirst(count: number): Task[] {
    const tasks = this.#waiting.splice(0, count);
    this.#takenJobs += count;
    for (const { job } of tasks) this.#waitingBytes -= sizeOf(job);
    return tasks;
  }

  #startWorker(): WorkerHandle {
    const { material, compression, chunkerParams, chunkSeed } = this.#options;
    // Only what can be sent: callers may keep more in their options.
    const options = { material, compression, chunkerParams, chunkSeed };
    const worker = new WorkerHandle(options, this.#events);
    if (this.#index !== undefined) worker.setIndex(this.#index);
    this.#workers.push(worker);
    return worker;
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { taker } of waiting) taker.fail(error);
    const closed = [this.#ownThread, ...this.#workers].map((worker) => worker.close(error));
    this.#closed = Promise.all(closed).then(() => undefined);
    this.#wake();
  }

  #wake(): void {
    const wakeups = this.#wakeups;
    this.#wakeups = [];
    for (const wake of wakeups) wake();
  }
}

/** What is not known counts as much. */
function sizeOf(job: FileJob): number {
  return job.sizeHintBytes ?? NEW_THREAD_BYTES;
}

export function createPipeline(options: PipelineOptions): Pipeline {
  return new Pipeline(options);
}
