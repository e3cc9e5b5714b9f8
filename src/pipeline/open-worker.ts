/**
 * A worker thread that opens sealed objects: verifies, decrypts, decompresses; and gives back the plaintexts, puts them
 * where it is told to, or writes them to files. Started by object-opener.ts only.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { initCrypto } from '../crypto/init-crypto.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { copyMemory } from '../platform/copy-memory.ts';
import { decodeWrites, encodeOutcomes } from './file-write.ts';
import {
  FAILED,
  type FillReply,
  type FillRequest,
  LARGE,
  type OpenReply,
  type OpenRequest,
  releaseBuffer,
  splitObjects,
  type WriteReply,
  type WriteRequest,
} from './open-batch.ts';
import { Plaintexts } from './plaintexts.ts';
import { Ring } from './ring.ts';
import { SealedOpener } from './sealed-opener.ts';
import { WorkerControl } from './worker-control.ts';
import { type SharedMemory, takeMessages } from './worker-thread.ts';
import { writeFiles } from './write-file-contents.ts';

export interface OpenWorkerStart extends SharedMemory {
  readonly material: KeyMaterial;
  /** For what is to be filled. */
  readonly memory: SharedArrayBuffer | undefined;
}

/** Sent when there is so much, so that the main thread has work early. */
const FULL_REPLY_BYTES = 2 ** 20;

const port = parentPort;
if (port === null) throw new Error('open-worker is a worker thread');
const start = workerData as OpenWorkerStart;
await initCrypto(start.material);
const opener = new SealedOpener(start.material);
const control = new WorkerControl(start.control);
const ring = new Ring(start.ring, control);

let batch = 0;
let sizes: number[] = [];
let offsets: number[] = [];
let large: Uint8Array<ArrayBuffer>[] = [];
let costBytes = 0;

type Request = OpenRequest | FillRequest | WriteRequest;

takeMessages(port, control, (first: Request) => {
  // With the requests behind it, as far as they have come: so that large objects are opened without a break.
  const [toOpen, toAnswer] = [[first], [first]];
  const plaintexts = new Plaintexts(
    opener.openRows(() => {
      const next = toOpen.shift();
      if (next !== undefined) return splitObjects(next);
      const received = receiveMessageOnPort(port)?.message as Request | undefined;
      if (received === undefined) return undefined;
      toAnswer.push(received);
      return splitObjects(received);
    }),
  );
  for (let request = toAnswer.shift(); request !== undefined; request = toAnswer.shift()) {
    if ('writes' in request) answerWrite(request, plaintexts);
    else if ('into' in request) answerFill(request, plaintexts);
    else answerOpen(request, plaintexts);
    releaseBuffer(request.data);
  }
  plaintexts.end();
  // What asks to stop may have been received here.
  control.checkStopped();
});

function answerOpen(request: OpenRequest, plaintexts: Plaintexts): void {
  ({ batch } = request);
  for (plaintexts.begin(request.sizes.length); plaintexts.hasNext;) {
    control.checkStopped();
    addPlaintext(plaintexts.next());
    if (costBytes >= FULL_REPLY_BYTES) flush(false);
  }
  flush(true);
}

function answerFill(request: FillRequest, plaintexts: Plaintexts): void {
  const { offsetBytes, sizeBytes } = request.into;
  plaintexts.begin(request.sizes.length);
  const plaintext = plaintexts.next();
  const isFilled = plaintext?.length === sizeBytes;
  if (isFilled) copyMemory(new Uint8Array(start.memory!, offsetBytes, sizeBytes), plaintext);
  const reply: FillReply = { batch: request.batch, isFilled };
  port?.postMessage(reply);
}

function answerWrite(request: WriteRequest, plaintexts: Plaintexts): void {
  // Between two files: none is left half done.
  const outcomes = writeFiles(plaintexts, decodeWrites(request.writes), () => control.checkStopped());
  const reply: WriteReply = { batch: request.batch, ...encodeOutcomes(outcomes) };
  port?.postMessage(reply);
}

/** Adds the plaintext to the reply; FAILED where there is none. */
function addPlaintext(plaintext: Uint8Array | undefined): void {
  if (plaintext === undefined) {
    sizes.push(FAILED);
    offsets.push(LARGE);
    return;
  }
  // Waiting for room only helps when the main thread knows what it may release.
  const place = ring.reserve(plaintext.length, () => flush(false));
  place.bytes.set(plaintext);
  sizes.push(plaintext.length);
  offsets.push(place.large === undefined ? place.offset : LARGE);
  if (place.large !== undefined) large.push(place.large);
  costBytes += place.costBytes;
}

function flush(isLast: boolean): void {
  const reply: OpenReply = {
    batch,
    sizes: Uint32Array.from(sizes),
    offsets: Uint32Array.from(offsets),
    large,
    costBytes,
    isLast,
  };
  const transfer = large.map((bytes) => bytes.buffer);
  [sizes, offsets, large, costBytes] = [[], [], [], 0];
  port?.postMessage(reply, transfer);
}
