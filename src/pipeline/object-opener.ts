/** Worker threads that open sealed objects, for whoever reads much. */
import { Worker } from 'node:worker_threads';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { joinParts, type OpenReply, type OpenRequest, releaseBuffer, splitParts } from './open-batch.ts';

const WORKER_FILE = import.meta.url.endsWith('.ts') ? './open-worker.ts' : './open-worker.js';
const ID_BYTES = 32;

/** An object as it is in the repository. */
export interface SealedInput {
  readonly id: Uint8Array;
  readonly sealed: Uint8Array;
}

interface Thread {
  readonly worker: Worker;
  pending: number;
}

export interface OpenedBatch {
  /**
   * Verified; undefined for an object that is damaged, or not what its id says. Of the first objects only, at least
   * one, where all of them would take much memory: open() the rest again.
   */
  readonly plaintexts: readonly (Uint8Array | undefined)[];
  /** Frees the plaintexts' memory. */
  release(): void;
}

interface Waiting {
  resolve(opened: OpenedBatch): void;
  reject(error: unknown): void;
}

export class ObjectOpener implements AsyncDisposable {
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

  /** How many batches keep all threads busy. */
  get capacity(): number {
    return 2 * this.#threadCount;
  }

  /** Opens the objects; rejected only where the threads fail. */
  open(objects: readonly SealedInput[]): Promise<OpenedBatch> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure.error);
      const batch = this.#nextBatch++;
      const ids = new Uint8Array(objects.length * ID_BYTES);
      objects.forEach(({ id }, index) => ids.set(id, index * ID_BYTES));
      const { sizes, data } = joinParts(objects.map(({ sealed }) => sealed));
      const request: OpenRequest = { batch, ids, sizes, data };
      this.#waiting.set(batch, { resolve, reject });
      const thread = this.#leastBusy();
      // A thread with nothing to do must not keep the process from ending.
      if (thread.pending++ === 0) thread.worker.ref();
      thread.worker.postMessage(request, [data.buffer]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error('the threads were ended'));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #leastBusy(): Thread {
    const idle = this.#threads.find((thread) => thread.pending === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#threadCount) return this.#start();
    return this.#threads.reduce((least, thread) => (thread.pending < least.pending ? thread : least));
  }

  #start(): Thread {
    const worker = new Worker(new URL(WORKER_FILE, import.meta.url), {
      name: 'open',
      workerData: this.#material,
    });
    const thread: Thread = { worker, pending: 0 };
    worker.on('message', (reply: OpenReply) => {
      if (--thread.pending === 0) worker.unref();
      const waiting = this.#waiting.get(reply.batch);
      this.#waiting.delete(reply.batch);
      waiting?.resolve({ plaintexts: splitParts(reply), release: () => releaseBuffer(reply.data) });
    });
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('a thread ended')));
    this.#threads.push(thread);
    return thread;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
