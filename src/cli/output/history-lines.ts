/** The history of a repository for people, and what a rollback would do. Beyond Borg. */
import type { ArchiveChanges } from '../../archive/history/archive-changes.ts';
import type { HistoryEntry } from '../../archive/history/repository-history.ts';
import type { RollbackPlan } from '../../archive/history/roll-back.ts';
import { formatFileSize } from '../../util/file-size.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';
import { archiveLocalTime, formatTime } from '../../util/wall-time.ts';
import { padTo, printable, textWidth } from './width.ts';

/** The rest is counted; --json has all. */
const MAX_NAMES = 12;
/** The rest is counted; the quarantine's README has all. */
const MAX_STEPS = 30;

type Row = readonly [
  id: string,
  time: string,
  from: string,
  size: string,
  segments: string,
  archives: string,
];

/** Numbers to the right, texts to the left, below each other. */
export function historyLines(entries: readonly HistoryEntry[], iec: boolean): string[] {
  if (entries.length === 0) return [];
  const rows: Row[] = [
    ['Transaction', 'Time', 'From', 'Size', 'Segments', 'Archives'],
    ...entries.map((entry): Row => [
      String(entry.transactionId),
      timeText(entry),
      entry.timeSource ?? '',
      formatFileSize(entry.sizeBytes, { iec }),
      String(entry.segmentCount),
      archivesText(entry),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => textWidth(row[column]!))));
  return rows.map(([id, time, from, size, segments, archives]) =>
    [
      id.padStart(widths[0]!),
      padTo(time, widths[1]),
      padTo(from, widths[2]),
      size.padStart(widths[3]!),
      segments.padStart(widths[4]!),
      archives,
    ]
      .join('  ')
      .trimEnd(),
  );
}

export function rollbackLines(plan: RollbackPlan, options: { dryRun: boolean; iec: boolean }): string[] {
  const { target, undone, repository, changes, archiveCount, isNewerKnown } = plan;
  const { dryRun, iec } = options;
  const lines = [
    `${dryRun ? 'Would go' : 'Going'} back to transaction ${target.transactionId} of ${timeText(target)}.`,
  ];
  if (undone.length > 0) lines.push('', 'Undone:', ...historyLines(undone, iec));
  if (archiveCount !== undefined) {
    const what = changes === undefined ? [] : changeTexts(changes);
    lines.push(
      '',
      `Archives afterwards: ${archiveCount}. ${what.length === 0 ? '' : `Changes of the list:`}`.trimEnd(),
    );
    lines.push(...what.map((text) => `  ${text}`));
  }
  if (repository.steps.length === 0) lines.push('', 'Nothing comes after it in the repository.');
  else {
    lines.push(
      '',
      'Steps:',
      ...limited(
        repository.steps.map(({ text }) => `  ${text}`),
        MAX_STEPS,
      ),
    );
    lines.push('', `What is taken out is kept in ${repository.folder}, until "check --drop-quarantine".`);
  }
  if (isNewerKnown) {
    lines.push('', 'This client knows a newer list of archives, and accepts the older one from now on.');
  }
  return lines;
}

function timeText({ timeNs }: HistoryEntry): string {
  return timeNs === undefined ? 'unknown' : formatTime(archiveLocalTime(timeNs / 1000n));
}

function archivesText({ archiveCount, changes, isComplete, manifest, problem }: HistoryEntry): string {
  const compacted = isComplete ? '' : ' (compacted since: no way back)';
  if (problem !== undefined) return `the list is not genuine: ${printable(problem)}${compacted}`;
  if (manifest === undefined) return `no list was written${compacted}`;
  if (archiveCount === undefined) return compacted.trimStart();
  if (changes === undefined) return `${archiveCount} in all${compacted}`;
  const texts = changeTexts(changes);
  return `${texts.length === 0 ? 'as before' : texts.join(', ')}${compacted}`;
}

/** `+ new`, `- gone`, `old -> new`, `* changed`. */
function changeTexts({ added, removed, renamed, changed }: ArchiveChanges): string[] {
  const texts = [
    ...added.map((name) => `+ ${nameText(name)}`),
    ...removed.map((name) => `- ${nameText(name)}`),
    ...renamed.map(({ from, to }) => `${nameText(from)} -> ${nameText(to)}`),
    ...changed.map((name) => `* ${nameText(name)}`),
  ];
  return limited(texts, MAX_NAMES);
}

function limited(texts: readonly string[], count: number): string[] {
  if (texts.length <= count) return [...texts];
  return [...texts.slice(0, count), `… and ${texts.length - count} more`];
}

function nameText(name: string): string {
  return printable(removeSurrogates(name));
}
