import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { GeneralError } from '../errors.ts';
import { toUtf8Lossy } from '../util/bytes.ts';
import type { FileJob, FileTaker } from './file-job.ts';
import type { SealingOptions } from './chunk-sealer.ts';
import { type JobsMessage, encodeJobs } from './job-message.ts';
import type { FromWorker, SharedIndex, WorkerStart } from './pipeline-worker.ts';
import { type ResultMessage, ResultRows } from './result-message.ts';
import { workerFile, WorkerThread } from './worker-thread.ts';

/** A job and who waits for it. */
export interface Task {
  readonly job: FileJob;
  readonly taker: FileTaker;
}

export interface WorkerEvents {
  leaseNonces(blocks: number): Promise<bigint>;
  /** A batch is done; the worker may take more. */
  onDone(): void;
  /** The worker, or what it depends on, is broken. */
  onFailure(error: unknown): void;
}

/** A batch that holds less than this lets the next one queue up behind it. */
const SHORT_BATCH_BYTES = 4 * 2 ** 20;
const MAX_BATCHES = 3;

/** The main thread's side of one worker. */
export class WorkerHandle {
  readonly #thread: WorkerThread<WorkerStart, JobsMessage, FromWorker>;
  readonly #indexPort: MessagePort;
  readonly #events: WorkerEvents;
  /** Sent and unfinished, in order: the worker takes them one after the other. */
  readonly #tasks = new Map<number, Task>();
  /** The number of the last job and the size of each unfinished batch. */
  readonly #batches: { lastJob: number; sizeBytes: number }[] = [];
  #nextJob = 0;
  #delivery: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(options: SealingOptions, events: WorkerEvents) {
    this.#events = events;
    const { port1, port2 } = new MessageChannel();
    this.#indexPort = port1;
    // The port must not keep the process alive.
    port1.unref();
    this.#thread = new WorkerThread(
      workerFile('pipeline', import.meta.url),
      { options, indexPort: port2 },
      { onMessage: (message) => this.#receive(message), onFailure: (error) => this.#fail(error) },
      [port2],
    );
  }

  get isIdle(): boolean {
    return this.#batches.length === 0;
  }

  /** Whether it makes sense to send another batch. */
  get hasRoom(): boolean {
    const [first] = this.#batches;
    if (first === undefined) return true;
    return this.#batches.length < MAX_BATCHES && first.sizeBytes < SHORT_BATCH_BYTES;
  }

  send(tasks: readonly Task[]): void {
    const jobs = tasks.map(({ job }) => job);
    const message = encodeJobs(this.#nextJob, jobs);
    let sizeBytes = 0;
    for (const task of tasks) {
      this.#tasks.set(this.#nextJob++, task);
      sizeBytes += task.job.sizeHintBytes ?? Infinity;
    }
    this.#batches.push({ lastJob: this.#nextJob - 1, sizeBytes });
    this.#thread.send(message);
  }

  setIndex(index: SharedIndex): void {
    this.#indexPort.postMessage(index);
    this.#thread.control.announceIndex();
  }

  /** Rejects what is unfinished and ends the thread. */
  async close(reason: unknown): Promise<void> {
    this.#closing = true;
    await this.#thread.close();
    this.#indexPort.close();
    // Only now: until it has ended the thread may use what the jobs name.
    const tasks = [...this.#tasks.values()];
    this.#tasks.clear();
    for (const { taker } of tasks) taker.fail(reason);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'results') {
      this.#delivery = this.#delivery
        .then(() => this.#deliver(message.results))
        .catch((error: unknown) => this.#fail(error));
      return;
    }
    this.#lease(message.blocks).then(
      (first) => this.#thread.control.grantLease(first),
      (error: unknown) => this.#events.onFailure(error),
    );
  }

  async #lease(blocks: number): Promise<bigint> {
    return await this.#events.leaseNonces(blocks);
  }

  /** Hands out the rows one after the other, waiting for each chunk's taker, and only then lets the worker send more. */
  async #deliver(message: ResultMessage): Promise<void> {
    const rows = new ResultRows(message, this.#thread.ring);
    while (rows.next()) {
      const { type, job } = rows;
      const task = this.#tasks.get(job);
      // Without a task: its taker threw at an earlier chunk.
      if (type === 'chunk') {
        try {
          const taken = task?.taker.takeChunk(rows.takeChunk());
          if (taken !== undefined) await taken;
        } catch (error) {
          this.#tasks.delete(job);
          task?.taker.fail(error);
        }
        continue;
      }
      this.#tasks.delete(job);
      if (type === 'file') task?.taker.takeResult(rows.result());
      else task?.taker.fail(describeFailure(rows.reason, task.job));
      if (this.#batches[0]?.lastJob !== job) continue;
      this.#batches.shift();
      this.#events.onDone();
    }
    this.#thread.control.release(message.costBytes);
  }

  #fail(error: unknown): void {
    if (this.#closing) return;
    const [task] = this.#tasks.values();
    this.#events.onFailure(describeFailure(error, task?.job));
  }
}

/** What is not the file's fault, with the file at hand. */
export function describeFailure(error: unknown, job: FileJob | undefined): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const where = job === undefined ? '' : ` at ${toUtf8Lossy(job.path)}`;
  return new GeneralError([`A worker thread failed${where}: ${reason}`], error);
}
