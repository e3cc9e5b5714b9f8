import { resolve } from 'node:path';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { toUtf8Lossy } from '../../util/bytes.ts';
import type { LogLevel } from '../../util/reporter.ts';
import type { CliIo } from '../io.ts';
import { decodeLoggingConfig, type LoggingConfig } from './logging-config.ts';
import { LogRouter } from './log-router.ts';

/** What BORG_LOGGING_CONF asks for; or, where that can't be had, why, and logs go to stderr as always. */
export interface Logging {
  readonly config?: LoggingConfig;
  readonly route?: (level: LogLevel, message: string, logger: string) => void;
  readonly failure?: string;
}

/** Source: Borg 1.4.5 logger.py, setup_logging. */
export async function openLogging(io: CliIo, path: string): Promise<Logging> {
  try {
    const config = decodeLoggingConfig(toUtf8Lossy(await io.readFile(path)));
    const { pid } = await io.identity();
    const router = new LogRouter(config, {
      stdout: (text) => io.stdout.write(text),
      stderr: (text) => io.stderr.write(text),
      openFile: (file, append) => io.openLog(file, append),
    });
    const route = (level: LogLevel, message: string, logger: string) =>
      router.write({ level, message, logger, timeNs: io.nowNs(), pid });
    return { config, route };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = isOsError(error) ? describeOsError(error) : error.message;
    return { failure: `setup_logging for "${resolve(io.cwd, path)}" failed with "${reason}".` };
  }
}
