/** Opens sealed objects: verifies, decrypts, decompresses. In a thread, or, where there is little, in the main one. */
import type { KeyMaterial } from '../crypto/key-material.ts';
import { groupEnd, ObjectGroup } from './object-group.ts';
import type { PlacedObject } from './open-batch.ts';
import { PlacedPuts } from './placed-puts.ts';

export interface GivenObject {
  readonly id: Uint8Array;
  /** Its bytes, which are decrypted in place, or where to read them. */
  readonly sealed: Uint8Array | PlacedObject;
}

export class SealedOpener {
  readonly #group: ObjectGroup;
  readonly #puts = new PlacedPuts();

  constructor(material: KeyMaterial) {
    this.#group = new ObjectGroup(material);
  }

  /**
   * The plaintexts of the objects; undefined where anything is wrong: whoever reads the object again finds out, and says,
   * what. A plaintext is good until the next one is asked for.
   */
  *openEach(objects: readonly GivenObject[]): Generator<Uint8Array | undefined, void, undefined> {
    const sizeOf = (number: number): number => sealedBytesOf(objects[number]!);
    for (let at = 0; at < objects.length;) {
      const group = this.#puts.readGroup(objects, at, groupEnd(at, objects.length, sizeOf));
      yield* this.#group.open(group);
      at += group.length;
    }
  }
}

function sealedBytesOf({ sealed }: GivenObject): number {
  return sealed instanceof Uint8Array ? sealed.length : sealed.sizeBytes;
}
