import type { CreatedArchive } from '../../archive/create/create.ts';
import type { VerificationCounts } from '../../archive/create/file-verification.ts';
import { toHex } from '../../util/bytes.ts';
import { formatDuration } from '../../util/duration.ts';
import { formatFixed } from '../../util/python-float.ts';
import { archiveLocalTime, formatTime } from '../../util/wall-time.ts';

export interface ArchiveSummary extends CreatedArchive {
  readonly location: string;
  /** How much of the largest possible archive metadata object it takes, 0 to 1. */
  readonly sizeUtilization: number;
  readonly commandLine: readonly string[];
}

/** What --stats says about a new archive. Source: Borg 1.4.5 archive.py, Archive.__str__. */
export function archiveSummaryLines(summary: ArchiveSummary): string[] {
  const { startNs, endNs, verification } = summary;
  return [
    `Repository: ${summary.location}`,
    `Archive name: ${summary.name}`,
    `Archive fingerprint: ${toHex(summary.id)}`,
    `Time (start): ${timeText(startNs)}`,
    `Time (end):   ${timeText(endNs)}`,
    `Duration: ${formatDuration((endNs - startNs) / 1000n)}`,
    `Number of files: ${summary.statistics.files}`,
    ...(verification === undefined ? [] : [verificationLine(verification)]),
    `Utilization of max. archive size: ${formatFixed(summary.sizeUtilization * 100, 0)}%`,
  ];
}

/** Not a line of Borg's: only with --files-cache-verify. */
function verificationLine({ files, changed, unreadable }: VerificationCounts): string {
  return `Number of unchanged files verified: ${files} (contents changed: ${changed}, unreadable: ${unreadable})`;
}

function timeText(timeNs: bigint): string {
  return formatTime(archiveLocalTime(timeNs / 1000n));
}
