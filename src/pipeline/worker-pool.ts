/** Worker threads of one kind that share the work: each batch goes to the thread that has the least to do. */
import type { Transferable } from 'node:worker_threads';
import { type SharedMemory, WorkerThread } from './worker-thread.ts';

/** What requests and replies have in common. */
export interface Numbered {
  readonly batch: number;
}

/** Who waits for what a thread answers to a batch. */
export interface BatchTaker<Reply> {
  /** Takes an answer; says whether it was the last to this batch. `worker` is who gave it. */
  take(reply: Reply, worker: AnyWorker): boolean;
  /** The threads failed, and have ended: nothing that a request named is used any more. */
  reject(error: unknown): void;
}

/** A thread, for those who use its ring. */
export type AnyWorker = Pick<WorkerThread<SharedMemory, never, never>, 'control' | 'ring'>;

interface Thread<Start extends SharedMemory, Request, Reply> {
  readonly worker: WorkerThread<Start, Request, Reply>;
  pending: number;
}

export class WorkerPool<
  Start extends SharedMemory,
  Request extends Numbered,
  Reply extends Numbered,
> implements AsyncDisposable {
  readonly #file: URL;
  readonly #start: Omit<Start, keyof SharedMemory>;
  readonly #threadCount: number;
  readonly #threads: Thread<Start, Request, Reply>[] = [];
  readonly #waiting = new Map<number, BatchTaker<Reply>>();
  #nextBatch = 0;
  #failure: { readonly error: unknown } | undefined;
  #ended: Promise<void> | undefined;

  /** Threads start when there is work for them. */
  constructor(file: URL, start: Omit<Start, keyof SharedMemory>, threadCount: number) {
    this.#file = file;
    this.#start = start;
    this.#threadCount = Math.max(1, threadCount);
  }

  /** How many batches keep all threads busy. */
  get capacity(): number {
    return 2 * this.#threadCount;
  }

  /** Starts a thread, for whoever knows that there will be work. */
  start(): void {
    if (this.#threads.length === 0 && this.#failure === undefined)
      this.#startThread().worker.isAwaited = false;
  }

  /** Sends a request, and what it gives away; the batch's number is to be put into it. */
  send(
    request: (batch: number) => { readonly message: Request; readonly transfer?: Transferable[] },
    taker: BatchTaker<Reply>,
  ): void {
    const batch = this.#nextBatch++;
    this.#waiting.set(batch, taker);
    if (this.#failure !== undefined) return void this.#end(this.#failure.error);
    const { message, transfer } = request(batch);
    const thread = this.#leastBusy();
    // A thread with nothing to do must not keep the process from ending.
    if (thread.pending++ === 0) thread.worker.isAwaited = true;
    thread.worker.send(message, transfer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(new Error('the threads were ended'));
  }

  #leastBusy(): Thread<Start, Request, Reply> {
    const idle = this.#threads.find(({ pending }) => pending === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#threadCount) return this.#startThread();
    return this.#threads.reduce((least, thread) => (thread.pending < least.pending ? thread : least));
  }

  #startThread(): Thread<Start, Request, Reply> {
    const worker = new WorkerThread<Start, Request, Reply>(this.#file, this.#start, {
      onMessage: (reply) => this.#receive(thread, reply),
      onFailure: (error) => void this.#end(error),
    });
    const thread: Thread<Start, Request, Reply> = { worker, pending: 0 };
    this.#threads.push(thread);
    return thread;
  }

  #receive(thread: Thread<Start, Request, Reply>, reply: Reply): void {
    const isLast = this.#waiting.get(reply.batch)?.take(reply, thread.worker) ?? false;
    if (!isLast) return;
    this.#waiting.delete(reply.batch);
    if (--thread.pending === 0) thread.worker.isAwaited = false;
  }

  /** Ends all threads, and only then tells those who wait: what their requests name may be closed, and used for others. */
  async #end(error: unknown): Promise<void> {
    this.#failure ??= { error };
    this.#ended ??= Promise.all(this.#threads.map(({ worker }) => worker.close())).then(() => {});
    await this.#ended;
    for (const [batch, taker] of this.#waiting) {
      this.#waiting.delete(batch);
      taker.reject(this.#failure.error);
    }
  }
}
