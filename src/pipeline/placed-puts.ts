/** Reads PUTs where they lie in segments; those that come one after the other, and lie so, with one read. */
import {
  decodeEntryHeader,
  MAX_ENTRY_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  viewPutData,
} from '../format/segment.ts';
import { FileStretches } from './file-stretches.ts';
import type { PlacedObject } from './open-batch.ts';
import type { GivenObject } from './sealed-opener.ts';

/** More is not read at once, except of one object. */
const STRETCH_BYTES = 1024 * 1024;
/** More between two objects is not read. */
const GAP_BYTES = 32 * 1024;
/** In errors that nobody sees. */
const NOWHERE = { segment: 0, offset: 0 };
const NO_BYTES = new Uint8Array(0);

export class PlacedPuts {
  readonly #files = new FileStretches(STRETCH_BYTES);
  /** For whom it was read: for others the file may be another one by the same number. */
  #objects: readonly GivenObject[] | undefined;
  #fd = -1;
  #startBytes = 0;
  #bytes: Uint8Array = NO_BYTES;
  /** Whatever is before was given away, and is not what is in the file any more. */
  #givenBytes = 0;

  /**
   * The sealed object of this number, which lies at `place`. Verified by its CRC, and whoever gets it may change it; good
   * until the next call. Undefined where anything is wrong: whoever reads it again finds out, and says, what.
   */
  read(objects: readonly GivenObject[], number: number, place: PlacedObject): Uint8Array | undefined {
    try {
      if (!this.#has(objects, place)) this.#load(objects, place, stretchBytes(objects, number, place));
      const sizeBytes = this.#header(place).sizeBytes;
      if (!this.#reaches(place, sizeBytes)) this.#load(objects, place, sizeBytes);
      if (!this.#reaches(place, sizeBytes)) return undefined;
      this.#givenBytes = place.offsetBytes + sizeBytes;
      const { id } = objects[number]!;
      return viewPutData(this.#bytes, this.#at(place), this.#header(place), id, NOWHERE);
    } catch {
      return undefined;
    }
  }

  #load(objects: readonly GivenObject[], { fd, offsetBytes }: PlacedObject, sizeBytes: number): void {
    [this.#objects, this.#bytes] = [objects, NO_BYTES];
    [this.#fd, this.#startBytes, this.#givenBytes] = [fd, offsetBytes, offsetBytes];
    this.#bytes = this.#files.readUpTo(fd, offsetBytes, sizeBytes);
  }

  #has(objects: readonly GivenObject[], place: PlacedObject): boolean {
    if (objects !== this.#objects || place.fd !== this.#fd) return false;
    return place.offsetBytes >= this.#givenBytes && this.#reaches(place, PUT_HEADER_SIZE_BYTES);
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

/** How much is to be read for the object of this number, and for those that lie close behind it and come next. */
function stretchBytes(objects: readonly GivenObject[], number: number, first: PlacedObject): number {
  let end = endOf(first);
  let last = first;
  for (let next = number + 1; next < objects.length; next++) {
    const { sealed } = objects[next]!;
    if (sealed instanceof Uint8Array || sealed.fd !== first.fd) break;
    if (sealed.offsetBytes <= last.offsetBytes || sealed.offsetBytes - end > GAP_BYTES) break;
    if (endOf(sealed) - first.offsetBytes > STRETCH_BYTES) break;
    last = sealed;
    end = Math.max(end, endOf(sealed));
  }
  return Math.min(Math.max(end - first.offsetBytes, PUT_HEADER_SIZE_BYTES), MAX_ENTRY_SIZE_BYTES);
}

function endOf({ offsetBytes, sizeBytes }: PlacedObject): number {
  return offsetBytes + PUT_HEADER_SIZE_BYTES + sizeBytes;
}
