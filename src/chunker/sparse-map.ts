import type { ChunkSource } from './chunk-source.ts';

/** A stretch of a file that is either data or a hole. */
export interface SparseRange {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly isData: boolean;
}

export interface SparseMap {
  /** Where the source stands, before and after. */
  readonly offset: number;
  readonly ranges: readonly SparseRange[];
}

/**
 * The ranges of data and holes, in order, from `skipBytes` after the source's position up to its end. Undefined where
 * the source cannot tell, which is no error: all of it is read then.
 *
 * Source: Borg 1.4.5 chunker.pyx, sparsemap.
 */
export function sparseMap(source: ChunkSource, skipBytes: number): SparseMap | undefined {
  const seek = source.seek?.bind(source);
  if (seek === undefined) return undefined;
  let offset: number;
  try {
    offset = seek(0, 'current') ?? 0;
  } catch {
    return undefined;
  }
  try {
    return { offset, ranges: findRanges(seek, offset + skipBytes) };
  } catch {
    return undefined;
  } finally {
    seek(offset, 'set');
  }
}

function findRanges(seek: NonNullable<ChunkSource['seek']>, offset: number): SparseRange[] {
  const end = seek(0, 'end') ?? offset;
  const ranges: SparseRange[] = [];
  let start = offset;
  for (let isData = true; ; isData = !isData) {
    const next = seek(start, isData ? 'hole' : 'data');
    // Past the last data there is no data to be found: the hole lasts to the end.
    const rangeEnd = next ?? (isData ? start : end);
    if (rangeEnd > start) ranges.push({ offset: start, sizeBytes: rangeEnd - start, isData });
    if (next === undefined) return ranges;
    start = next;
  }
}
