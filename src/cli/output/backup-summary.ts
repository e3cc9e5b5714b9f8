/** What `backup` says at its end. */
import { formatFileSize } from '../../util/file-size.ts';
import type { ArchiveCounts } from '../../util/reporter.ts';
import { quoteShellWord } from '../../util/shell-quote.ts';

export interface BackupSummary {
  /** What starts the program, as a shell takes it. */
  readonly program: string;
  /** The repository as the user may type it, from anywhere. */
  readonly repository: string;
  readonly archive: string;
  readonly counts: ArchiveCounts;
  readonly durationSeconds: number;
  readonly warnings: number;
  readonly iec: boolean;
}

/** An aligned summary, and the command that restores. */
export function backupSummary(summary: BackupSummary): string {
  const { counts, durationSeconds, iec, warnings } = summary;
  const size = (sizeBytes: number): string => formatFileSize(sizeBytes, { iec });
  const rows: [string, string][] = [
    ['Archive', summary.archive],
    ['Files', counts.files.toLocaleString('en-US')],
    ['Read', size(counts.originalSizeBytes)],
    ['Stored', `${size(counts.deduplicatedSizeBytes)} that the repository did not have`],
    ['Time', `${durationSeconds.toFixed(1)} s`],
  ];
  if (warnings > 0) rows.push(['Warnings', `${warnings} (see above)`]);
  const width = Math.max(...rows.map(([label]) => label.length));
  const table = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
  return `${table}\n\nTo restore it into the current directory:\n  ${restoreCommand(summary)}\n`;
}

export function restoreCommand({
  program,
  repository,
  archive,
}: Pick<BackupSummary, 'program' | 'repository' | 'archive'>): string {
  return `${program} extract ${quoteShellWord(`${repository}::${archive}`)}`;
}
