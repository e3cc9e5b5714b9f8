import type { ArchiveCounts, LogLevel, RelayedProgress } from '../../util/reporter.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { CliReporter, type PercentLine } from './cli-reporter.ts';
import { encodeJson, JsonFloat, type JsonValue } from '../../util/json-text.ts';
import { percentFormat } from './percent-text.ts';
import type { QuestionMessage } from './question.ts';

/**
 * One JSON object a line on stderr (--log-json).
 *
 * | type                              | written for                                  |
 * |-----------------------------------|----------------------------------------------|
 * | log_message                       | a log line                                   |
 * | file_status                       | a file of --list                             |
 * | archive_progress                  | the progress of an archive being created     |
 * | progress_percent, progress_message| other progress                               |
 * | question_*                        | a question and what became of it             |
 *
 * Source: Borg 1.4.5 docs/internals/frontends.rst, logger.py, helpers/progress.py, helpers/yes.py.
 */
export class JsonReporter extends CliReporter {
  protected override writeLog(level: LogLevel, message: string, logger: string, msgid?: string): void {
    this.#write({
      type: 'log_message',
      time: this.#time(),
      message,
      levelname: level.toUpperCase(),
      name: logger,
      msgid,
    });
  }

  protected override writeFileStatus(status: string, path: Uint8Array): void {
    this.#write({ type: 'file_status', status, path: toDisplayText(path) });
  }

  protected override writeArchiveProgress(counts: ArchiveCounts, path: Uint8Array | undefined): void {
    this.#write({
      original_size: counts.originalSizeBytes,
      compressed_size: counts.compressedSizeBytes,
      deduplicated_size: counts.deduplicatedSizeBytes,
      nfiles: counts.files,
      path: path === undefined ? '' : toDisplayText(path),
      time: this.#time(),
      type: 'archive_progress',
      finished: false,
    });
  }

  protected override writeArchiveProgressEnd(): void {
    this.#write({ time: this.#time(), type: 'archive_progress', finished: true });
  }

  protected override writePercent(line: PercentLine): void {
    this.#write({
      message: line.text ?? percentFormat(line.template, [line.percent, ...(line.info ?? [])]),
      current: line.current,
      total: line.total,
      info: line.info ?? null,
      operation: line.operation,
      msgid: line.msgid,
      type: 'progress_percent',
      finished: false,
      time: this.#time(),
    });
  }

  protected override writeMessage(operation: number, msgid: string, text: string): void {
    const type = 'progress_message';
    this.#write({ message: text, operation, msgid, type, finished: false, time: this.#time() });
  }

  protected override writeProgressEnd(operation: number, msgid: string, kind: 'percent' | 'message'): void {
    this.#write({ operation, msgid, type: `progress_${kind}`, finished: true, time: this.#time() });
  }

  protected override writeRelayedProgress(progress: RelayedProgress): void {
    const { message, operation, msgid, type, finished, current, total, info } = progress;
    const counts = type === 'progress_percent' && !finished ? { current, total, info: info ?? null } : {};
    this.#write({ message, ...counts, operation, msgid, type, finished, time: this.#time() });
  }

  protected override writeQuestion(
    kind: QuestionMessage,
    text: string,
    _isPrompt: boolean,
    msgid: string,
    envVariable?: string,
  ): void {
    this.#write({ env_var: envVariable, type: `question_${kind}`, msgid, message: text });
  }

  #time(): JsonFloat {
    return new JsonFloat(Number(this.options.nowNs() / 1000n) / 1e6);
  }

  #write(record: Record<string, JsonValue | undefined>): void {
    this.options.stderr.write(`${encodeJson(record)}\n`);
  }
}
