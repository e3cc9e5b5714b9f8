/**
 * Whether the disk has room for a commit, and for a later transaction that frees space.
 *
 * Source: Borg 1.4.5 repository.py, check_free_space.
 */
import { InsufficientFreeSpaceError } from '../errors.ts';
import { INDEX_HEADER_BYTES } from '../format/index-file.ts';
import { MAX_ENTRY_SIZE_BYTES } from '../format/segment.ts';
import { hasCode } from '../store/store.ts';
import { formatFileSize } from '../util/file-size.ts';
import type { Reporter } from '../util/reporter.ts';
import type { RepositoryState } from './replay.ts';
import type { SegmentFiles } from './segment-files.ts';

export interface FreeSpaceOptions {
  readonly files: SegmentFiles;
  readonly reporter: Reporter;
  readonly appendOnly: boolean;
  readonly additionalFreeSpaceBytes: number;
  readonly maxSegmentSizeBytes: number;
}

/** Throws InsufficientFreeSpaceError. */
export function checkFreeSpace(state: RepositoryState, options: FreeSpaceOptions): void {
  const { files, reporter } = options;
  const requiredBytes = requiredFreeSpace(state, options);
  let freeBytes: number | undefined;
  try {
    freeBytes = files.store.freeSpaceBytes();
  } catch (error) {
    if (!hasCode(error)) throw error;
    const message = `Failed to check free space before committing: ${error.message}`;
    reporter.log('warning', message, { logger: 'borg.repository' });
  }
  if (freeBytes !== undefined && freeBytes < requiredBytes) {
    throw new InsufficientFreeSpaceError([formatFileSize(requiredBytes), formatFileSize(freeBytes)]);
  }
}

function requiredFreeSpace({ index, hints }: RepositoryState, options: FreeSpaceOptions): number {
  // Four times the index: a DELETE of every object (once), a table grown to the double (twice), the old file (once).
  const indexBytes = 4 * (INDEX_HEADER_BYTES + index.buckets.length);
  // Ten bytes for each entry of `segments` and `compact`: two integers of at most five.
  const hintsBytes = 10 * (hints.segments.size + hints.compact.size) + 4096;
  const baseBytes = indexBytes + hintsBytes + options.additionalFreeSpaceBytes;
  if (options.appendOnly) return baseBytes;
  const fullSegmentBytes = options.maxSegmentSizeBytes + MAX_ENTRY_SIZE_BYTES;
  if (hints.compact.size >= 10) return baseBytes + fullSegmentBytes;
  // With few segments to compact, their live bytes are all that a compaction needs.
  let liveBytes = 0;
  for (const [segment, freeableBytes] of hints.compact) {
    const sizeBytes = options.files.sizeBytes(segment);
    if (sizeBytes !== undefined) liveBytes += sizeBytes - freeableBytes;
  }
  return baseBytes + Math.min(liveBytes, fullSegmentBytes);
}
