/** What a check found and did, for people: who needs what is damaged, and the steps of a repair. Beyond Borg. */
import type { CheckResult } from '../../archive/check/check.ts';
import type { DamageCollector, DamagedArchive, DamagedFile } from '../../archive/check/damage.ts';
import type { ArchiveStep, RepairLog } from '../../archive/check/repair-log.ts';
import type { CheckMode } from '../../archive/check/check-state.ts';
import type { ChecksumCounts, RepairStep } from '../../repository/check-result.ts';
import { compareBytes, toHex } from '../../util/bytes.ts';
import { formatFileSize } from '../../util/file-size.ts';
import { removeSurrogates, toDisplayText } from '../../util/surrogate-escape.ts';
import { foldArchives } from './archive-ranges.ts';
import { printable } from './width.ts';

/** The rest is counted; --json has more. */
const MAX_FILES = 500;
const MAX_ARCHIVES = 500;

export interface ReportOptions {
  readonly mode: CheckMode;
  readonly iec: boolean;
}

/** Nothing where there is nothing to tell beyond what was logged. */
export function checkReportLines(result: CheckResult, options: ReportOptions): string[] {
  const checksums = result.repository?.checksums;
  const lines = checksums === undefined ? [] : [checksumLine(checksums)];
  if (result.damage !== undefined) lines.push(...damageLines(result.damage, options));
  if (result.damageProblem !== undefined) {
    lines.push(`Which files are affected could not be found out: ${result.damageProblem}`);
  }
  if (options.mode === 'check') return lines;
  const steps = [...repositorySteps(result.repository?.plan ?? []), ...archiveSteps(result.archives?.steps)];
  if (options.mode === 'repair') {
    if (steps.length > 0)
      lines.push('What was done:', ...steps, ...keptLines(result.archives?.steps), ...nextLines(result));
  } else if (steps.length > 0) {
    lines.push('A repair would do this (nothing was changed):', ...steps);
  } else lines.push('A repair would change nothing.');
  return lines;
}

function checksumLine({ objects, verified, changed, uncovered }: ChecksumCounts): string {
  const parts = [`${verified} of ${plural(objects, 'object')} are as they were sent`];
  if (changed > 0) parts.push(`${changed} are not`);
  if (uncovered > 0) parts.push(`of ${uncovered} there is no checksum`);
  return `Checksums: ${parts.join(', ')}.`;
}

function damageLines(damage: DamageCollector, { mode, iec }: ReportOptions): string[] {
  const files = [...damage.files].filter((file) => !file.onlyReplaced);
  const lines: string[] = [];
  if (damage.manifestProblem !== undefined && damage.archiveNames.length > 0) {
    const found = plural(damage.archiveNames.length, 'archive');
    lines.push(`The list of archives is damaged or missing. Without it, ${found} can be found.`);
  }
  if (files.length === 0 && damage.archives.length === 0 && damage.unneededCount === 0) return lines;
  if (files.length > 0) {
    lines.push(
      mode === 'repair'
        ? 'Files that lost contents (zeros stand in their place):'
        : 'Files that need what is damaged or missing:',
    );
    files.sort((a, b) => compareBytes(a.path, b.path));
    for (const file of files.slice(0, MAX_FILES)) lines.push(`  ${fileLine(file, damage.archiveNames, iec)}`);
    if (files.length > MAX_FILES) lines.push(`  … and ${files.length - MAX_FILES} more: see --json`);
    if (damage.uncountedFiles > 0) {
      lines.push(`  … and more of them, ${damage.uncountedFiles} if each counts once for every archive`);
    }
  }
  if (damage.archives.length > 0) {
    lines.push('Archives that are damaged:');
    for (const archive of damage.archives.slice(0, MAX_ARCHIVES)) lines.push(`  ${archiveLine(archive)}`);
    if (damage.archives.length > MAX_ARCHIVES) {
      lines.push(`  … and ${damage.archives.length - MAX_ARCHIVES} more: see --json`);
    }
  }
  lines.push(summaryLine(damage, files.length, iec));
  return lines;
}

function fileLine(
  { path, archiveRanges, lostBytes, chunkIds, moreChunks }: DamagedFile,
  names: readonly string[],
  iec: boolean,
): string {
  const count = moreChunks ? `over ${chunkIds.size} chunks` : plural(chunkIds.size, 'chunk');
  const lost = `${count}, ${formatFileSize(lostBytes, { iec })}`;
  return `${printable(toDisplayText(path))}  in ${foldArchives(names, archiveRanges)} (${lost})`;
}

