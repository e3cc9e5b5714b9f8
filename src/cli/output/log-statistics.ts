import type { CliContext } from '../context.ts';

const RULER = '-'.repeat(78);

/** Logs sizes between rulers, a record for each line. Source: Borg 1.4.5 helpers/misc.py, log_multi. */
export function logStatistics({ reporter }: CliContext, parts: readonly string[]): void {
  for (const line of [RULER, ...parts, RULER].join('\n').split('\n')) {
    reporter.log('info', line, { logger: 'borg.output.stats' });
  }
}
