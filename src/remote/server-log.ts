/**
 * What a server, and the program that connects to it, write to their standard error: log lines and progress, which the
 * client shows as its own, with "Remote: " in front.
 *
 * | a line                             | from                              | is shown as                          |
 * |------------------------------------|-----------------------------------|--------------------------------------|
 * | a JSON object of --log-json        | Borg since 1.1                    | a log line of its level, or progress |
 * | `$LOG LEVEL [LOGGER] Remote: TEXT` | older ones                        | a log line of its level              |
 * | anything else                      | ssh, shells, programs that fail   | it is                                |
 *
 * A line ends with \n or \r, the latter one that the next may take the place of. Control characters, by which a server
 * could write to other parts of the terminal, are replaced, and lines are cut.
 *
 * Source: Borg 1.4.5 remote.py, handle_remote_line().
 */
import { toUtf8Lossy } from '../util/bytes.ts';
import type { LogLevel, RelayedProgress, Reporter } from '../util/reporter.ts';

const MAX_LINE_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const PREFIX = 'Remote: ';
const LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
};

export class ServerLog {
  readonly #reporter: Reporter;
  /** A line whose end has not come. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  feed(piece: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (byte !== LF && byte !== CR) continue;
      this.#keep(piece.subarray(start, at));
      this.#finishLine(byte === CR && piece[at + 1] !== LF);
      start = at + 1;
    }
    this.#keep(piece.subarray(start));
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#begunBytes > 0) this.#finishLine(false);
  }

  #keep(part: Uint8Array): void {
    const kept = part.slice(0, MAX_LINE_BYTES - this.#begunBytes);
    if (kept.length === 0) return;
    this.#begun.push(kept);
    this.#begunBytes += kept.length;
  }

  #finishLine(isProgress: boolean): void {
    const line = toUtf8Lossy(Buffer.concat(this.#begun));
    this.#begun = [];
    this.#begunBytes = 0;
    if (line !== '') showLine(this.#reporter, line, isProgress);
  }
}

function showLine(reporter: Reporter, line: string, isProgress: boolean): void {
  if (line.startsWith('{')) {
    const record = parseRecord(line);
    if (record !== undefined) return showRecord(reporter, record, line);
  }
  const old = /^\$LOG (?<level>\S+) (?:(?!Remote:)(?<logger>\S+) )?(?<text>.*)$/s.exec(line)?.groups;
  if (old !== undefined) {
    const level = LEVELS[old['level']!] ?? 'critical';
    reporter.log(level, harmless(old['text']!.trimEnd()), { logger: old['logger'] ?? 'root' });
    return;
  }
  reporter.relayLine?.(PREFIX + harmless(line), isProgress);
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function showRecord(reporter: Reporter, record: Readonly<Record<string, unknown>>, line: string): void {
  const { type } = record;
  if (type === 'log_message') {
    const level = LEVELS[textOf(record['levelname']) ?? ''] ?? 'critical';
    const msgid = textOf(record['msgid']);
    const options = { logger: textOf(record['name']) ?? 'root', ...(msgid === undefined ? {} : { msgid }) };
    reporter.log(level, PREFIX + (textOf(record['message']) ?? ''), options);
  } else if (type === 'progress_message' || type === 'progress_percent') {
    reporter.relayProgress?.(progressOf(type, record));
  } else {
    const what = `Dropped remote log message with unknown type ${JSON.stringify(type)}: ${harmless(line)}`;
    reporter.log('warning', what, { logger: 'borg.remote' });
  }
}

function progressOf(
  type: RelayedProgress['type'],
  record: Readonly<Record<string, unknown>>,
): RelayedProgress {
  const message = textOf(record['message']);
  const { info } = record;
  return {
    type,
    operation: numberOf(record['operation']),
    msgid: textOf(record['msgid']),
    finished: record['finished'] === true,
    message: message === undefined ? undefined : PREFIX + message,
    current: numberOf(record['current']),
    total: numberOf(record['total']),
    info: Array.isArray(info) ? info.map((part) => textOf(part) ?? '') : undefined,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? harmless(value) : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Without what a terminal would obey. */
export function harmless(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '\u{FFFD}');
}
