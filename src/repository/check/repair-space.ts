/** Whether there is room to keep damaged segments beside their replacements. */
import { InsufficientFreeSpaceError } from '../../errors.ts';
import { formatFileSize } from '../../util/file-size.ts';
import type { Findings } from './findings.ts';

export interface RepairSpace {
  /** Undefined where nobody knows. */
  readonly freeBytes: number | undefined;
  readonly replacementSizesBytes: readonly number[];
  /** Of the new index. */
  readonly indexSizeBytes: number;
  /** Go on without keeping them where there is no room. */
  readonly saveSpace: boolean;
}

/** What a repair needs besides: hints, checksums, maps. */
const SPARE_BYTES = 1024 * 1024;

/** Throws an InsufficientFreeSpaceError where nothing may be done. */
export function hasSpaceToKeep(space: RepairSpace, findings: Findings): boolean {
  const { freeBytes, replacementSizesBytes: sizes, indexSizeBytes, saveSpace } = space;
  const otherBytes = indexSizeBytes + SPARE_BYTES;
  const neededBytes = sizes.reduce((sum, size) => sum + size, otherBytes);
  if (sizes.length === 0 || freeBytes === undefined || freeBytes >= neededBytes) return true;
  const needed = formatFileSize(neededBytes);
  const what = `To keep ${sizes.length} damaged segments beside their replacements takes ${needed}`;
  if (saveSpace && freeBytes >= sizes.reduce((a, b) => Math.max(a, b)) + otherBytes) {
    findings.say('warning', `${what}, more than is free (${formatFileSize(freeBytes)}): they are not kept.`);
    return false;
  }
  const remedy = 'Free some space, or use --save-space to keep nothing of them.';
  findings.say('error', `${what}: nothing was repaired. ${remedy}`);
  throw new InsufficientFreeSpaceError([needed, formatFileSize(freeBytes)]);
}
