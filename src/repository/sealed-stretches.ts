/** The live objects of the log in its order, as stretches of files that other threads can read. */
import { CRC_SIZE_BYTES, PUT_HEADER_SIZE_BYTES, TAG_PUT } from '../format/segment.ts';
import { concatBytes } from '../util/bytes.ts';
import type { HashIndex } from '../util/hash-index.ts';
import type { SealedStretch } from '../util/sealed.ts';
import { isCurrent } from './replay.ts';
import { readable } from './scan.ts';
import type { SegmentEntry } from './segment-entries.ts';
import type { SegmentLog } from './segment-log.ts';

/** A stretch ends with the object that makes it this large, */
const STRETCH_BYTES = 1024 * 1024;
/** if it has so many, as few are verified together in less time, */
const STRETCH_OBJECTS = 4;
/** or before the one that makes it larger than this, */
const MAX_STRETCH_BYTES = 8 * 2 ** 20;
/** or before so much that is void. */
const GAP_BYTES = 64 * 1024;

/** The rest of a segment behind a damaged entry is left out, as by scanObjects(). */
export function* sealedStretches(log: SegmentLog, index: HashIndex): Generator<SealedStretch> {
  for (const segment of log.files.ascending()) {
    let stretch = new Stretch();
    for (const entry of readable(log.entries(segment, { headersOnly: true }))) {
      if (entry.tag !== TAG_PUT || !isCurrent(index, segment, entry)) continue;
      if (!stretch.takes(entry)) {
        yield stretch.seal(log, segment);
        stretch = new Stretch();
      }
      stretch.add(entry);
    }
    if (!stretch.isEmpty) yield stretch.seal(log, segment);
  }
}

class Stretch {
  readonly #ids: Uint8Array[] = [];
  readonly #places: number[] = [];
  #start = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  takes({ offset, sizeBytes }: SegmentEntry): boolean {
    if (this.isEmpty) return true;
    if (this.#end - this.#start >= STRETCH_BYTES && this.#ids.length >= STRETCH_OBJECTS) return false;
    return offset - this.#end < GAP_BYTES && offset + sizeBytes - this.#start <= MAX_STRETCH_BYTES;
  }

  add({ offset, sizeBytes, crc, key }: SegmentEntry): void {
    if (this.isEmpty) this.#start = offset;
    this.#end = offset + sizeBytes;
    const at = offset - this.#start;
    this.#ids.push(new Uint8Array(key));
    this.#places.push(at + CRC_SIZE_BYTES, at + PUT_HEADER_SIZE_BYTES, at + sizeBytes, crc);
  }

  seal(log: SegmentLog, segment: number): SealedStretch {
    const lease = log.lease(segment);
    const [offsetBytes, sizeBytes] = [this.#start, this.#end - this.#start];
    return {
      ids: concatBytes(this.#ids),
      places: Uint32Array.from(this.#places),
      file: lease && { fd: lease.fd, offsetBytes, sizeBytes },
      release: () => lease?.release(),
    };
  }
}
