/** A worker thread that opens sealed objects: verifies, decrypts, decompresses. Started by object-opener.ts only. */
import { parentPort, workerData } from 'node:worker_threads';
import { decompress } from '../compress/decompress.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { openEnvelope } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import { initCrypto } from '../crypto/init-crypto.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { joinParts, type OpenReply, type OpenRequest, releaseBuffer, splitParts } from './open-batch.ts';

const ID_BYTES = 32;
/**
 * A reply ends behind the object that reaches this. Zeros and bombs shrink by a factor of thousands, so what a batch
 * opens to has to be bounded apart from its own size.
 */
const FULL_REPLY_BYTES = 8 * 2 ** 20;

const port = parentPort;
if (port === null) throw new Error('open-worker is a worker thread');
const material = workerData as KeyMaterial;
await initCrypto(material);

port.on('message', (request: OpenRequest) => {
  const opened: (Uint8Array | undefined)[] = [];
  let openedBytes = 0;
  for (const [index, sealed] of splitParts(request).entries()) {
    if (openedBytes >= FULL_REPLY_BYTES) break;
    const plaintext = open(request.ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES), sealed!);
    opened.push(plaintext);
    openedBytes += plaintext?.length ?? 0;
  }
  const reply: OpenReply = { batch: request.batch, ...joinParts(opened, { take: true }) };
  port.postMessage(reply, [reply.data.buffer]);
  for (const plaintext of opened) {
    if (plaintext !== undefined) releaseBuffer(plaintext);
  }
  releaseBuffer(request.data);
});

/** Undefined where anything is wrong: the main thread opens the object again, and says what. */
function open(id: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  try {
    const payload = openEnvelope(material, id, sealed);
    const plaintext = decompress(payload);
    if (plaintext.buffer !== payload.buffer && payload.buffer !== sealed.buffer) releaseBuffer(payload);
    return constantTimeEqual(idHash(material, plaintext), id) ? plaintext : undefined;
  } catch {
    return undefined;
  }
}
