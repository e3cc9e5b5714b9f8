import { formatFileSize } from '../../util/file-size.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { ArchiveCounts, LogLevel } from '../../util/reporter.ts';
import { CliReporter, type PercentLine, type ReporterOptions } from './cli-reporter.ts';
import { percentFormat } from './percent-text.ts';
import type { QuestionMessage } from './question.ts';
import { ellipsisTruncate, fitTo, padTo, printable, textWidth } from './width.ts';

/** A line of an archive's progress that is `columns` wide, or as long as it gets without a terminal. */
export type ArchiveProgressLine = (
  counts: ArchiveCounts,
  path: string,
  columns: number | undefined,
) => string;

/** Log lines, statuses, progress and questions as text on stderr, in Borg's words and places. */
export class TerminalReporter extends CliReporter {
  readonly #archiveLine: ArchiveProgressLine;
  #onProgressLine = false;

  constructor(options: ReporterOptions, archiveLine?: ArchiveProgressLine) {
    super(options);
    this.#archiveLine =
      archiveLine ?? ((counts, path, columns) => archiveProgressLine(counts, path, columns, options.iec));
  }

  override leaveProgressLine(): void {
    if (!this.#onProgressLine) return;
    this.#onProgressLine = false;
    this.options.stderr.write(`${padTo('', this.options.stderr.columns)}\r`);
  }

  override tell(text: string): void {
    this.leaveProgressLine();
    this.options.stderr.write(`${text}\n`);
  }

  override hint(text: string): void {
    this.log('error', text);
  }

  protected override writeLog(_level: LogLevel, message: string): void {
    this.leaveProgressLine();
    this.options.stderr.write(`${message}\n`);
  }

  protected override writeFileStatus(status: string, path: Uint8Array): void {
    this.leaveProgressLine();
    this.options.stderr.write(`${status} ${toDisplayText(path)}\n`);
  }

  protected override writeArchiveProgress(counts: ArchiveCounts, path: Uint8Array | undefined): void {
    const { isTerminal, columns } = this.options.stderr;
    const name = path === undefined ? '' : toDisplayText(path);
    if (!isTerminal) this.options.stderr.write(`${this.#archiveLine(counts, name, undefined)}\n`);
    else this.#progressLine(this.#archiveLine(counts, printable(name), columns ?? 80));
  }

  protected override writeArchiveProgressEnd(): void {
    if (this.options.stderr.isTerminal) this.leaveProgressLine();
    else this.options.stderr.write('\n');
  }

  protected override writePercent(line: PercentLine): void {
    const { isTerminal, columns } = this.options.stderr;
    const info =
      line.info === undefined ? [] : line.info.map((text) => (isTerminal ? printable(text) : text));
    if (isTerminal && info.length > 0) {
      const frame = percentFormat(line.template, [line.percent, ...info.slice(0, -1), '']);
      info.push(ellipsisTruncate(info.pop()!, (columns ?? 80) - textWidth(frame)));
    }
    const text = line.text ?? percentFormat(line.template, [line.percent, ...info]);
    this.#progressLine(isTerminal ? fitTo(text, columns ?? 80) : text);
  }

  protected override writeMessage(_operation: number, _msgid: string, text: string): void {
    const { isTerminal, columns } = this.options.stderr;
    this.#progressLine(isTerminal ? fitTo(printable(text), columns ?? 80) : text);
  }

  protected override writeProgressEnd(): void {
    if (this.options.stderr.isTerminal) this.leaveProgressLine();
    else this.options.stderr.write('\r');
  }

  protected override writeQuestion(_kind: QuestionMessage, text: string, isPrompt: boolean): void {
    this.leaveProgressLine();
    this.options.stderr.write(isPrompt ? text : `${text}\n`);
  }

  #progressLine(text: string): void {
    this.options.stderr.write(`${text}\r`);
    this.#onProgressLine = this.options.stderr.isTerminal;
  }
}

/** Original, compressed and deduplicated size, number of files, path: Borg 1.4.5 Statistics.show_progress. */
export function archiveProgressLine(
  counts: ArchiveCounts,
  path: string,
  columns: number | undefined,
  iec: boolean,
): string {
  const size = (sizeBytes: number): string => formatFileSize(sizeBytes, { iec });
  const { originalSizeBytes, compressedSizeBytes, deduplicatedSizeBytes, files } = counts;
  const sizes = `${size(originalSizeBytes)} O ${size(compressedSizeBytes)} C ${size(deduplicatedSizeBytes)} D`;
  const text = `${sizes} ${files} N `;
  if (columns === undefined) return text + path;
  const space = columns - textWidth(text);
  if (space >= 12) return text + ellipsisTruncate(path, space);
  return columns >= 8 ? ellipsisTruncate(path, columns) : '';
}
