/**
 * The one way by which anything below the command line speaks to the user: log lines, warnings, file statuses,
 * progress and questions. The command line decides how each looks (terminal, JSON lines, nothing).
 */
import type { BorgWarning } from '../errors.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

/** Counts of an archive being created or deleted, in bytes and files. */
export interface ArchiveCounts {
  originalSizeBytes: number;
  compressedSizeBytes: number;
  deduplicatedSizeBytes: number;
  files: number;
}

export interface Reporter {
  /** A log line; `logger` is Borg's logger name, e.g. `borg.archiver`. */
  log(level: LogLevel, message: string, options?: { logger?: string; msgid?: string }): void;
  /**
   * A line for the person at the terminal alone: to stderr as it is, whatever the log level, and never part of a log.
   * A reporter that has nobody to tell leaves it out.
   */
  tell?(text: string): void;
  /** A line that the user has asked for: to stderr as it is, also between lines of JSON, and never part of a log. */
  show?(text: string): void;
  /** Logs the warning and remembers it for the exit code. */
  warn(warning: BorgWarning): void;
  /** One line of --list: a status letter and the path's bytes. */
  fileStatus(status: string, path: Uint8Array): void;
  /** Progress of an archive being created; `path` is the item at hand. Throttled by the reporter. */
  archiveProgress(counts: ArchiveCounts, path?: Uint8Array): void;
  /** Ends the archive progress line. */
  archiveProgressEnd(): void;
  /** Starts a progress of known total; `text` as Borg's ProgressIndicatorPercent message with one %-number. */
  percent(msgid: string, text: string, total: number): PercentProgress;
  /** Starts a progress without total (Borg's ProgressIndicatorMessage). */
  message(msgid: string): MessageProgress;
  /**
   * Remembers how to say what is being worked on, for whoever wants to know (SIGUSR1, Ctrl-T); undefined forgets it. It is
   * called then only.
   */
  working?(describe: (() => string | undefined) | undefined): void;
  /** Asks a yes/no question; see `Question`. */
  ask(question: Question): Promise<boolean>;
  /** Progress that another process tells of. */
  relayProgress?(progress: RelayedProgress): void;
  /** A line of another process of which nothing is known; `isProgress`: the next one takes its place. */
  relayLine?(text: string, isProgress: boolean): void;
}

/** A record of progress as in JSON logs. */
export interface RelayedProgress {
  readonly type: 'progress_message' | 'progress_percent';
  readonly operation: number;
  readonly msgid: string | undefined;
  readonly finished: boolean;
  readonly message: string | undefined;
  readonly current?: number;
  readonly total?: number;
  readonly info?: readonly string[] | undefined;
}

export interface PercentProgress {
  /** Advances by `steps` (default 1), or to `current`; `info` goes into JSON. */
  advance(options?: { steps?: number; current?: number; info?: readonly string[] }): void;
  /** Shows a text without a percentage, e.g. while the total is being found out. */
  say(text: string): void;
  setTotal(total: number): void;
  finish(): void;
}

export interface MessageProgress {
  show(text: string): void;
  finish(): void;
}

/** A yes/no question as Borg's `yes()`: answered by the environment, else by the user, else its default (no). */
export interface Question {
  /** Text, ending in the prompt. */
  text: string;
  /** Variable whose value answers, e.g. BORG_RELOCATED_REPO_ACCESS_IS_OK; also the msgid. */
  env: string;
  falseText?: string;
  trueText?: string;
  defaultText?: string;
  invalidText?: string;
  retryText?: string;
  /** Ask again after an invalid answer. */
  retry?: boolean;
  /** Answers that mean yes, where the usual ones (Yes, YES, yes, Y, y, 1) do not. */
  truish?: readonly string[];
  default?: boolean;
}

/** A reporter that says nothing and answers every question with its default; collects warnings. */
export class SilentReporter implements Reporter {
  readonly warnings: BorgWarning[] = [];

  log(_level: LogLevel, _message: string): void {}
  warn(warning: BorgWarning): void {
    this.warnings.push(warning);
  }
  fileStatus(_status: string, _path: Uint8Array): void {}
  archiveProgress(_counts: ArchiveCounts, _path?: Uint8Array): void {}
  archiveProgressEnd(): void {}
  percent(_msgid: string, _text: string, _total: number): PercentProgress {
    return { advance() {}, say() {}, setTotal() {}, finish() {} };
  }
  message(_msgid: string): MessageProgress {
    return { show() {}, finish() {} };
  }
  ask(question: Question): Promise<boolean> {
    return Promise.resolve(question.default ?? false);
  }
}
