import type { BorgWarning } from '../../errors.ts';
import type { Environment } from '../../util/context.ts';
import type {
  ArchiveCounts,
  LogLevel,
  MessageProgress,
  PercentProgress,
  Question,
  RelayedProgress,
  Reporter,
} from '../../util/reporter.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { Output } from '../io.ts';
import type { LogFilter } from './log-filter.ts';
import { percentFormat, percentStep } from './percent-text.ts';
import { answerQuestion, type QuestionMessage } from './question.ts';

export const DEFAULT_LOGGER = 'borg.archiver';
export const LIST_LOGGER = 'borg.output.list';

/** Milliseconds between two lines of an archive's progress. */
const ARCHIVE_PROGRESS_INTERVAL_MS = 200;
/** And of a percentage's, where people watch it. */
const PERCENT_INTERVAL_MS = 100;

export interface ReporterOptions {
  readonly stderr: Output;
  readonly env: Environment;
  readonly filter: LogFilter;
  readonly progress: boolean;
  /** Show the status of files at all (--list). */
  readonly list: boolean;
  /** Statuses to show, as letters (--filter); undefined shows all. */
  readonly statusFilter?: string | undefined;
  readonly iec: boolean;
  /** Takes log lines, where a logging configuration says where they go. */
  readonly route?: ((level: LogLevel, message: string, logger: string) => void) | undefined;
  nowNs(): bigint;
  readLine(): Promise<string | undefined>;
}

/** One line of a percentage's progress. */
export interface PercentLine {
  readonly operation: number;
  readonly msgid: string;
  readonly template: string;
  readonly percent: number;
  readonly current: number;
  readonly total: number;
  /** What was done when it began, and since then, this step not included. The time counts where people watch it. */
  readonly doneBefore: number;
  readonly doneSince: number;
  readonly elapsedSeconds: number;
  readonly info: readonly string[] | undefined;
  /** Takes the place of the template. */
  readonly text?: string;
}

