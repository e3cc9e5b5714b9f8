/**
 * Files read in the thread that asks for them. Where there are few and small ones, starting another thread takes longer
 * than reading them; the same FileReader and ChunkSealer do the work.
 */
import { setImmediate } from 'node:timers/promises';
import { initCrypto } from '../crypto/init-crypto.ts';
import { forgetDevice } from '../platform/acl-listing.ts';
import { probe } from '../util/hash-probe.ts';
import type { FileJob, PipelineChunk } from './file-job.ts';
import { ChunkSealer, type SealerHost, type SealingOptions } from './chunk-sealer.ts';
import { FileReader, type GrowingResult, newResult } from './file-reader.ts';
import { LEASE_BLOCKS } from './nonce-range.ts';
import type { SharedIndex } from './pipeline-worker.ts';
import { describeFailure, type Task, type WorkerEvents } from './worker-handle.ts';

/** As many files, at most, and as much of them: it takes as long as a thread takes to start. */
const MAX_FILES = 32;
const MAX_BYTES = 2 ** 20;
/** Nothing else happens while a file is read. */
const MAX_FILE_BYTES = 2 ** 19;

interface Tools {
  readonly reader: FileReader;
  readonly sealer: ChunkSealer;
}

export class OwnThread {
  readonly #options: SealingOptions;
  readonly #events: WorkerEvents;
  readonly #isEncrypted: boolean;
  #tools: Tools | undefined;
  #index: SharedIndex | undefined;
  /** First of a range of nonces at hand: the processor can't wait for one. */
  #nonces: bigint | undefined;
  /** A chunk's id and envelope; its taker is done with it before the next is made. */
  #memory = new Uint8Array(0);
  #filesLeft = MAX_FILES;
  #bytesLeft = MAX_BYTES;
  #running: Promise<void> | undefined;
  #closed: { readonly reason: unknown } | undefined;

  constructor(options: SealingOptions, events: WorkerEvents) {
    this.#options = options;
    this.#events = events;
    this.#isEncrypted = options.material.cipher !== 'none';
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Whether it reads this one; it must be given to it then. */
  takes({ sizeHintBytes, section }: FileJob): boolean {
    // A section may be that of a pipe, which keeps its reader waiting.
    if (sizeHintBytes === undefined || section !== undefined) return false;
    if (sizeHintBytes > Math.min(MAX_FILE_BYTES, this.#bytesLeft) || this.#filesLeft === 0) return false;
    this.#filesLeft -= 1;
    this.#bytesLeft -= sizeHintBytes;
    return true;
  }

  send(tasks: readonly Task[]): void {
    this.#running = this.#run(tasks).catch((error: unknown) => this.#events.onFailure(error));
  }

  setIndex(index: SharedIndex): void {
    this.#index = index;
  }

  /** Fails what is unfinished. */
  async close(reason: unknown): Promise<void> {
    this.#closed = { reason };
    await this.#running;
  }

  async #run(tasks: readonly Task[]): Promise<void> {
    forgetDevice();
    for (const { job, taker } of tasks) {
      const result = newResult();
      try {
        const tools = await this.#prepare(job);
        for (const chunk of sealedChunks(tools, job, result)) {
          const taken = taker.takeChunk(chunk);
          if (taken !== undefined) await taken;
          await this.#prepare(job);
        }
      } catch (error) {
        taker.fail(this.#closed === undefined ? error : this.#closed.reason);
        continue;
      }
      taker.takeResult(result);
    }
    this.#running = undefined;
    this.#events.onDone();
  }

  /** Gives others their turn, and sees that there is all that the next chunk may need. */
  async #prepare(job: FileJob): Promise<Tools> {
    await setImmediate();
    this.#checkClosed();
    try {
      this.#tools ??= await this.#start(job);
      if (this.#isEncrypted) this.#nonces ??= await this.#events.leaseNonces(LEASE_BLOCKS);
    } catch (error) {
      this.#events.onFailure(error);
    }
    this.#checkClosed();
    return this.#tools!;
  }

  async #start(job: FileJob): Promise<Tools> {
    await initCrypto(this.#options.material);
    const host: SealerHost = {
      isKnown: (id) => {
        const index = this.#index;
        return index !== undefined && probe(index.buckets, index.bucketCount, index.valueWords, id);
      },
      leaseNonces: (blocks) => this.#takeNonces(blocks),
      reserve: (sizeBytes) => {
        if (sizeBytes > this.#memory.length) this.#memory = new Uint8Array(sizeBytes);
        return this.#memory.subarray(0, sizeBytes);
      },
      shorten: () => {},
      checkStopped: () => this.#checkClosed(),
    };
    try {
      return { reader: new FileReader(this.#options, host), sealer: new ChunkSealer(this.#options, host) };
    } catch (error) {
      throw describeFailure(error, job);
    }
  }

  #takeNonces(blocks: number): bigint {
    const first = this.#nonces;
    if (first === undefined || blocks > LEASE_BLOCKS) throw new Error(`${blocks} nonces are not at hand`);
    this.#nonces = undefined;
    return first;
  }

  #checkClosed(): void {
    if (this.#closed !== undefined) throw this.#closed.reason;
  }
}

/** The file's chunks, one at a time; what goes wrong on the way tells at which file. */
function* sealedChunks(
  { reader, sealer }: Tools,
  job: FileJob,
  result: GrowingResult,
): Generator<PipelineChunk> {
  const sealAll = job.sealAll ?? false;
  try {
    for (const chunk of reader.read(job, result)) {
      const [id] = sealer.idsOf([chunk]);
      const sealed = sealer.seal(chunk, id!, sealAll);
      sealer.complete();
      yield sealed;
    }
  } catch (error) {
    throw describeFailure(error, job);
  }
}
