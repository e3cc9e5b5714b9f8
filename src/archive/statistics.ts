/**
 * Sizes that add up while an archive is created, deleted or measured. Part items are counted apart, so that a
 * file interrupted by a checkpoint does not count twice.
 *
 * Source: Borg 1.4.5, archive.py, Statistics.
 */
import type { ArchiveCounts } from '../util/reporter.ts';

/** The sizes that archive metadata carries (Borg: Statistics.as_raw_dict). */
export interface RawStatistics {
  size: number;
  csize: number;
  nfiles: number;
  sizeParts: number;
  csizeParts: number;
  nfilesParts: number;
}

export class Statistics {
  originalSizeBytes = 0;
  compressedSizeBytes = 0;
  deduplicatedSizeBytes = 0;
  files = 0;
  originalSizePartsBytes = 0;
  compressedSizePartsBytes = 0;
  deduplicatedSizePartsBytes = 0;
  fileParts = 0;

  /** Counts one reference to a chunk; negative sizes for a reference that went away. */
  update(sizeBytes: number, csizeBytes: number, unique: boolean, part = false): void {
    if (part) {
      this.originalSizePartsBytes += sizeBytes;
      this.compressedSizePartsBytes += csizeBytes;
      if (unique) this.deduplicatedSizePartsBytes += csizeBytes;
    } else {
      this.originalSizeBytes += sizeBytes;
      this.compressedSizeBytes += csizeBytes;
      if (unique) this.deduplicatedSizeBytes += csizeBytes;
    }
  }

  /** Adds another's counts to these. */
  add(other: Statistics): void {
    this.originalSizeBytes += other.originalSizeBytes;
    this.compressedSizeBytes += other.compressedSizeBytes;
    this.deduplicatedSizeBytes += other.deduplicatedSizeBytes;
    this.files += other.files;
    this.originalSizePartsBytes += other.originalSizePartsBytes;
    this.compressedSizePartsBytes += other.compressedSizePartsBytes;
    this.deduplicatedSizePartsBytes += other.deduplicatedSizePartsBytes;
    this.fileParts += other.fileParts;
  }

  toCounts(): ArchiveCounts {
    return {
      originalSizeBytes: this.originalSizeBytes,
      compressedSizeBytes: this.compressedSizeBytes,
      deduplicatedSizeBytes: this.deduplicatedSizeBytes,
      files: this.files,
    };
  }

  toRaw(): RawStatistics {
    return {
      size: this.originalSizeBytes,
      csize: this.compressedSizeBytes,
      nfiles: this.files,
      sizeParts: this.originalSizePartsBytes,
      csizeParts: this.compressedSizePartsBytes,
      nfilesParts: this.fileParts,
    };
  }

  static fromRaw(raw: RawStatistics): Statistics {
    const statistics = new Statistics();
    statistics.originalSizeBytes = raw.size;
    statistics.compressedSizeBytes = raw.csize;
    statistics.files = raw.nfiles;
    statistics.originalSizePartsBytes = raw.sizeParts;
    statistics.compressedSizePartsBytes = raw.csizeParts;
    statistics.fileParts = raw.nfilesParts;
    return statistics;
  }
}
