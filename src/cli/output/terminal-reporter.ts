import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { ArchiveCounts, LogLevel, RelayedProgress } from '../../util/reporter.ts';
import { borgProgressLine } from './backup-progress.ts';
import { colored, takesColor } from './color.ts';
import { CliReporter, LIST_LOGGER, type PercentLine, type ReporterOptions } from './cli-reporter.ts';
import { LineFold } from './line-fold.ts';
import { terminalPercentLine } from './percent-line.ts';
import { percentFormat } from './percent-text.ts';
import type { QuestionMessage } from './question.ts';
import { fitTo, padTo, printable } from './width.ts';

/** A line of an archive's progress that is `columns` wide, or as long as it gets without a terminal. */
export type ArchiveProgressLine = (
  counts: ArchiveCounts,
  path: string,
  columns: number | undefined,
) => string;

/** Log lines, statuses, progress and questions as text on stderr, in Borg's words and places. */
export class TerminalReporter extends CliReporter {
  readonly #archiveLine: ArchiveProgressLine;
  readonly #color: boolean;
  readonly #fold = new LineFold();
  #onProgressLine = false;

  constructor(options: ReporterOptions, archiveLine?: ArchiveProgressLine) {
    super(options);
    this.#archiveLine = archiveLine ?? borgProgressLine(options);
    this.#color = takesColor(options.stderr, options.env);
  }

  override leaveProgressLine(): void {
    if (!this.#onProgressLine) return;
    this.#onProgressLine = false;
    this.options.stderr.write(`${padTo('', this.options.stderr.columns)}\r`);
  }

  override tell(text: string): void {
    this.show(text);
  }

  /** As it comes, whatever the log level: Borg 1.4.5 remote.py, handle_remote_line(). */
  override relayLine(text: string, isProgress: boolean): void {
    if (isProgress) return this.#progressLine(text);
    this.leaveProgressLine();
    this.options.stderr.write(`${text}\n`);
  }

  override hint(text: string): void {
    if (this.shows('error')) this.tell(text);
  }

  protected override writeLog(level: LogLevel, message: string, logger: string): void {
    const write = (text: string): void => {
      this.leaveProgressLine();
      this.options.stderr.write(`${this.#color ? colored(text, level) : text}\n`);
    };
    const folds = this.options.stderr.isTerminal && !this.shows('info', logger);
    if (folds && this.#fold.takes(message, write)) return;
    write(message);
  }

  protected override writeFileStatus(status: string, path: Uint8Array): void {
    if (this.options.route !== undefined) {
      return this.log('info', `${status} ${toDisplayText(path)}`, { logger: LIST_LOGGER });
    }
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
    const text = line.text ?? percentFormat(line.template, [line.percent, ...(line.info ?? [])]);
    this.#progressLine(isTerminal ? terminalPercentLine(line, columns ?? 80, this.options.iec) : text);
  }

  protected override writeMessage(_operation: number, _msgid: string, text: string): void {
    const { isTerminal, columns } = this.options.stderr;
    this.#progressLine(isTerminal ? fitTo(printable(text), columns ?? 80) : text);
  }

  protected override writeProgressEnd(): void {
    if (this.options.stderr.isTerminal) this.leaveProgressLine();
    else this.options.stderr.write('\r');
  }

  protected override writeRelayedProgress({ message, finished }: RelayedProgress): void {
    const { isTerminal, columns } = this.options.stderr;
    if (message !== undefined)
      this.#progressLine(isTerminal ? fitTo(printable(message), columns ?? 80) : message);
    else if (finished && isTerminal) this.leaveProgressLine();
  }

  protected override writeQuestion(_kind: QuestionMessage, text: string, isPrompt: boolean): void {
    this.leaveProgressLine();
    this.options.stderr.write(isPrompt ? text : `${text}\n`);
  }

  protected override showsByTime(): boolean {
    return this.options.stderr.isTerminal;
  }

  #progressLine(text: string): void {
    this.options.stderr.write(`${text}\r`);
    this.#onProgressLine = this.options.stderr.isTerminal;
  }
}
