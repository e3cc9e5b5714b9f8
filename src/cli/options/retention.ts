/** Options that say which archives to keep. Source: Borg 1.4.5 archiver.py, build_parser ("borg prune"). */
import type { PeriodRule } from '../../archive/prune-rules.ts';
import { parseIntervalHours } from '../../util/duration.ts';
import { InvalidValue, type OptionSpec, type ParseValue } from './option.ts';
import { parseInteger } from './values.ts';

export interface RetentionArgs extends Readonly<Record<PeriodRule, number>> {
  /** In hours. */
  readonly within: number | undefined;
}

const parseInterval: ParseValue = (text) => {
  try {
    return parseIntervalHours(text);
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidValue(error.message);
    throw error;
  }
};

const keep = (flags: readonly string[], dest: PeriodRule, metavar: string, what: string): OptionSpec => ({
  flags,
  dest,
  metavar,
  parse: parseInteger,
  fallback: 0,
  help: `number of ${what} archives to keep`,
});

const quarterly = (flagName: string, dest: PeriodRule, metavar: string, span: string): OptionSpec => ({
  ...keep([flagName], dest, metavar, 'quarterly'),
  excludes: 'quarterly',
  help: `number of quarterly archives to keep, a quarter being ${span}`,
});

export const retentionOptions: readonly OptionSpec[] = [
  {
    flags: ['--keep-within'],
    dest: 'within',
    metavar: 'INTERVAL',
    parse: parseInterval,
    help: 'keep all archives within this time, e.g. 12H, 2d, 4w, 6m, 1y',
  },
  keep(['--keep-last', '--keep-secondly'], 'secondly', 'SECONDLY', 'secondly (so: the last)'),
  keep(['--keep-minutely'], 'minutely', 'MINUTELY', 'minutely'),
  keep(['-H', '--keep-hourly'], 'hourly', 'HOURLY', 'hourly'),
  keep(['-d', '--keep-daily'], 'daily', 'DAILY', 'daily'),
  keep(['-w', '--keep-weekly'], 'weekly', 'WEEKLY', 'weekly'),
  keep(['-m', '--keep-monthly'], 'monthly', 'MONTHLY', 'monthly'),
  quarterly('--keep-13weekly', 'quarterly_13weekly', 'QUARTERLY_13WEEKLY', '13 weeks'),
  quarterly('--keep-3monthly', 'quarterly_3monthly', 'QUARTERLY_3MONTHLY', '3 months'),
  keep(['-y', '--keep-yearly'], 'yearly', 'YEARLY', 'yearly'),
];
