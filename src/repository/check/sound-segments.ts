/** Reads segments that are sound, as most are, some pieces ahead of the one that is looked at. */
import type { ReadHandle } from '../../store/store.ts';
import type { EntryList } from './entry-list.ts';
import { EntryScanner } from './entry-scanner.ts';
import type { IndexedPlaces } from './indexed-places.ts';
import type { SegmentReader } from './segments-ahead.ts';

const PIECE_BYTES = 512 * 1024;
const SMALLEST_PIECE_BYTES = 4096;
/** With one, who looks and who reads would wait for each other at every piece. */
const PIECES_AHEAD = 3;

export class SoundSegments implements SegmentReader {
  readonly capacity = 1;
  /** One is looked at while the others are filled. They are used for one segment after the other. */
  readonly #pieces = Array.from({ length: PIECES_AHEAD + 1 }, () => new Uint8Array(0));

  /** The entries; undefined where anything is wrong with the segment. Throws what reading the file throws. */
  async read(file: ReadHandle, places?: IndexedPlaces): Promise<EntryList | undefined> {
    const scanner = new EntryScanner(places);
    const sizeBytes = file.sizeBytes();
    const count = Math.ceil(sizeBytes / PIECE_BYTES);
    const ahead: Promise<Uint8Array>[] = [];
    try {
      for (let number = 0, next = 0; number < count; number++) {
        for (; next < count && next <= number + PIECES_AHEAD; next++) {
          const piece = this.#readPiece(file, next, sizeBytes);
          // Awaited in its turn; until then a failure must not count as nobody's.
          piece.catch(() => {});
          ahead.push(piece);
        }
        const piece = await ahead.shift()!;
        if (piece.length < pieceBytes(number, sizeBytes) || !scanner.add(piece)) return undefined;
      }
    } finally {
      // The file may be closed only when nobody reads from it.
      await Promise.allSettled(ahead);
    }
    return scanner.isWhole ? scanner.entries : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #readPiece(file: ReadHandle, number: number, sizeBytes: number): Promise<Uint8Array> {
    const wantedBytes = pieceBytes(number, sizeBytes);
    const place = number % this.#pieces.length;
    if (this.#pieces[place]!.length < wantedBytes) {
      this.#pieces[place] = Buffer.allocUnsafeSlow(Math.max(SMALLEST_PIECE_BYTES, wantedBytes));
    }
    const piece = this.#pieces[place]!.subarray(0, wantedBytes);
    const position = number * PIECE_BYTES;
    // What is small is there before another thread has taken it up.
    const isAlone = wantedBytes === sizeBytes;
    const got =
      isAlone || file.readLater === undefined
        ? file.read(piece, position)
        : await file.readLater(piece, position);
    return piece.subarray(0, got);
  }
}

function pieceBytes(number: number, sizeBytes: number): number {
  return Math.min(sizeBytes - number * PIECE_BYTES, PIECE_BYTES);
}
