/** A worker thread of the pipeline: takes jobs, sends chunks and results. Started by worker-handle.ts only. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { initCrypto } from '../crypto/init-crypto.ts';
import { probe } from '../util/hash-probe.ts';
import { FileProcessor, newResult, type ProcessorOptions } from './file-processor.ts';
import { type JobsMessage, decodeJob } from './job-message.ts';
import { type ResultMessage, ResultWriter } from './result-message.ts';
import { Ring, type RingPlace } from './ring.ts';
import { WorkerControl, WorkerStopped } from './worker-control.ts';
import { type SharedMemory, takeMessages } from './worker-thread.ts';

export interface WorkerStart extends SharedMemory {
  readonly options: ProcessorOptions;
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

const processor = new FileProcessor(start.options, {
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

takeMessages(port, control, (message: JobsMessage) => {
  for (const [number, job] of message.jobs.entries()) {
    const currentJob = message.firstJob + number;
    control.checkStopped();
    try {
      const result = newResult();
      for (const chunk of processor.process(decodeJob(job), result)) {
        writer.addChunk(currentJob, chunk, place!);
        if (writer.isFull) flush();
      }
      writer.addFile(currentJob, result);
    } catch (error) {
      if (error instanceof WorkerStopped) throw error;
      writer.addFailure(currentJob, error instanceof Error ? error.message : String(error));
    }
    if (writer.isFull) flush();
  }
  flush();
});

function flush(): void {
  if (writer.isEmpty) return;
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