function archiveLine({ name, id, problem, gaps }: DamagedArchive): string {
  const shown = printable(removeSurrogates(name));
  if (problem === 'gaps') {
    return `${shown}: its list of files can't be read in ${plural(gaps ?? 0, 'place')}, so files may be missing from it`;
  }
  const why = {
    missing: 'the object that describes it is missing',
    damaged: 'the object that describes it is damaged',
    unauthenticated: 'it is not authentic',
  }[problem];
  return `${shown}: lost, ${why} (${toHex(id)})`;
}

function summaryLine(damage: DamageCollector, files: number, iec: boolean): string {
  const { newlyNeeded } = damage;
  const unneeded = damage.unneededCount;
  const unneededText = `${plural(unneeded, 'damaged object')} that no archive here needs.`;
  if (files === 0 && newlyNeeded.count === 0 && damage.archives.length === 0)
    return `Summary: ${unneededText}`;
  const parts = [
    `${plural(newlyNeeded.count, 'chunk')} (${formatFileSize(newlyNeeded.sizeBytes, { iec })}) damaged or missing, ` +
      `needed by ${damage.uncountedFiles > 0 ? 'over ' : ''}${plural(files, 'file')} ` +
      `in ${damage.affectedArchiveCount} of ${plural(damage.archiveNames.length, 'archive')}.`,
  ];
  if (unneeded > 0) parts.push(unneededText);
  return `Summary: ${parts.join(' ')}`;
}

function repositorySteps(plan: readonly RepairStep[]): string[] {
  return plan.map(({ text }) => `  ${text}`);
}

function archiveSteps(log: RepairLog | undefined): string[] {
  if (log === undefined) return [];
  const lines: string[] = [];
  if (log.deletedCount > 0) lines.push(`delete ${plural(log.deletedCount, 'damaged object')}`);
  if (log.renewsNonces) lines.push('write the mark of used nonces again, far behind all that are known');
  if (log.foundArchives !== undefined) {
    lines.push(
      `make the list of archives again, with the ${plural(log.foundArchives.length, 'archive')} found`,
    );
  }
  for (const { name, id } of log.newerArchives) {
    lines.push(`put ${printable(removeSurrogates(name))} into the list of archives again (${toHex(id)})`);
  }
  for (const step of log.archives.slice(0, MAX_ARCHIVES)) lines.push(archiveStep(step));
  if (log.archives.length > MAX_ARCHIVES) {
    lines.push(`and ${log.archives.length - MAX_ARCHIVES} more archives: see --json`);
  }
  if (log.orphanCount > 0) lines.push(`delete ${plural(log.orphanCount, 'object')} that nothing refers to`);
  if (log.supersededCount > 0) {
    lines.push(`delete ${plural(log.supersededCount, 'object')} whose place others take`);
  }
  return lines.map((line) => `  ${line}`);
}

function archiveStep({
  name,
  id,
  action,
  newId,
  zeroedFiles,
  healedFiles,
  unreadableParts,
}: ArchiveStep): string {
  const shown = printable(removeSurrogates(name));
  if (action === 'drop') return `take ${shown} out of the list of archives (it was ${toHex(id)})`;
  const what = [
    zeroedFiles ? `zeros for what ${plural(zeroedFiles, 'file')} lost` : '',
    healedFiles ? `${plural(healedFiles, 'file')} healed` : '',
    unreadableParts ? `without ${plural(unreadableParts, 'unreadable part')} of its list of files` : '',
  ].filter((part) => part !== '');
  const change = what.length === 0 ? 'tidied' : what.join(', ');
  return `write ${shown} again: ${change} (${toHex(id)} becomes ${newId === undefined ? '?' : toHex(newId)})`;
}

function keptLines(log: RepairLog | undefined): string[] {
  if (log === undefined || log.isEmpty) return [];
  return [
    'What was deleted or replaced is in the repository\'s files until "compact" runs: don\'t run it before you are content.',
  ];
}

/** Clients take objects that are lost for stored, until the archives are mended too. */
function nextLines({ repository, archives }: CheckResult): string[] {
  const isLost = repository?.damage?.some(({ kind }) => kind === 'object' || kind === 'segment') === true;
  if (!isLost || archives !== undefined) return [];
  return ['Its archives are not mended yet: run "check --repair --archives-only" before the next backup.'];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
