/**
 * A worker thread that verifies sealed objects: their CRC, MAC, decompression and id. Nothing of them goes back but whether
 * they are sound. Started by object-verifier.ts only.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { initCrypto } from '../crypto/init-crypto.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { crc32 } from '../util/crc32.ts';
import { STRETCH_WORDS } from '../util/sealed.ts';
import { FileStretches } from './file-stretches.ts';
import { type ObjectRow, ObjectRows, once } from './object-rows.ts';
import type { VerifyBatch, VerifyReply } from './verify-batch.ts';
import { WorkerControl } from './worker-control.ts';
import { type SharedMemory, takeMessages } from './worker-thread.ts';

export interface VerifyWorkerStart extends SharedMemory {
  readonly material: KeyMaterial;
}

const ID_BYTES = 32;

const port = parentPort;
if (port === null) throw new Error('verify-worker is a worker thread');
const { material, control: shared } = workerData as VerifyWorkerStart;
await initCrypto(material);
const control = new WorkerControl(shared);

/** Room for the largest object and what is in front of it; pages take memory only once they are written to. */
const USUAL_STRETCH_BYTES = 22 * 2 ** 20;

/** For those of large objects. */
const PLAINTEXTS_BYTES = 10 * 2 ** 20;

const files = new FileStretches(USUAL_STRETCH_BYTES);
const rows = new ObjectRows(material, PLAINTEXTS_BYTES);

takeMessages(port, control, (request: VerifyBatch) => {
  const damaged: number[] = [];
  let number = 0;
  for (const plaintext of rows.open(once(rowOf(request)))) {
    control.checkStopped();
    if (plaintext === undefined) damaged.push(number);
    number++;
  }
  port.postMessage({ batch: request.batch, damaged: Uint32Array.from(damaged) } satisfies VerifyReply);
});

function rowOf({ ids, places, file }: VerifyBatch): ObjectRow {
  const { fd, offsetBytes, sizeBytes } = file;
  files.clear();
  const stretch = files.read(fd, offsetBytes, sizeBytes);
  // Of a stretch that can't be read as a whole, what can be read is as good as ever.
  const read = (at: number, end: number): Uint8Array | undefined =>
    stretch?.subarray(at, end) ?? files.read(fd, offsetBytes + at, end - at);
  const sealedOf = (number: number): Uint8Array | undefined => {
    const { coveredAt, objectAt, end, crc } = placeOf(places, number);
    const covered = read(coveredAt, end);
    const isRead = covered !== undefined && crc32(covered) === crc;
    return isRead ? covered.subarray(objectAt - coveredAt) : undefined;
  };
  const sizeOf = (number: number): number => {
    const { objectAt, end } = placeOf(places, number);
    return end - objectAt;
  };
  const idOf = (number: number): Uint8Array => ids.subarray(number * ID_BYTES, (number + 1) * ID_BYTES);
  return {
    count: places.length / STRETCH_WORDS,
    sizeOf,
    readGroup: (from, to) =>
      Array.from({ length: to - from }, (_, index) => ({
        id: idOf(from + index),
        sealed: sealedOf(from + index),
      })),
    largeObject: (number) => ({ id: idOf(number), roomBytes: 0, read: () => sealedOf(number) }),
  };
}

/** See SealedStretch. */
function placeOf(
  places: Uint32Array,
  number: number,
): { coveredAt: number; objectAt: number; end: number; crc: number } {
  const at = number * STRETCH_WORDS;
  const [coveredAt, objectAt, end, crc] = [places[at]!, places[at + 1]!, places[at + 2]!, places[at + 3]!];
  return { coveredAt, objectAt, end, crc };
}
