/** Log lines to where a logging configuration sends them. Source: Python 3, documentation of logging, "Logging Flow". */
import type { LogLevel } from '../../util/reporter.ts';
import { formatTime, localTime } from '../../util/wall-time.ts';
import { levelNumbers } from '../output/log-filter.ts';
import type { HandlerConfig, LoggingConfig } from './logging-config.ts';

export interface LogRecord {
  readonly level: LogLevel;
  readonly logger: string;
  readonly message: string;
  readonly timeNs: bigint;
  readonly pid: number;
}

export interface LogTargets {
  /** Opens a file to log into, and gives what writes to it; relative paths start at the working directory. */
  openFile(path: string, append: boolean): (text: string) => void;
  stdout(text: string): void;
  stderr(text: string): void;
}

export class LogRouter {
  readonly #config: LoggingConfig;
  readonly #writers = new Map<HandlerConfig, (text: string) => void>();

  /** Opens all files at once, so that one that can't be opened is known at the beginning. */
  constructor(config: LoggingConfig, targets: LogTargets) {
    this.#config = config;
    for (const { handlers } of config.loggers.values()) {
      for (const handler of handlers) {
        if (this.#writers.has(handler)) continue;
        const { target } = handler;
        this.#writers.set(
          handler,
          typeof target === 'string'
            ? (text) => targets[target](text)
            : targets.openFile(target.path, target.append),
        );
      }
    }
  }

  /** The record has passed the levels of loggers already. */
  write(record: LogRecord): void {
    for (let name = record.logger; ; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
      const logger = this.#config.loggers.get(name);
      for (const handler of logger?.handlers ?? []) {
        if (levelNumbers[record.level] < (handler.level === undefined ? 0 : levelNumbers[handler.level]))
          continue;
        this.#writers.get(handler)!(`${formatRecord(record, handler)}\n`);
      }
      if (name === '' || logger?.propagate === false) return;
    }
  }
}

/** As Python's %-formats: a `-` pads on the right. */
export function formatRecord(record: LogRecord, { format, dateFormat }: HandlerConfig): string {
  const values: Readonly<Record<string, () => string>> = {
    message: () => record.message,
    levelname: () => record.level.toUpperCase(),
    name: () => record.logger,
    asctime: () => asciiTime(record.timeNs, dateFormat),
    process: () => String(record.pid),
  };
  return format.replaceAll(
    /%%|%\((\w+)\)(-?)(0?)(\d*)[sd]/g,
    (whole, name?: string, left?: string, zero?: string, width?: string) => {
      if (whole === '%%' || name === undefined) return '%';
      const text = values[name]!();
      const cells = Number(width);
      if (left === '-') return text.padEnd(cells);
      return text.padStart(cells, zero === '0' ? '0' : ' ');
    },
  );
}

function asciiTime(timeNs: bigint, dateFormat: string): string {
  const time = localTime(timeNs / 1000n);
  if (dateFormat !== '') return formatTime(time, dateFormat);
  const milliseconds = String(Math.floor(time.microsecond / 1000)).padStart(3, '0');
  return `${formatTime(time, '%Y-%m-%d %H:%M:%S')},${milliseconds}`;
}
