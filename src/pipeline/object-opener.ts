/** Worker threads that open sealed objects, for whoever reads much, and write files of them, for whoever wants them there. */
import type { KeyMaterial } from '../crypto/key-material.ts';
import { releaseSealed } from '../util/sealed.ts';
import { decodeOutcomes, encodeWrites, type FileOutcome, type FileWrite } from './file-write.ts';
import {
  type FillReply,
  type FillRequest,
  joinObjects,
  type ObjectsMessage,
  type OpenReply,
  type OpenRequest,
  repliedParts,
  type SealedInput,
  type WriteReply,
  type WriteRequest,
} from './open-batch.ts';
import type { OpenWorkerStart } from './open-worker.ts';
import { workerFile, WorkerThread } from './worker-thread.ts';

/** What a thread was done with at a time: all of a batch's objects, or the next ones of them. */
export interface OpenedPart {
  /**
   * Verified; undefined for an object that is damaged, or not what its id says. In memory that is shared between
   * threads, and used again after release().
   */
  readonly plaintexts: readonly (Uint8Array | undefined)[];
  /** The objects behind these. */
  readonly next: Promise<OpenedPart> | undefined;
  /** To be called when the plaintexts are dealt with: until then the thread may wait for room. */
  release(): void;
}

interface Held {
  readonly costBytes: number;
  isReleased: boolean;
}

type Request = OpenRequest | FillRequest | WriteRequest;
type Reply = OpenReply | FillReply | WriteReply;

interface Thread {
  readonly worker: WorkerThread<OpenWorkerStart, Request, Reply>;
  /** Places in the ring, in the order in which they were taken. */
  readonly held: Held[];
  pending: number;
}

interface Waiting {
  /** What the thread may read from files. */
  readonly objects: readonly SealedInput[];
  /** Takes what the thread answers. */
  take(thread: Thread, reply: Reply): void;
  reject(error: unknown): void;
}

export class ObjectOpener implements AsyncDisposable {
  readonly #material: KeyMaterial;
  readonly #threadCount: number;
  readonly #memory: SharedArrayBuffer | undefined;
  readonly #threads: Thread[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #nextBatch = 0;
  #failure: { readonly error: unknown } | undefined;

  /** Threads start when there is work for them. `memory`: for openInto(). */
  constructor(material: KeyMaterial, threadCount: number, memory?: SharedArrayBuffer) {
    this.#material = material;
    this.#memory = memory;
    this.#threadCount = Math.max(1, threadCount);
  }

  /** Threads failed, and others may still be at work. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** How many batches keep all threads busy. */
  get capacity(): number {
    return 2 * this.#threadCount;
  }

