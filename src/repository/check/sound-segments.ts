/** Reads segments that are sound, as most are, the next piece while the one before is looked at. */
import type { ReadHandle } from '../../store/store.ts';
import type { EntryList } from './entry-list.ts';
import { EntryScanner } from './entry-scanner.ts';

const PIECE_BYTES = 1024 * 1024;
const SMALLEST_PIECE_BYTES = 4096;

export class SoundSegments {
  /** One is looked at while the other is filled. They are used for one segment after the other. */
  readonly #pieces: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];

  /** The entries; undefined where anything is wrong with the segment. Throws what reading the file throws. */
  async read(file: ReadHandle): Promise<EntryList | undefined> {
    const scanner = new EntryScanner();
    const sizeBytes = file.sizeBytes();
    let following = this.#readPiece(file, 0, 0, sizeBytes);
    try {
      for (let position = 0, turn = 0; position < sizeBytes; turn = 1 - turn) {
        const piece = await following;
        if (piece.length === 0) return undefined;
        position += piece.length;
        if (position < sizeBytes) following = this.#readPiece(file, 1 - turn, position, sizeBytes);
        if (!scanner.add(piece)) return undefined;
      }
    } finally {
      // The file may be closed only when nobody reads from it.
      await Promise.allSettled([following]);
    }
    return scanner.isWhole ? scanner.entries : undefined;
  }

  /** Up to a piece from `position` on. */
  async #readPiece(file: ReadHandle, turn: number, position: number, sizeBytes: number): Promise<Uint8Array> {
    const wantedBytes = Math.min(sizeBytes - position, PIECE_BYTES);
    if (this.#pieces[turn]!.length < wantedBytes) {
      this.#pieces[turn] = Buffer.allocUnsafeSlow(Math.max(SMALLEST_PIECE_BYTES, wantedBytes));
    }
    const piece = this.#pieces[turn]!.subarray(0, wantedBytes);
    // What is small is there before another thread has taken it up.
    const isAlone = wantedBytes === sizeBytes;
    const got =
      isAlone || file.readLater === undefined
        ? file.read(piece, position)
        : await file.readLater(piece, position);
    return piece.subarray(0, got);
  }
}
