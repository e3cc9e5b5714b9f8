/** The objects that an index has, in the log. Errors: ObjectNotFound, IntegrityError. */
import { ObjectNotFound } from '../errors.ts';
import type { EntryPlace } from '../format/segment.ts';
import { toHex } from '../util/bytes.ts';
import type { HashIndex } from '../util/hash-index.ts';
import type { ExpectedObject, PutPlace, Sealed } from '../util/sealed.ts';
import type { SegmentLog } from './segment-log.ts';

/** Smaller objects are read in less time than it takes to say where they are. */
const PLACE_FROM_BYTES = 64 * 1024;

/** Reads objects one by one, and, before each, what lies close behind it and will be wanted next. */
export interface ObjectsReader<T extends Sealed> {
  /** `places[from]` is read next, those behind it later. */
  readAhead(places: readonly (EntryPlace | undefined)[], from: number): void;
  read(index: HashIndex, id: Uint8Array): T;
}

export class IndexedObjects {
  readonly #log: SegmentLog;
  /** For messages. */
  readonly #root: string;
  /** Gives objects. */
  readonly bytes: ObjectsReader<Uint8Array>;
  /** Gives of large ones where they lie. */
  readonly places: ObjectsReader<Sealed>;

  constructor(log: SegmentLog, root: string) {
    this.#log = log;
    this.#root = root;
    this.bytes = {
      readAhead: (places, from) => log.readAhead(places, from),
      read: (index, id) => this.#read(this.#placeOf(index, id), id),
    };
    this.places = {
      readAhead: (places, from) => log.readAhead(places, from, PLACE_FROM_BYTES),
      read: (index, id) => {
        const place = this.#placeOf(index, id);
        return log.findPut(place.segment, place.offset, id, PLACE_FROM_BYTES) ?? this.#read(place, id);
      },
    };
  }

  /** Undefined where the index has no such object. */
  lookUp(index: HashIndex, id: Uint8Array): EntryPlace | undefined {
    const bucket = index.find(id);
    if (bucket < 0) return undefined;
    return { segment: index.valueAt(bucket, 0), offset: index.valueAt(bucket, 1) };
  }

  /** See Repository.locate(). */
  locate(index: HashIndex, wanted: readonly ExpectedObject[]): PutPlace[] | undefined {
    const places: PutPlace[] = [];
    for (const { id, sizeBytes = 0 } of wanted) {
      const place = this.lookUp(index, id);
      if (place === undefined) break;
      const lease = this.#log.lease(place.segment);
      if (lease === undefined) {
        for (const other of places) other.release();
        return undefined;
      }
      places.push({ ...lease, offsetBytes: place.offset, sizeBytes });
    }
    return places;
  }

  #placeOf(index: HashIndex, id: Uint8Array): EntryPlace {
    const place = this.lookUp(index, id);
    if (place === undefined) throw new ObjectNotFound([toHex(id), this.#root]);
    return place;
  }

  #read({ segment, offset }: EntryPlace, id: Uint8Array): Uint8Array {
    return this.#log.readPut(segment, offset, id);
  }
}
