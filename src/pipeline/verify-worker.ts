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
import { releaseBuffer } from './open-batch.ts';
import { openSealed } from './sealed-opener.ts';
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

const files = new FileStretches(USUAL_STRETCH_BYTES);

takeMessages(port, control, ({ batch, ids, places, file }: VerifyBatch) => {
  const { fd, offsetBytes, sizeBytes } = file;
  const stretch = files.read(fd, offsetBytes, sizeBytes);
  const damaged: number[] = [];
  for (let number = 0, at = 0; at < places.length; number++, at += STRETCH_WORDS) {
    control.checkStopped();
    const [coveredAt, objectAt, end, crc] = [places[at]!, places[at + 1]!, places[at + 2]!, places[at + 3]!];
    // Of a stretch that can't be read as a whole, what can be read is as good as ever.
    const covered =
      stretch?.subarray(coveredAt, end) ?? files.read(fd, offsetBytes + coveredAt, end - coveredAt);
    const id = ids.subarray(number * ID_BYTES, (number + 1) * ID_BYTES);
    if (
      covered === undefined ||
      crc32(covered) !== crc ||
      !isSound(id, covered.subarray(objectAt - coveredAt))
    ) {
      damaged.push(number);
    }
  }
  port.postMessage({ batch, damaged: Uint32Array.from(damaged) } satisfies VerifyReply);
});

function isSound(id: Uint8Array, sealed: Uint8Array): boolean {
  const plaintext = openSealed(material, id, sealed);
  if (plaintext === undefined) return false;
  if (plaintext.buffer !== sealed.buffer) releaseBuffer(plaintext);
  return true;
}
