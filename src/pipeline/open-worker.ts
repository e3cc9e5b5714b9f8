/** A worker thread that opens sealed objects: verifies, decrypts, decompresses. Started by object-opener.ts only. */
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { decompress, decompressTransient } from '../compress/decompress.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { openEnvelopeInPlace } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import { initCrypto } from '../crypto/init-crypto.ts';
import { readFileAt } from '../platform/read-file.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import {
  FAILED,
  LARGE,
  type OpenReply,
  type OpenRequest,
  ownsBuffer,
  releaseBuffer,
  type PlacedObject,
  splitObjects,
} from './open-batch.ts';
import { Ring } from './ring.ts';
import { WorkerControl } from './worker-control.ts';
import { type SharedMemory, takeMessages } from './worker-thread.ts';

export interface OpenWorkerStart extends SharedMemory {
  readonly material: KeyMaterial;
}

const ID_BYTES = 32;
/** Sent when there is so much, so that the main thread has work early. */
const FULL_REPLY_BYTES = 2 ** 20;

const port = parentPort;
if (port === null) throw new Error('open-worker is a worker thread');
const start = workerData as OpenWorkerStart;
const { material } = start;
await initCrypto(material);
const control = new WorkerControl(start.control);
const ring = new Ring(start.ring, control);

let batch = 0;
let keeps = false;
let sizes: number[] = [];
let offsets: number[] = [];
let large: Uint8Array<ArrayBuffer>[] = [];
let costBytes = 0;
/** For objects that are read here, one after the other: fresh memory for each would cost more than the reading. */
let scratch = new Uint8Array(0);

takeMessages(port, control, (request: OpenRequest) => {
  ({ batch, keeps } = request);
  let at = 0;
  for (const object of splitObjects(request)) {
    control.checkStopped();
    open(request.ids.subarray(at, (at += ID_BYTES)), object);
    if (costBytes >= FULL_REPLY_BYTES) flush(false);
  }
  flush(true);
  releaseBuffer(request.data);
});

/** Adds the plaintext to the reply; FAILED where anything is wrong: the main thread finds out, and says, what. */
function open(id: Uint8Array, given: Uint8Array<ArrayBuffer> | PlacedObject): void {
  let sealed: Uint8Array<ArrayBuffer>;
  let plaintext: Uint8Array;
  try {
    sealed = given instanceof Uint8Array ? given : read(given);
    const object = openEnvelopeInPlace(material, id, sealed);
    plaintext = keeps ? decompress(object) : decompressTransient(object);
    if (!constantTimeEqual(idHash(material, plaintext), id)) throw new Error('another id');
  } catch {
    sizes.push(FAILED);
    offsets.push(LARGE);
    return;
  }
  if (keeps) return addKept(ownsBuffer(plaintext) ? plaintext : plaintext.slice());
  // Waiting for room only helps when the main thread knows what it may release.
  const place = ring.reserve(plaintext.length, () => flush(false));
  place.bytes.set(plaintext);
  sizes.push(plaintext.length);
  offsets.push(place.large === undefined ? place.offset : LARGE);
  if (place.large !== undefined) large.push(place.large);
  costBytes += place.costBytes;
  if (plaintext.buffer !== sealed.buffer) releaseBuffer(plaintext);
}

/** Good until the next call. */
function read({ fd, offsetBytes, sizeBytes, crcBefore, crc }: PlacedObject): Uint8Array<ArrayBuffer> {
  if (scratch.length < sizeBytes) scratch = new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
  const sealed = scratch.subarray(0, sizeBytes);
  for (let done = 0; done < sizeBytes;) {
    const more = readFileAt(fd, sealed.subarray(done), offsetBytes + done);
    if (more === 0) throw new Error('the file ends');
    done += more;
  }
  if (crc32(sealed, crcBefore) !== crc) throw new Error('another CRC');
  return sealed;
}

function addKept(plaintext: Uint8Array<ArrayBuffer>): void {
  sizes.push(plaintext.length);
  offsets.push(LARGE);
  large.push(plaintext);
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
