/** What a damaged segment becomes: the magic and its sound entries, end to end. */
import { MAGIC_SIZE_BYTES, SEGMENT_MAGIC } from '../../format/segment.ts';
import type { ReadHandle, WriteHandle } from '../../store/store.ts';
import { ByteRanges } from '../../util/byte-ranges.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';

/** An entry without its data. */
export interface EntryRecord {
  readonly tag: number;
  /** Empty for a COMMIT. */
  readonly key: Uint8Array;
  readonly offset: number;
  readonly sizeBytes: number;
}

interface Piece extends ByteRange {
  /** Where it will be. */
  readonly target: number;
}

const COPY_SIZE_BYTES = 1024 * 1024;

export class SalvagedSegment {
  /** Size of the new segment. */
  readonly sizeBytes: number;
  readonly #kept: ByteRanges;
  readonly #pieces: readonly Piece[];

  constructor(entries: readonly EntryRecord[]) {
    let target = MAGIC_SIZE_BYTES;
    this.#kept = new ByteRanges(entries);
    this.#pieces = [...this.#kept].map((range) => {
      const piece = { ...range, target };
      target += range.sizeBytes;
      return piece;
    });
    this.sizeBytes = target;
  }

  /** The entries at their new places. */
  moved(entries: readonly EntryRecord[]): EntryRecord[] {
    let target = MAGIC_SIZE_BYTES;
    return entries.map((entry) => {
      const moved = { ...entry, offset: target };
      target += entry.sizeBytes;
      return moved;
    });
  }

  /** Where the byte that will be at `target` is in the damaged segment. */
  source(target: number): number {
    const piece = this.#pieces.findLast((candidate) => candidate.target <= target);
    if (piece === undefined) throw new RangeError(`nothing will be at ${target}`);
    return piece.offset + target - piece.target;
  }

  /** Where the byte at `source` of the damaged segment will be; undefined where it is not kept. */
  target(source: number): number | undefined {
    const piece = this.#pieces.find(
      ({ offset, sizeBytes }) => source >= offset && source < offset + sizeBytes,
    );
    return piece === undefined ? undefined : piece.target + source - piece.offset;
  }

  /** Whether an entry that is kept has the byte at `source` of the damaged segment. */
  keeps(source: number): boolean {
    return this.#kept.firstIn(source, 1) !== undefined;
  }

  copy(from: ReadHandle, to: WriteHandle): void {
    to.write(SEGMENT_MAGIC);
    const buffer = new Uint8Array(COPY_SIZE_BYTES);
    for (const { offset, sizeBytes } of this.#pieces) {
      for (let done = 0; done < sizeBytes;) {
        const part = buffer.subarray(0, Math.min(buffer.length, sizeBytes - done));
        const got = from.read(part, offset + done);
        if (got < part.length) throw new Error('the segment has become shorter while it was copied');
        to.write(part);
        done += part.length;
      }
    }
  }
}
