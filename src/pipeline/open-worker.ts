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
import { Ring } from './ring.ts';
import { type GivenObject, SealedOpener } from './sealed-opener.ts';
import { WorkerControl } from './worker-control.ts';
import { type SharedMemory, takeMessages } from './worker-thread.ts';
import { Plaintexts, writeFiles } from './write-file-contents.ts';

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

takeMessages(port, control, (request: Request) => {
  for (let next: Request | undefined = request; next !== undefined; next = deal(next)) {}
  // What asks to stop may have been taken here.
  control.checkStopped();
});

/** Returns what is to be dealt with next, if it was taken already. */
function deal(request: Request): Request | undefined {
  if ('writes' in request) return openAndWrite(request);
  if ('into' in request) openInto(request);
  else openObjects(request);
  releaseBuffer(request.data);
  return undefined;
}

function openObjects(request: OpenRequest): void {
  ({ batch } = request);
  for (const plaintext of opener.openEach(splitObjects(request))) {
    control.checkStopped();
    addPlaintext(plaintext);
    if (costBytes >= FULL_REPLY_BYTES) flush(false);
  }
  flush(true);
}

function openInto(request: FillRequest): void {
  const { offsetBytes, sizeBytes } = request.into;
  let isFilled = false;
  for (const plaintext of opener.openEach(splitObjects(request))) {
    isFilled = plaintext?.length === sizeBytes;
    if (isFilled) copyMemory(new Uint8Array(start.memory!, offsetBytes, sizeBytes), plaintext!);
  }
  const reply: FillReply = { batch: request.batch, isFilled };
  port?.postMessage(reply);
}

/** With the requests behind it, as far as they have come: so that large objects are opened without a break. */
function openAndWrite(first: WriteRequest): Request | undefined {
  const [toOpen, toWrite] = [[first], [first]];
  let other: Request | undefined;
  const nextObjects = (): GivenObject[] | undefined => {
    const request = toOpen.shift();
    if (request !== undefined) return splitObjects(request);
    other ??= receiveMessageOnPort(port!)?.message as Request | undefined;
    if (other === undefined || !('writes' in other)) return undefined;
    const objects = splitObjects(other);
    toWrite.push(other);
    other = undefined;
    return objects;
  };
  const plaintexts = new Plaintexts(opener.openRows(nextObjects));
  for (let request = toWrite.shift(); request !== undefined; request = toWrite.shift()) {
    // Between two files: none is left half done.
    const outcomes = writeFiles(plaintexts, decodeWrites(request.writes), () => control.checkStopped());
    const reply: WriteReply = { batch: request.batch, ...encodeOutcomes(outcomes) };
    port?.postMessage(reply);
    releaseBuffer(request.data);
  }
  plaintexts.end();
  return other;
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
