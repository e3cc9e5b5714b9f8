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
import { type AnyWorker, type BatchTaker, WorkerPool } from './worker-pool.ts';
import { workerFile } from './worker-thread.ts';

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

export class ObjectOpener implements AsyncDisposable {
  readonly #pool: WorkerPool<OpenWorkerStart, Request, Reply>;
  /** Places in the ring of each thread, in the order in which they were taken. */
  readonly #held = new WeakMap<AnyWorker, Held[]>();

  /** Threads start when there is work for them. `memory`: for openInto(). */
  constructor(material: KeyMaterial, threadCount: number, memory?: SharedArrayBuffer) {
    this.#pool = new WorkerPool(workerFile('open', import.meta.url), { material, memory }, threadCount);
  }

  /** How many batches keep all threads busy. */
  get capacity(): number {
    return this.#pool.capacity;
  }

  /**
   * Opens the objects, whose memory it takes over, or reads them where they are. Parts are to be released in the order of
   * the batches: a thread waits at a full ring. Rejected only where the threads fail, when all of them have ended.
   */
  open(objects: readonly SealedInput[]): Promise<OpenedPart> {
    let next = expected<OpenedPart>();
    const first = next.promise;
    this.#send(objects, (message) => message, {
      take: (reply, worker) => {
        if (!('isLast' in reply)) return false;
        const { resolve } = next;
        next = expected();
        resolve({
          plaintexts: repliedParts(reply, worker.ring),
          next: reply.isLast ? undefined : next.promise,
          release: this.#hold(worker, reply.costBytes),
        });
        return reply.isLast;
      },
      reject: (error) => next.reject(error),
    });
    return first;
  }

  /**
   * Opens the objects, as open() does, and writes their plaintexts to files. What the writes name must stay open until the
   * promise is settled.
   */
  write(objects: readonly SealedInput[], writes: readonly FileWrite[]): Promise<FileOutcome[]> {
    return this.#ask(
      objects,
      (message) => ({ ...message, writes: encodeWrites(writes) }),
      (reply) => ('sizesBytes' in reply ? decodeOutcomes(reply) : undefined),
    );
  }

  /** Opens one object, as open() does, into a part of the memory that it fills. False where it does not open, or not fill it. */
  openInto(object: SealedInput, into: Uint8Array): Promise<boolean> {
    return this.#ask(
      [object],
      (message) => ({ ...message, into: { offsetBytes: into.byteOffset, sizeBytes: into.length } }),
      (reply) => ('isFilled' in reply ? reply.isFilled : undefined),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  /** Sends what has one answer. */
  #ask<T>(
    objects: readonly SealedInput[],
    request: (message: ObjectsMessage) => Request,
    read: (reply: Reply) => T | undefined,
  ): Promise<T> {
    const { promise, resolve, reject } = expected<T>();
    this.#send(objects, request, {
      take: (reply) => {
        const answer = read(reply);
        if (answer !== undefined) resolve(answer);
        return true;
      },
      reject,
    });
    return promise;
  }

  #send(
    objects: readonly SealedInput[],
    request: (message: ObjectsMessage) => Request,
    taker: BatchTaker<Reply>,
  ): void {
    const message = (batch: number) => {
      const joined = joinObjects(batch, objects);
      return { message: request(joined), transfer: [joined.data.buffer] };
    };
    this.#pool.send(message, {
      take: (reply, worker) => {
        const isLast = taker.take(reply, worker);
        if (isLast) releaseAll(objects);
        return isLast;
      },
      reject: (error) => {
        releaseAll(objects);
        taker.reject(error);
      },
    });
  }

  /** The ring gets its places back in the order in which they were taken, whoever is first to be done with one. */
  #hold(worker: AnyWorker, costBytes: number): () => void {
    const held: Held = { costBytes, isReleased: false };
    const all = this.#held.get(worker) ?? [];
    this.#held.set(worker, all);
    all.push(held);
    return () => {
      held.isReleased = true;
      for (let [first] = all; first?.isReleased === true; [first] = all) {
        all.shift();
        worker.control.release(first.costBytes);
      }
    };
  }
}

/** Awaited in its turn; until then a failure must not count as nobody's. */
function expected<T>(): PromiseWithResolvers<T> {
  const resolvers = Promise.withResolvers<T>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

function releaseAll(objects: readonly SealedInput[]): void {
  for (const { sealed } of objects) releaseSealed(sealed);
}
