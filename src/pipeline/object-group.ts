/**
 * Opens a few small sealed objects at a time: MACs, and ids, of two take hardly longer than of one (src/crypto/sha256-pair.ts).
 * They are few enough that their bytes stay in the processor's cache, and take little memory.
 */
import { decompressInto } from '../compress/decompress.ts';
import { MAX_DATA_SIZE } from '../compress/limits.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { openEnvelopesInPlace } from '../crypto/envelope.ts';
import { idHashes } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { releaseBuffer } from './open-batch.ts';

export interface GroupedObject {
  readonly id: Uint8Array;
  /** Decrypted in place; undefined where they could not be read. */
  readonly sealed: Uint8Array | undefined;
}

/** Objects of this size and more are opened in lanes (object-lanes.ts). */
export const LARGE_BYTES = 256 * 1024;
/** So many are always taken together, */
const FEW_OBJECTS = 4;
/** and more, up to so many, if they have no more bytes. */
const MANY_OBJECTS = 64;
const MANY_BYTES = 256 * 1024;
/** With so many bytes decompressed, the other objects wait. */
const PLAIN_BYTES = 2 * 2 ** 20;
const NO_BYTES = new Uint8Array(0);

/** Up to which number objects are to be opened together: one at least, and no large one behind it. */
export function groupEnd(from: number, end: number, sizeOf: (number: number) => number): number {
  let sizeBytes = sizeOf(from);
  let to = from + 1;
  for (const most = Math.min(from + MANY_OBJECTS, end); to < most; to++) {
    const nextBytes = sizeOf(to);
    sizeBytes += nextBytes;
    if (nextBytes >= LARGE_BYTES || (to - from >= FEW_OBJECTS && sizeBytes > MANY_BYTES)) break;
  }
  return to;
}

export class ObjectGroup {
  readonly #material: KeyMaterial;
  /** Pages of it take memory only once they are written to. */
  #room = NO_BYTES;

  constructor(material: KeyMaterial) {
    this.#material = material;
  }

  /**
   * The plaintexts; undefined where anything is wrong: whoever reads the object again finds out, and says, what. A
   * plaintext is good until the next one is asked for.
   */
  *open(objects: readonly GroupedObject[]): Generator<Uint8Array | undefined, void, undefined> {
    const sealed = objects.map((object) => object.sealed ?? NO_BYTES);
    const payloads = openEnvelopesInPlace(this.#material, sealed);
    for (let from = 0; from < objects.length;) {
      const plaintexts = this.#decompress(payloads, from);
      const hashed = plaintexts.map((plaintext) => plaintext ?? NO_BYTES);
      const ids = idHashes(this.#material, hashed);
      for (let index = 0; index < plaintexts.length; index++) {
        const plaintext = plaintexts[index];
        const isSound = constantTimeEqual(ids[index]!, objects[from + index]!.id);
        try {
          yield isSound ? plaintext : undefined;
        } finally {
          if (plaintext !== undefined) releaseBuffer(plaintext);
        }
      }
      from += plaintexts.length;
    }
  }

  /** What is in the next payloads, as many as are dealt with at a time. */
  #decompress(payloads: readonly (Uint8Array | undefined)[], from: number): (Uint8Array | undefined)[] {
    if (this.#room.length === 0) this.#room = new Uint8Array(MAX_DATA_SIZE);
    const plaintexts: (Uint8Array | undefined)[] = [];
    let [room, plainBytes] = [this.#room, 0];
    while (from + plaintexts.length < payloads.length && plainBytes < PLAIN_BYTES) {
      const payload = payloads[from + plaintexts.length];
      const plaintext = payload && decompressed(payload, room);
      plaintexts.push(plaintext);
      if (plaintext === undefined || plaintext.buffer === payload!.buffer) continue;
      plainBytes += plaintext.length;
      if (plaintext.buffer === room.buffer) room = room.subarray(plaintext.length);
    }
    return plaintexts;
  }
}

function decompressed(payload: Uint8Array, room: Uint8Array): Uint8Array | undefined {
  try {
    return decompressInto(payload, room);
  } catch {
    return undefined;
  }
}