/** What text and JSON output share: which lines are shown, how often, and what becomes of warnings. */
export abstract class CliReporter implements Reporter {
  readonly warnings: BorgWarning[] = [];
  protected readonly options: ReporterOptions;
  #operations = 0;
  #describeWork: (() => string | undefined) | undefined;
  /** How far the operations are that have begun and not ended, the innermost last. */
  readonly #underWay: (() => string)[] = [];
  #lastArchiveProgressMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReporterOptions) {
    this.options = options;
  }

  protected abstract writeLog(level: LogLevel, message: string, logger: string, msgid?: string): void;
  protected abstract writeFileStatus(status: string, path: Uint8Array): void;
  protected abstract writeArchiveProgress(counts: ArchiveCounts, path: Uint8Array | undefined): void;
  protected abstract writeArchiveProgressEnd(): void;
  protected abstract writePercent(line: PercentLine): void;
  protected abstract writeMessage(operation: number, msgid: string, text: string): void;
  protected abstract writeProgressEnd(operation: number, msgid: string, kind: 'percent' | 'message'): void;
  protected abstract writeRelayedProgress(progress: RelayedProgress): void;
  protected abstract writeQuestion(
    kind: QuestionMessage,
    text: string,
    isPrompt: boolean,
    msgid: string,
    envVariable?: string,
  ): void;

  log(level: LogLevel, message: string, options: { logger?: string; msgid?: string } = {}): void {
    const logger = options.logger ?? DEFAULT_LOGGER;
    if (!this.options.filter.shows(level, logger)) return;
    if (this.options.route === undefined) this.writeLog(level, message, logger, options.msgid);
    else this.#route(level, message, logger);
  }

  #route(level: LogLevel, message: string, logger: string): void {
    this.leaveProgressLine();
    this.options.route!(level, message, logger);
  }

  /** Whether a line of this logger would be shown; for texts that are expensive to make. */
  shows(level: LogLevel, logger: string = DEFAULT_LOGGER): boolean {
    return this.options.filter.shows(level, logger);
  }

  /** What to do about the error just logged; clients that read JSON know by its msgid. */
  hint(_text: string): void {}

  /** For the person at the terminal, not for logs. */
  tell(_text: string): void {}

  show(text: string): void {
    this.leaveProgressLine();
    this.options.stderr.write(`${text}\n`);
  }

  warn(warning: BorgWarning): void {
    this.warnings.push(warning);
    this.log('warning', warning.message, { msgid: warning.msgid });
  }

  fileStatus(status: string, path: Uint8Array): void {
    const { list, statusFilter } = this.options;
    if (!list || (statusFilter !== undefined && !statusFilter.includes(status))) return;
    if (status === '') this.log('info', toDisplayText(path), { logger: LIST_LOGGER });
    else this.writeFileStatus(status, path);
  }

  archiveProgress(counts: ArchiveCounts, path?: Uint8Array): void {
    if (!this.options.progress) return;
    const nowMs = this.nowMs();
    if (nowMs - this.#lastArchiveProgressMs < ARCHIVE_PROGRESS_INTERVAL_MS) return;
    this.#lastArchiveProgressMs = nowMs;
    this.writeArchiveProgress(counts, path);
  }

  archiveProgressEnd(): void {
    if (!this.options.progress) return;
    this.#lastArchiveProgressMs = Number.NEGATIVE_INFINITY;
    this.writeArchiveProgressEnd();
  }

  percent(msgid: string, text: string, totalAtFirst: number): PercentProgress {
    const operation = ++this.#operations;
    const step = percentStep(msgid, text);
    let total = totalAtFirst;
    let current = 0;
    let info: readonly string[] | undefined;
    const percentOf = (done: number): number => (total === 0 ? 100 : (done * 100) / total);
    const describe = (): string => percentFormat(text, [percentOf(current), ...(info ?? [])]);
    this.#underWay.push(describe);
    let triggerAt = 0;
    let begin: { readonly current: number; readonly timeMs: number } | undefined;
    let lastMs = Number.NEGATIVE_INFINITY;
    return {
      advance: (options = {}) => {
        if (options.current !== undefined) current = options.current;
        const done = current;
        const percent = percentOf(done);
        current += options.steps ?? 1;
        info = options.info;
        if (!this.options.progress) return;
        const nowMs = this.showsByTime() ? this.nowMs() : 0;
        begin ??= { current: done, timeMs: nowMs };
        if (this.showsByTime() ? nowMs - lastMs < PERCENT_INTERVAL_MS : percent < triggerAt) return;
        triggerAt += step;
        lastMs = nowMs;
        this.writePercent({
          operation,
          msgid,
          template: text,
          percent,
          current,
          total,
          info,
          doneBefore: begin.current,
          doneSince: done - begin.current,
          elapsedSeconds: (nowMs - begin.timeMs) / 1000,
        });
      },
      say: (shown) => {
        if (!this.options.progress) return;
        const amounts = { total, doneBefore: 0, doneSince: 0, elapsedSeconds: 0 };
        const base = { operation, msgid, template: text, percent: 0, current, info: undefined };
        this.writePercent({ ...base, ...amounts, text: shown });
      },
      setTotal: (found) => (total = found),
      finish: () => {
        this.#underWay.splice(this.#underWay.indexOf(describe) >>> 0, 1);
        if (this.options.progress) this.writeProgressEnd(operation, msgid, 'percent');
      },
    };
  }

  message(msgid: string): MessageProgress {
    const operation = ++this.#operations;
    if (!this.options.progress) return { show() {}, finish() {} };
    return {
      show: (text) => this.writeMessage(operation, msgid, text),
      finish: () => this.writeProgressEnd(operation, msgid, 'message'),
    };
  }

  relayProgress(progress: RelayedProgress): void {
    if (this.options.progress) this.writeRelayedProgress(progress);
  }

  /** Its level is unknown. */
  relayLine(text: string, _isProgress: boolean): void {
    this.log('warning', text, { logger: 'root' });
  }

  working(describe: (() => string | undefined) | undefined): void {
    this.#describeWork = describe;
  }

  /**
   * A log line about what is being worked on: the file at hand, else how far the operation is, of which Borg says nothing.
   * Source: Borg 1.4.5 archiver.py, sig_info_handler.
   */
  sayWork(): void {
    const text = this.#describeWork?.() ?? this.#underWay.at(-1)?.();
    if (text !== undefined) this.log('info', text);
  }

  ask(question: Question): Promise<boolean> {
    return answerQuestion(question, {
      env: this.options.env,
      say: (kind, text, isPrompt, envVariable) =>
        this.writeQuestion(kind, text, isPrompt, question.env, envVariable),
      readLine: () => this.options.readLine(),
    });
  }

  /** Leaves the line that progress stands in, before other text goes to the terminal. */
  leaveProgressLine(): void {}

  /** Whether percentages are shown as time goes by, rather than as they grow. */
  protected showsByTime(): boolean {
    return false;
  }

  protected nowMs(): number {
    return Number(this.options.nowNs() / 1_000_000n);
  }
}
