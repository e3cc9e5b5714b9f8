/** Worker threads that verify sealed objects, for whoever needs nothing but to know that they are sound. */
import type { KeyMaterial } from '../crypto/key-material.ts';
import type { VerifyBatch, VerifyReply, VerifyRequest } from './verify-batch.ts';
import type { VerifyWorkerStart } from './verify-worker.ts';
import { workerFile, WorkerThread } from './worker-thread.ts';

interface Thread {
  readonly worker: WorkerThread<VerifyWorkerStart, VerifyBatch, VerifyReply>;
  pending: number;
}

interface Waiting {
  resolve(damaged: Uint32Array): void;
  reject(error: unknown): void;
}

export class ObjectVerifier implements AsyncDisposable {
  readonly #material: KeyMaterial;
  readonly #threadCount: number;
  readonly #threads: Thread[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #nextBatch = 0;
  #failure: { readonly error: unknown } | undefined;

  /** Threads start when there is work for them. */
  constructor(material: KeyMaterial, threadCount: number) {
    this.#material = material;
    this.#threadCount = Math.max(1, threadCount);
  }

  /** How many stretches keep all threads busy. */
  get capacity(): number {
    return 2 * this.#threadCount;
  }

  /**
   * Numbers of the objects that are damaged, or not what their ids say. The file must stay open until then, or until the
   * threads have ended. Rejected only where the threads fail.
   */
  async verify(stretch: VerifyRequest): Promise<Uint32Array> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const batch = this.#nextBatch++;
    const thread = this.#leastBusy();
    const { promise, resolve, reject } = Promise.withResolvers<Uint32Array>();
    this.#waiting.set(batch, { resolve, reject });
    // A thread with nothing to do must not keep the process from ending.
    if (thread.pending++ === 0) thread.worker.isAwaited = true;
    thread.worker.send({ ...stretch, batch });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.close()));
    this.#fail(new Error('the threads were ended'));
  }

  #leastBusy(): Thread {
    const idle = this.#threads.find(({ pending }) => pending === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#threadCount) return this.#start();
    return this.#threads.reduce((least, thread) => (thread.pending < least.pending ? thread : least));
  }

  #start(): Thread {
    const worker = new WorkerThread<VerifyWorkerStart, VerifyBatch, VerifyReply>(
      workerFile('verify', import.meta.url),
      { material: this.#material },
      {
        onMessage: ({ batch, damaged }) => {
          if (--thread.pending === 0) worker.isAwaited = false;
          this.#waiting.get(batch)?.resolve(damaged);
          this.#waiting.delete(batch);
        },
        onFailure: (error) => this.#fail(error),
      },
    );
    const thread: Thread = { worker, pending: 0 };
    this.#threads.push(thread);
    return thread;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
