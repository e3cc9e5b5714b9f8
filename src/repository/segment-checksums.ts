/**
 * Reading the checksums beside a segment, in step with the segment's entries. Whatever is wrong with that file, the
 * segment is none the worse: its objects have no checksums then.
 */
import {
  SegmentChecksumsError,
  type ChecksumRecord,
  type SegmentChecksums,
  decodeSegmentChecksums,
  maxChecksumsSizeBytes,
} from '../format/segment-checksums.ts';
import { hasCode } from '../store/store.ts';
import { FileTooLargeError, readWholeFile } from '../store/whole-file.ts';
import { equalBytes } from '../util/bytes.ts';
import type { SegmentEntry } from './segment-entries.ts';
import type { SegmentFiles } from './segment-files.ts';

/** The checksums of a segment; undefined where there are none that can be read. */
export function readChecksums(files: SegmentFiles, segment: number): ChecksumCursor | undefined {
  const limitBytes = maxChecksumsSizeBytes(files.sizeBytes(segment) ?? 0);
  try {
    const bytes = readWholeFile(files.store, files.checksumsPath(segment), limitBytes);
    return new ChecksumCursor(decodeSegmentChecksums(bytes));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    const isUnusable = error instanceof SegmentChecksumsError || error instanceof FileTooLargeError;
    if (!isUnusable && !hasCode(error)) throw error;
    return undefined;
  }
}

/** Goes through the records as someone else goes through the entries. */
export class ChecksumCursor {
  /** Records for places at which no PUT began. */
  strangers = 0;
  /** Records that are damaged themselves. */
  damaged = 0;
  readonly #checksums: SegmentChecksums;
  #next = 0;

  constructor(checksums: SegmentChecksums) {
    this.#checksums = checksums;
  }

  /** The record for the entry at this offset; offsets are asked for in ascending order. */
  at(offset: number): ChecksumRecord | undefined {
    for (; this.#next < this.#checksums.count; this.#next++) {
      const record = this.#checksums.record(this.#next);
      if (record === undefined) this.damaged++;
      else if (record.offset > offset) return undefined;
      else if (record.offset === offset) {
        this.#next++;
        return record;
      } else this.strangers++;
    }
    return undefined;
  }

  /** Those that are left, in order. */
  *rest(): Generator<ChecksumRecord> {
    for (; this.#next < this.#checksums.count; this.#next++) {
      const record = this.#checksums.record(this.#next);
      if (record === undefined) this.damaged++;
      else yield record;
    }
  }
}

/** Whether the record was made for this very entry, not for one that was there before. */
export function isRecordOf(record: ChecksumRecord, entry: SegmentEntry): boolean {
  return hasPlaceOf(record, entry) && record.crc === entry.crc;
}

/** As isRecordOf(), but the entry may have other contents. */
export function hasPlaceOf(record: ChecksumRecord, { key, sizeBytes }: SegmentEntry): boolean {
  return record.sizeBytes === sizeBytes && equalBytes(record.key, key);
}
