/**
 * A worker thread that verifies sealed objects: their CRC, MAC, decompression and id. Nothing of them goes back but whether
 * they are sound. Started by object-verifier.ts only.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { decompressTransient } from '../compress/decompress.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { openEnvelopeInPlace } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import { initCrypto } from '../crypto/init-crypto.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { readFileAt } from '../platform/read-file.ts';
import { type StretchFile, STRETCH_WORDS } from '../util/sealed.ts';
import { releaseBuffer } from './open-batch.ts';
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

/** For what is read from files: fresh memory for each stretch would cost more than the reading. */
let scratch = new Uint8Array(0);

takeMessages(port, control, ({ batch, ids, places, file }: VerifyBatch) => {
  const stretch = read(file, 0, file.sizeBytes);
  const damaged: number[] = [];
  for (let number = 0, at = 0; at < places.length; number++, at += STRETCH_WORDS) {
    control.checkStopped();
    const [coveredAt, objectAt, end, crc] = [places[at]!, places[at + 1]!, places[at + 2]!, places[at + 3]!];
    // Of a stretch that can't be read as a whole, what can be read is as good as ever.
    const covered = stretch?.subarray(coveredAt, end) ?? read(file, coveredAt, end);
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

/** Good until the next call; undefined where the file can't be read, or ends before. */
function read({ fd, offsetBytes }: StretchFile, from: number, to: number): Uint8Array | undefined {
  const sizeBytes = to - from;
  if (scratch.length < sizeBytes) {
    const room = Math.max(sizeBytes, USUAL_STRETCH_BYTES);
    scratch = new Uint8Array(Buffer.allocUnsafeSlow(room).buffer);
  }
  const bytes = scratch.subarray(0, sizeBytes);
  try {
    for (let done = 0; done < sizeBytes;) {
      const more = readFileAt(fd, bytes.subarray(done), offsetBytes + from + done);
      if (more === 0) return undefined;
      done += more;
    }
    return bytes;
  } catch {
    return undefined;
  }
}

function isSound(id: Uint8Array, sealed: Uint8Array): boolean {
  try {
    const plaintext = decompressTransient(openEnvelopeInPlace(material, id, sealed));
    const isRight = constantTimeEqual(idHash(material, plaintext), id);
    if (plaintext.buffer !== sealed.buffer) releaseBuffer(plaintext);
    return isRight;
  } catch {
    return false;
  }
}