  /**
   * Opens the objects, whose memory it takes over, or reads them where they are. Parts are to be released in the order of
   * the batches: a thread waits at a full ring. Rejected only where the threads fail.
   */
  open(objects: readonly SealedInput[]): Promise<OpenedPart> {
    return this.#send(
      objects,
      (message) => message,
      (batch) => this.#expectPart(batch, objects),
    );
  }

  /**
   * Opens the objects, as open() does, and writes their plaintexts to files. What the writes name must stay open until the
   * promise is settled.
   */
  write(objects: readonly SealedInput[], writes: readonly FileWrite[]): Promise<FileOutcome[]> {
    return this.#send(
      objects,
      (message) => ({ ...message, writes: encodeWrites(writes) }),
      (batch) => this.#expectOutcomes(batch, objects),
    );
  }

  /**
   * Opens one object, as open() does, into a part of the memory that it fills. False where it does not open, or not fill it;
   * where that is rejected, a thread may still write there.
   */
  openInto(object: SealedInput, into: Uint8Array): Promise<boolean> {
    return this.#send(
      [object],
      (message) => ({ ...message, into: { offsetBytes: into.byteOffset, sizeBytes: into.length } }),
      (batch) => this.#expectFilled(batch, [object]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error('the threads were ended'));
    await Promise.all(this.#threads.map(({ worker }) => worker.close()));
  }

  #send<T>(
    objects: readonly SealedInput[],
    request: (message: ObjectsMessage) => Request,
    expect: (batch: number) => Promise<T>,
  ): Promise<T> {
    if (this.#failure !== undefined) {
      releaseAll(objects);
      return Promise.reject(this.#failure.error);
    }
    const message = joinObjects(this.#nextBatch++, objects);
    const answer = expect(message.batch);
    // Awaited in its turn; until then a failure must not count as nobody's.
    answer.catch(() => {});
    const thread = this.#leastBusy();
    // A thread with nothing to do must not keep the process from ending.
    if (thread.pending++ === 0) thread.worker.isAwaited = true;
    thread.worker.send(request(message), [message.data.buffer]);
    return answer;
  }

  #expectPart(batch: number, objects: readonly SealedInput[]): Promise<OpenedPart> {
    return new Promise((resolve, reject) => {
      const take = (thread: Thread, reply: Reply): void => {
        if (!('isLast' in reply)) return;
        if (reply.isLast) this.#end(thread, objects);
        const held: Held = { costBytes: reply.costBytes, isReleased: false };
        thread.held.push(held);
        const next = reply.isLast ? undefined : this.#expectPart(batch, objects);
        // As the first part.
        next?.catch(() => {});
        const plaintexts = repliedParts(reply, thread.worker.ring);
        resolve({ plaintexts, next, release: () => release(thread, held) });
      };
      this.#waiting.set(batch, { objects, take, reject });
    });
  }

  #expectFilled(batch: number, objects: readonly SealedInput[]): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const take = (thread: Thread, reply: Reply): void => {
        if (!('isFilled' in reply)) return;
        this.#end(thread, objects);
        resolve(reply.isFilled);
      };
      this.#waiting.set(batch, { objects, take, reject });
    });
  }

  #expectOutcomes(batch: number, objects: readonly SealedInput[]): Promise<FileOutcome[]> {
    return new Promise((resolve, reject) => {
      const take = (thread: Thread, reply: Reply): void => {
        if (!('sizesBytes' in reply)) return;
        this.#end(thread, objects);
        resolve(decodeOutcomes(reply));
      };
      this.#waiting.set(batch, { objects, take, reject });
    });
  }

  /** The thread is done with the batch. */
  #end(thread: Thread, objects: readonly SealedInput[]): void {
    releaseAll(objects);
    if (--thread.pending === 0) thread.worker.isAwaited = false;
  }

  #leastBusy(): Thread {
    const idle = this.#threads.find((thread) => thread.pending === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#threadCount) return this.#start();
    return this.#threads.reduce((least, thread) => (thread.pending < least.pending ? thread : least));
  }

  #start(): Thread {
    const worker = new WorkerThread<OpenWorkerStart, Request, Reply>(
      workerFile('open', import.meta.url),
      { material: this.#material, memory: this.#memory },
      { onMessage: (reply) => this.#receive(thread, reply), onFailure: (error) => this.#fail(error) },
    );
    const thread: Thread = { worker, held: [], pending: 0 };
    this.#threads.push(thread);
    return thread;
  }

  #receive(thread: Thread, reply: Reply): void {
    const waiting = this.#waiting.get(reply.batch);
    this.#waiting.delete(reply.batch);
    waiting?.take(thread, reply);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiting of this.#waiting.values()) {
      releaseAll(waiting.objects);
      waiting.reject(error);
    }
    this.#waiting.clear();
  }
}

function releaseAll(objects: readonly SealedInput[]): void {
  for (const { sealed } of objects) releaseSealed(sealed);
}

/** The ring gets its places back in the order in which they were taken, whoever is first to be done with one. */
function release(thread: Thread, held: Held): void {
  held.isReleased = true;
  for (let [first] = thread.held; first?.isReleased === true; [first] = thread.held) {
    thread.held.shift();
    thread.worker.control.release(first.costBytes);
  }
}
