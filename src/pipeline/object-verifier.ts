/** Worker threads that verify sealed objects, for whoever needs nothing but to know that they are sound. */
import type { KeyMaterial } from '../crypto/key-material.ts';
import type { VerifyBatch, VerifyReply, VerifyRequest } from './verify-batch.ts';
import type { VerifyWorkerStart } from './verify-worker.ts';
import { WorkerPool } from './worker-pool.ts';
import { workerFile } from './worker-thread.ts';

export class ObjectVerifier implements AsyncDisposable {
  readonly #pool: WorkerPool<VerifyWorkerStart, VerifyBatch, VerifyReply>;

  /** Threads start when there is work for them. */
  constructor(material: KeyMaterial, threadCount: number) {
    this.#pool = new WorkerPool(workerFile('verify', import.meta.url), { material }, threadCount);
  }

  /** How many stretches keep all threads busy. */
  get capacity(): number {
    return this.#pool.capacity;
  }

  /**
   * Numbers of the objects that are damaged, or not what their ids say. The file must stay open until then. Rejected only
   * where the threads fail, when all of them have ended.
   */
  verify(stretch: VerifyRequest): Promise<Uint32Array> {
    return new Promise((resolve, reject) => {
      this.#pool.send((batch) => ({ message: { ...stretch, batch } }), {
        take: ({ damaged }) => {
          resolve(damaged);
          return true;
        },
        reject,
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }
}
