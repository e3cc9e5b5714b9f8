/** Opens sealed objects: verifies, decrypts, decompresses. In a thread, or, where there is little, in the main one. */
import type { KeyMaterial } from '../crypto/key-material.ts';
import type { LaneObject } from './object-lanes.ts';
import { type ObjectRow, ObjectRows, once } from './object-rows.ts';
import type { PlacedObject } from './open-batch.ts';
import { PlacedPuts, readAlone, roomBytesOf } from './placed-puts.ts';

export interface GivenObject {
  readonly id: Uint8Array;
  /** Its bytes, which are decrypted in place, or where to read them. */
  readonly sealed: Uint8Array | PlacedObject;
}

/** Two of usual size at work, what is read ahead of them, and their plaintexts. */
const LARGE_OBJECTS_BYTES = 18 * 2 ** 20;

export class SealedOpener {
  readonly #rows: ObjectRows;
  readonly #puts = new PlacedPuts();

  constructor(material: KeyMaterial) {
    this.#rows = new ObjectRows(material, LARGE_OBJECTS_BYTES);
  }

  /**
   * The plaintexts of the objects; undefined where anything is wrong: whoever reads the object again finds out, and says,
   * what. A plaintext is good until the next one is asked for.
   */
  openEach(objects: readonly GivenObject[]): Generator<Uint8Array | undefined, void, undefined> {
    return this.openRows(once(objects));
  }

  /** The same, of all objects that `next` gives; see ObjectRows. */
  openRows(
    next: () => readonly GivenObject[] | undefined,
  ): Generator<Uint8Array | undefined, void, undefined> {
    return this.#rows.open(() => {
      const objects = next();
      return objects && this.#rowOf(objects);
    });
  }

  #rowOf(objects: readonly GivenObject[]): ObjectRow {
    return {
      count: objects.length,
      sizeOf: (number) => sealedBytesOf(objects[number]!),
      readGroup: (from, to) => this.#puts.readGroup(objects, from, to),
      largeObject: (number) => largeObject(objects[number]!),
    };
  }
}

function largeObject({ id, sealed }: GivenObject): LaneObject {
  if (sealed instanceof Uint8Array) return { id, roomBytes: 0, read: () => sealed };
  return { id, roomBytes: roomBytesOf(sealed), read: (room) => readAlone(id, sealed, room) };
}

function sealedBytesOf({ sealed }: GivenObject): number {
  return sealed instanceof Uint8Array ? sealed.length : sealed.sizeBytes;
}
