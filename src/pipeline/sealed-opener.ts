/** Opens sealed objects: verifies, decrypts, decompresses. In a thread, or, where there is little, in the main one. */
import { decompressTransient } from '../compress/decompress.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { openEnvelopeInPlace } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { type PlacedObject, releaseBuffer } from './open-batch.ts';
import { PlacedPuts } from './placed-puts.ts';

export interface GivenObject {
  readonly id: Uint8Array;
  /** Its bytes, which are decrypted in place, or where to read them. */
  readonly sealed: Uint8Array | PlacedObject;
}

export class SealedOpener {
  readonly #material: KeyMaterial;
  readonly #puts = new PlacedPuts();

  constructor(material: KeyMaterial) {
    this.#material = material;
  }

  /**
   * The plaintexts of the objects from one number up to another; undefined where anything is wrong: whoever reads the object again finds out, and says, what. A plaintext
   * is good until the next one is asked for.
   */
  *openEach(
    objects: readonly GivenObject[],
    from = 0,
    to: number = objects.length,
  ): Generator<Uint8Array | undefined, void, undefined> {
    for (let index = from; index < to; index++) {
      const { id, sealed: given } = objects[index]!;
      const sealed = given instanceof Uint8Array ? given : this.#puts.read(objects, index, given);
      const plaintext = sealed && openSealed(this.#material, id, sealed);
      yield plaintext;
      if (plaintext !== undefined && plaintext.buffer !== sealed?.buffer) releaseBuffer(plaintext);
    }
  }
}

/**
 * The plaintext, good until the next object is opened; undefined where anything is wrong. The sealed bytes are decrypted in
 * place.
 */
export function openSealed(
  material: KeyMaterial,
  id: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    const plaintext = decompressTransient(openEnvelopeInPlace(material, id, sealed));
    return constantTimeEqual(idHash(material, plaintext), id) ? plaintext : undefined;
  } catch {
    return undefined;
  }
}
