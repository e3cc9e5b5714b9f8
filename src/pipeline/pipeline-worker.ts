/** A worker thread of the pipeline: takes jobs, sends chunks and results. Started by worker-handle.ts only. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Chunk } from '../chunker/chunk-source.ts';
import { initCrypto } from '../crypto/init-crypto.ts';
import { forgetDevice } from '../platform/acl-listing.ts';
import { probe } from '../util/hash-probe.ts';
import { ChunkSealer, type SealingOptions } from './chunk-sealer.ts';
import type { FileJob, FileResult } from './file-job.ts';
import { FileReader, newResult } from './file-reader.ts';
import { type JobsMessage, decodeJobs } from './job-message.ts';
import { type ResultMessage, ResultWriter } from './result-message.ts';
import { Ring, type RingPlace } from './ring.ts';
import { WorkerControl, WorkerStopped } from './worker-control.ts';
import { type SharedMemory, takeMessages } from './worker-thread.ts';

export interface WorkerStart extends SharedMemory {
  readonly options: SealingOptions;
  readonly indexPort: MessagePort;
}

/** A chunk index in shared memory. */
export interface SharedIndex {
  readonly buckets: Uint8Array;
  readonly bucketCount: number;
  readonly valueWords: number;
}

export type FromWorker =
  | { readonly type: 'results'; readonly results: ResultMessage }
  | { readonly type: 'lease'; readonly blocks: number };

const port = parentPort;
if (port === null) throw new Error('pipeline-worker is a worker thread');
const start = workerData as WorkerStart;
await initCrypto(start.options.material);

const control = new WorkerControl(start.control);
const ring = new Ring(start.ring, control);
const writer = new ResultWriter();
let place: RingPlace | undefined;
let index: SharedIndex | undefined;
let indexCount = 0;

const sealer = new ChunkSealer(start.options, {
  isKnown(id) {
    if (control.indexCount !== indexCount) receiveIndex();
    return index !== undefined && probe(index.buckets, index.bucketCount, index.valueWords, id);
  },
  leaseNonces: (blocks) => control.awaitLease(() => send({ type: 'lease', blocks })),
  reserve(sizeBytes) {
    place = ring.reserve(sizeBytes, flush);
    writer.addCost(place.costBytes);
    return place.bytes;
  },
  shorten(sizeBytes) {
    if (place !== undefined) writer.addCost(-ring.shorten(place, sizeBytes));
  },
  checkStopped: () => control.checkStopped(),
});

const reader = new FileReader(start.options, {
  beforeReuse: settle,
  checkStopped: () => control.checkStopped(),
});

/** What is to become rows, in order: chunks that are cut but not sealed, and what became of files. */
let unsettled: Unsettled[] = [];
/** Nothing more is said of it. */
let failedJob = -1;

interface Unsettled {
  readonly job: number;
  readonly chunk?: Chunk;
  readonly sealAll?: boolean;
  readonly result?: FileResult;
  readonly failure?: unknown;
}

takeMessages(port, control, (message: JobsMessage) => {
  forgetDevice();
  let job = message.firstJob - 1;
  for (const fileJob of decodeJobs(message)) {
    job += 1;
    control.checkStopped();
    try {
      readFile(job, fileJob);
    } catch (failure) {
      if (failure instanceof WorkerStopped) throw failure;
      unsettled.push({ job, failure });
    }
  }
  settle();
  flush();
});

function readFile(job: number, fileJob: FileJob): void {
  const result = newResult();
  const sealAll = fileJob.sealAll ?? false;
  for (const chunk of reader.read(fileJob, result)) {
    if (job === failedJob) return;
    unsettled.push({ job, chunk, sealAll });
  }
  unsettled.push({ job, result });
}

/** Seals what was cut, all of it together: two hashes side by side take hardly longer than one. */
function settle(): void {
  const settling = unsettled;
  unsettled = [];
  const ids = sealer.idsOf(settling.flatMap(({ chunk }) => chunk ?? []));
  let next = 0;
  for (const one of settling) {
    const id = one.chunk && ids[next++];
    if (one.job === failedJob) continue;
    settleOne(one, id);
    if (writer.isFull) flush();
  }
  if (writer.isWorthSending) flush();
}

function settleOne({ job, chunk, sealAll = false, result, failure }: Unsettled, id?: Uint8Array): void {
  if (result !== undefined) writer.addFile(job, result);
  else if (chunk === undefined || id === undefined) fail(job, failure);
  else {
    try {
      const sealed = sealer.seal(chunk, id, sealAll);
      writer.addChunk(job, sealed, place!);
    } catch (error) {
      if (error instanceof WorkerStopped) throw error;
      fail(job, error);
    }
  }
}

function fail(job: number, error: unknown): void {
  failedJob = job;
  writer.addFailure(job, error instanceof Error ? error.message : String(error));
}

function flush(): void {
  if (writer.isEmpty) return;
  sealer.complete();
  const { message, transfer } = writer.take();
  send({ type: 'results', results: message }, transfer);
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** Takes the newest index from the port, where messages arrive even while a long file is at work. */
function receiveIndex(): void {
  for (;;) {
    const received = receiveMessageOnPort(start.indexPort);
    if (received === undefined) return;
    index = received.message as SharedIndex;
    indexCount++;
  }
}
