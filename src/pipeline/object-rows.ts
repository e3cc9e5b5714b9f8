/** Opens rows of sealed objects: small ones in groups, large ones in lanes. */
import type { KeyMaterial } from '../crypto/key-material.ts';
import { type GroupedObject, groupEnd, LARGE_BYTES, ObjectGroup } from './object-group.ts';
import { type LaneObject, ObjectLanes } from './object-lanes.ts';

/** Sealed objects, by their numbers from 0. */
export interface ObjectRow {
  readonly count: number;
  /** As far as it is known. */
  sizeOf(number: number): number;
  /** Reads those from one number up to another, or fewer of them, but one at least. Good until the next call. */
  readGroup(from: number, to: number): GroupedObject[];
  largeObject(number: number): LaneObject;
}

export class ObjectRows {
  readonly #group: ObjectGroup;
  readonly #lanes: ObjectLanes;

  /** `memoryBytes`: for large objects, see ObjectLanes. */
  constructor(material: KeyMaterial, memoryBytes: number) {
    this.#group = new ObjectGroup(material);
    this.#lanes = new ObjectLanes(material, memoryBytes);
  }

  /**
   * The plaintexts of all rows that `next` gives, until it gives none. It may be asked early, before what is in the rows so
   * far is all opened. Undefined where anything is wrong: whoever reads the object again finds out, and says, what. A
   * plaintext is good until the next one is asked for.
   */
  *open(next: () => ObjectRow | undefined): Generator<Uint8Array | undefined, void, undefined> {
    const position = new Position(next);
    while (position.isWithin()) {
      if (position.isAtLarge()) yield* this.#lanes.open(() => position.takeLarge());
      else yield* this.#group.open(position.takeGroup());
    }
  }
}

/** One row, or whatever else is asked for until there is none. */
export function once<T>(only: T): () => T | undefined {
  let next: T | undefined = only;
  return () => {
    const given = next;
    next = undefined;
    return given;
  };
}

/** How far the rows have been taken. */
class Position {
  readonly #next: () => ObjectRow | undefined;
  #row: ObjectRow | undefined;
  #number = 0;

  constructor(next: () => ObjectRow | undefined) {
    this.#next = next;
  }

  /** Whether there is another object. */
  isWithin(): boolean {
    while (this.#row === undefined || this.#number === this.#row.count) {
      this.#row = this.#next();
      this.#number = 0;
      if (this.#row === undefined) return false;
    }
    return true;
  }

  isAtLarge(): boolean {
    return this.#row!.sizeOf(this.#number) >= LARGE_BYTES;
  }

  /** Undefined where there is none, or a small one. */
  takeLarge(): LaneObject | undefined {
    if (!this.isWithin() || !this.isAtLarge()) return undefined;
    return this.#row!.largeObject(this.#number++);
  }

  takeGroup(): GroupedObject[] {
    const row = this.#row!;
    const to = groupEnd(this.#number, row.count, (number) => row.sizeOf(number));
    const group = row.readGroup(this.#number, to);
    this.#number += group.length;
    return group;
  }
}
