/** Opens sealed objects: verifies, decrypts, decompresses. In a thread, or, where there is little, in the main one. */
import { crc32 } from 'node:zlib';
import { decompressTransient } from '../compress/decompress.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { openEnvelopeInPlace } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { readFileAt } from '../platform/read-file.ts';
import { type PlacedObject, releaseBuffer } from './open-batch.ts';

export interface GivenObject {
  readonly id: Uint8Array;
  /** Its bytes, which are decrypted in place, or where to read them. */
  readonly sealed: Uint8Array | PlacedObject;
}

export class SealedOpener {
  readonly #material: KeyMaterial;
  /** For objects that are read here, one after the other: fresh memory for each would cost more than the reading. */
  #scratch = new Uint8Array(0);

  constructor(material: KeyMaterial) {
    this.#material = material;
  }

  /**
   * The plaintexts; undefined where anything is wrong: whoever reads the object again finds out, and says, what. A plaintext
   * is good until the next one is asked for.
   */
  *openEach(objects: Iterable<GivenObject>): Generator<Uint8Array | undefined, void, undefined> {
    for (const { id, sealed: given } of objects) {
      let sealed: Uint8Array | undefined;
      let plaintext: Uint8Array | undefined;
      try {
        sealed = given instanceof Uint8Array ? given : this.#read(given);
        plaintext = this.#open(id, sealed);
      } catch {
        plaintext = undefined;
      }
      yield plaintext;
      if (plaintext !== undefined && plaintext.buffer !== sealed?.buffer) releaseBuffer(plaintext);
    }
  }

  #open(id: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const object = openEnvelopeInPlace(this.#material, id, sealed);
    const plaintext = decompressTransient(object);
    return constantTimeEqual(idHash(this.#material, plaintext), id) ? plaintext : undefined;
  }

  #read({ fd, offsetBytes, sizeBytes, crcBefore, crc }: PlacedObject): Uint8Array {
    if (this.#scratch.length < sizeBytes) {
      // There is so little garbage here that the collector would leave it for long.
      releaseBuffer(this.#scratch);
      this.#scratch = new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
    }
    const sealed = this.#scratch.subarray(0, sizeBytes);
    for (let done = 0; done < sizeBytes;) {
      const more = readFileAt(fd, sealed.subarray(done), offsetBytes + done);
      if (more === 0) throw new Error('the file ends');
      done += more;
    }
    if (crc32(sealed, crcBefore) !== crc) throw new Error('another CRC');
    return sealed;
  }
}
