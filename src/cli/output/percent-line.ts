/** The line of a percentage at a terminal: Borg's words, how much of how much, how fast, and how long it will take. */
import { formatFileSize } from '../../util/file-size.ts';
import type { PercentLine } from './cli-reporter.ts';
import { percentFormat } from './percent-text.ts';
import { ellipsisTruncate, fitTo, padTo, printable, textWidth } from './width.ts';

/** Progress that counts bytes. */
const BYTE_COUNTS: ReadonlySet<string> = new Set(['extract']);

/** An estimate from less than this is a guess. */
const MIN_ELAPSED_SECONDS = 2;
/** The room that a path needs to tell anything. */
const MIN_PATH_COLUMNS = 12;

export function terminalPercentLine(line: PercentLine, columns: number, iec: boolean): string {
  if (line.text !== undefined) return fitTo(printable(line.text), columns);
  const info = (line.info ?? []).map(printable);
  const path = info.at(-1);
  const words = percentFormat(line.template, [line.percent, ...info.slice(0, -1), '']).trimEnd();
  const extras = extrasOf(line, iec);
  const space = () => columns - textWidth([words, ...extras].join('  ')) - 2;
  while (extras.length > 0 && space() + 2 < (path === undefined ? 0 : MIN_PATH_COLUMNS)) extras.shift();
  if (path === undefined || line.template.endsWith('%%'))
    return fitTo([words, ...extras].join('  '), columns);
  // The words lead to the path, so the rest goes in front of them, behind the percentage.
  const lead = words.replace(/^( *[\d.]+%) /, (_, percent: string) => `${[percent, ...extras].join('  ')}  `);
  const left = columns - textWidth(lead) - 1;
  return left < 8 ? fitTo(lead, columns) : padTo(`${lead} ${ellipsisTruncate(path, left)}`, columns);
}

/** The least important first. */
function extrasOf(
  { msgid, doneBefore, doneSince, total, elapsedSeconds }: PercentLine,
  iec: boolean,
): string[] {
  const done = doneBefore + doneSince;
  if (total <= 0) return [];
  const inBytes = BYTE_COUNTS.has(msgid);
  const amount = (value: number): string =>
    inBytes ? formatFileSize(Math.round(value), { iec }) : value.toLocaleString('en-US');
  const extras = [`${amount(Math.min(done, total))} of ${amount(total)}`];
  if (elapsedSeconds < MIN_ELAPSED_SECONDS || doneSince <= 0) return extras;
  const perSecond = doneSince / elapsedSeconds;
  if (inBytes) extras.push(`${amount(perSecond)}/s`);
  if (done < total) extras.push(`${shortDuration((total - done) / perSecond)} left`);
  return extras;
}

/** E.g. `45 s`, `3 min`, `1 h 20 min`, `3 d 4 h`: as exact as an estimate is. */
export function shortDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return withRest(`${hours} h`, minutes % 60, 'min');
  return withRest(`${Math.floor(hours / 24)} d`, hours % 24, 'h');
}

function withRest(text: string, rest: number, unit: string): string {
  return rest === 0 ? text : `${text} ${rest} ${unit}`;
}
