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

const port = parentPort;
if (port === null) throw new Error('open-worker is a worker thread');
const material = workerData as KeyMaterial;
await initCrypto(material);

port.on('message', (request: OpenRequest) => {
  const opened = splitParts(request).map((sealed, index) =>
    open(request.ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES), sealed!),
  );
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
