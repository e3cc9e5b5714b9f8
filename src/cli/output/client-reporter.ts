import type { StreamWriter } from '../../platform/stream-writer.ts';
import type { LogLevel, Question } from '../../util/reporter.ts';
import type { PercentLine, ReporterOptions } from './cli-reporter.ts';
import { JsonReporter } from './json-reporter.ts';
import { PatientOutput } from './patient-output.ts';
import { percentFormat } from './percent-text.ts';

const PROGRESS_PREFIX = '$LOG INFO borg.output.progress Remote: ';

/**
 * What a server says to its client, on stderr: lines of text that begin with `$LOG`, or, once the client is known to
 * understand it, JSON as with --log-json. The client decides what of it is shown.
 *
 * | before                                | from                                             |
 * |---------------------------------------|--------------------------------------------------|
 * | `$LOG LEVEL LOGGER Remote: TEXT` `\n` | a log line                                       |
 * | the same, level INFO, ended by `\r`   | progress                                         |
 *
 * Source: Borg 1.4.5 logger.py, setup_logging(is_serve=True); remote.py, handle_remote_line(); helpers/progress.py.
 */
export class ClientReporter extends JsonReporter {
  #json: boolean;
  readonly #output: PatientOutput;

  constructor(options: ReporterOptions, json: boolean) {
    const output = new PatientOutput(options.stderr);
    super({ ...options, stderr: output });
    this.#output = output;
    this.#json = json;
  }

  /** From now on through this writer, and without waiting for the client. */
  writeTo(writer: StreamWriter): void {
    this.#output.attach(writer);
  }

  /** Waits until the client has taken all of it. */
  flush(): Promise<void> {
    return this.#output.flush();
  }

  /** From now on. */
  speakJson(): void {
    this.#json = true;
  }

  /** Nobody is there to answer, and the standard input belongs to the protocol. */
  override ask(question: Question): Promise<boolean> {
    return Promise.resolve(question.default ?? false);
  }

  protected override writeLog(level: LogLevel, message: string, logger: string, msgid?: string): void {
    if (this.#json) return super.writeLog(level, message, logger, msgid);
    this.options.stderr.write(`$LOG ${level.toUpperCase()} ${logger} Remote: ${message}\n`);
  }

  protected override writePercent(line: PercentLine): void {
    if (this.#json) return super.writePercent(line);
    this.#writeProgress(line.text ?? percentFormat(line.template, [line.percent, ...(line.info ?? [])]));
  }

  protected override writeMessage(operation: number, msgid: string, text: string): void {
    if (this.#json) return super.writeMessage(operation, msgid, text);
    this.#writeProgress(text);
  }

  protected override writeProgressEnd(operation: number, msgid: string, kind: 'percent' | 'message'): void {
    if (this.#json) return super.writeProgressEnd(operation, msgid, kind);
    this.#writeProgress('');
  }

  #writeProgress(text: string): void {
    this.options.stderr.write(`${PROGRESS_PREFIX}${text}\r`);
  }
}
