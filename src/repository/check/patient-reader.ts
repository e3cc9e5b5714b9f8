/**
 * Reads a file of which the disk gives only parts. Where a read fails, smaller and smaller blocks are tried; what no
 * block gives is noted, and reads as zeros.
 */
import { isReadError } from '../../store/store.ts';
import type { ReadHandle } from '../../store/store.ts';
import { ByteRanges } from '../../util/byte-ranges.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';

/** Sizes of what is tried, each where the one before fails: the last ones are the pages and sectors of most disks. */
const BLOCK_SIZES_BYTES = [64 * 1024, 4096, 512] as const;
const SMALLEST = BLOCK_SIZES_BYTES.length - 1;
/** After so many blocks of which no smaller block could be read, smaller ones are not tried any more. */
const MAX_VAIN_TRIALS = 4;

export class PatientReader {
  readonly sizeBytes: number;
  /** What can't be read, as far as it was tried. */
  readonly bad: ByteRanges;
  readonly #handle: ReadHandle;
  #vainTrials = 0;

  /** `bad` is not even tried. */
  constructor(handle: ReadHandle, bad: Iterable<ByteRange> = []) {
    this.#handle = handle;
    this.sizeBytes = handle.sizeBytes();
    this.bad = new ByteRanges(bad).within(this.sizeBytes);
  }

  /** Fills `into` from `position` on, as far as the file goes; returns how many bytes that were. */
  read(into: Uint8Array, position: number): number {
    const sizeBytes = Math.max(0, Math.min(into.length, this.sizeBytes - position));
    let done = 0;
    while (done < sizeBytes) {
      const offset = position + done;
      const bad = this.bad.firstIn(offset, sizeBytes - done);
      const good = bad === undefined ? sizeBytes - done : Math.max(0, bad.offset - offset);
      this.#read(into.subarray(done, done + good), offset, 0);
      done += good;
      if (bad === undefined) break;
      const end = Math.min(sizeBytes, bad.offset + bad.sizeBytes - position);
      into.fill(0, done, end);
      done = end;
    }
    return sizeBytes;
  }

  /** Reads in one piece, or else in blocks of the size that `level` stands for. Says whether anything was read. */
  #read(into: Uint8Array, offset: number, level: number): boolean {
    if (into.length === 0) return false;
    try {
      // The file may have become shorter: what it no longer has is as bad as what the disk does not give.
      const got = this.#handle.read(into, offset);
      if (got < into.length) this.#lose(into.subarray(got), offset + got);
      return got > 0;
    } catch (error) {
      if (!isReadError(error)) throw error;
    }
    const isVain = level === SMALLEST && this.#vainTrials >= MAX_VAIN_TRIALS;
    const blockSizeBytes = isVain ? undefined : BLOCK_SIZES_BYTES[level];
    if (blockSizeBytes === undefined) {
      this.#lose(into, offset);
      return false;
    }
    let any = false;
    for (let at = 0; at < into.length;) {
      const end = Math.min(into.length, at + blockSizeBytes - ((offset + at) % blockSizeBytes));
      if (this.#read(into.subarray(at, end), offset + at, level + 1)) any = true;
      at = end;
    }
    if (level === SMALLEST) this.#vainTrials = any ? 0 : this.#vainTrials + 1;
    return any;
  }

  #lose(into: Uint8Array, offset: number): void {
    into.fill(0);
    this.bad.add(offset, into.length);
  }
}
