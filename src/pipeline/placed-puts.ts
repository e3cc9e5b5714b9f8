/** Reads PUTs where they lie in segments; those that come one after the other, and lie so, with one read. */
import {
  decodeEntryHeader,
  MAX_ENTRY_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  viewPutData,
} from '../format/segment.ts';
import { FileStretches, readUpTo } from './file-stretches.ts';
import type { GroupedObject } from './object-group.ts';
import type { PlacedObject } from './open-batch.ts';
import type { GivenObject } from './sealed-opener.ts';

/** Room for the usual objects of a group; pages take memory only once they are written to. */
const MEMORY_BYTES = 2 ** 20;
/** Where objects are larger than was expected, with so much the rest waits. */
const ENOUGH_BYTES = 8 * 2 ** 20;
/** More between two objects is not read. */
const GAP_BYTES = 32 * 1024;
/** In errors that nobody sees. */
const NOWHERE = { segment: 0, offset: 0 };
const NO_BYTES = new Uint8Array(0);

export class PlacedPuts {
  readonly #files = new FileStretches(MEMORY_BYTES);
  /** What was read last, and whatever of it was not given away before an offset. */
  #fd = -1;
  #startBytes = 0;
  #bytes: Uint8Array = NO_BYTES;
  #givenBytes = 0;

  /**
   * The sealed objects from one number up to another, or fewer of them, but one at least. Those read here are verified by
   * their CRC, and undefined where anything is wrong: whoever reads such an object again finds out, and says, what. Who
   * gets them may change them; good until the next call.
   */
  readGroup(objects: readonly GivenObject[], from: number, to: number): GroupedObject[] {
    this.#files.clear();
    this.#bytes = NO_BYTES;
    const group: GroupedObject[] = [];
    let readBytes = 0;
    for (let number = from; number < to && readBytes < ENOUGH_BYTES; number++) {
      const { id, sealed: given } = objects[number]!;
      const sealed = given instanceof Uint8Array ? given : this.#read(objects, number, to, given);
      readBytes += sealed?.length ?? 0;
      group.push({ id, sealed });
    }
    return group;
  }

  #read(
    objects: readonly GivenObject[],
    number: number,
    to: number,
    place: PlacedObject,
  ): Uint8Array | undefined {
    try {
      if (!this.#has(place)) this.#load(place, stretchBytes(objects, number, to, place));
      const sizeBytes = this.#header(place).sizeBytes;
      if (!this.#reaches(place, sizeBytes)) this.#load(place, sizeBytes);
      if (!this.#reaches(place, sizeBytes)) return undefined;
      this.#givenBytes = place.offsetBytes + sizeBytes;
      const { id } = objects[number]!;
      return viewPutData(this.#bytes, this.#at(place), this.#header(place), id, NOWHERE);
    } catch {
      return undefined;
    }
  }

  #load({ fd, offsetBytes }: PlacedObject, sizeBytes: number): void {
    this.#bytes = NO_BYTES;
    [this.#fd, this.#startBytes, this.#givenBytes] = [fd, offsetBytes, offsetBytes];
    this.#bytes = this.#files.readUpTo(fd, offsetBytes, sizeBytes);
  }

  #has(place: PlacedObject): boolean {
    if (place.fd !== this.#fd || place.offsetBytes < this.#givenBytes) return false;
    return this.#reaches(place, PUT_HEADER_SIZE_BYTES);
  }

  #reaches(place: PlacedObject, sizeBytes: number): boolean {
    return this.#at(place) + sizeBytes <= this.#bytes.length;
  }

  #at({ offsetBytes }: PlacedObject): number {
    return offsetBytes - this.#startBytes;
  }

  #header(place: PlacedObject): ReturnType<typeof decodeEntryHeader> {
    const at = this.#at(place);
    return decodeEntryHeader(this.#bytes, at, this.#bytes.length - at, NOWHERE, PUT_HEADER_SIZE_BYTES);
  }
}

/** What readAlone() needs. */
export function roomBytesOf({ sizeBytes }: PlacedObject): number {
  return entryBytes(PUT_HEADER_SIZE_BYTES + sizeBytes);
}

/** An object by itself, as PlacedPuts reads it. Where it is larger than was expected, which is rare, not in the room. */
export function readAlone(
  id: Uint8Array,
  { fd, offsetBytes }: PlacedObject,
  room: Uint8Array,
): Uint8Array | undefined {
  try {
    const bytes = room.subarray(0, readUpTo(fd, room, offsetBytes));
    const header = decodeEntryHeader(bytes, 0, bytes.length, NOWHERE, PUT_HEADER_SIZE_BYTES);
    if (header.sizeBytes <= bytes.length) return viewPutData(bytes, 0, header, id, NOWHERE);
    const all = new Uint8Array(header.sizeBytes);
    if (readUpTo(fd, all, offsetBytes) < all.length) return undefined;
    return viewPutData(all, 0, header, id, NOWHERE);
  } catch {
    return undefined;
  }
}

/** How much is to be read for the object of this number, and for those of the group that lie close behind it and come next. */
function stretchBytes(
  objects: readonly GivenObject[],
  number: number,
  to: number,
  first: PlacedObject,
): number {
  let end = endOf(first);
  let last = first;
  for (let next = number + 1; next < to; next++) {
    const { sealed } = objects[next]!;
    if (sealed instanceof Uint8Array || sealed.fd !== first.fd) break;
    if (sealed.offsetBytes <= last.offsetBytes || sealed.offsetBytes - end > GAP_BYTES) break;
    last = sealed;
    end = Math.max(end, endOf(sealed));
  }
  return entryBytes(end - first.offsetBytes);
}

/** Whatever is expected, so much can be one. */
function entryBytes(expectedBytes: number): number {
  return Math.min(Math.max(expectedBytes, PUT_HEADER_SIZE_BYTES), MAX_ENTRY_SIZE_BYTES);
}

function endOf({ offsetBytes, sizeBytes }: PlacedObject): number {
  return offsetBytes + PUT_HEADER_SIZE_BYTES + sizeBytes;
}
