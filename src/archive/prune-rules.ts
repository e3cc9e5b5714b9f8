/**
 * Which archives a retention policy keeps. Times are those of the local time zone; weeks go from Monday to Sunday.
 *
 * Source: Borg 1.4.5, helpers/misc.py, prune_within, prune_split and PRUNING_PATTERNS.
 */
import { isoWeek, strftime } from '../util/strftime.ts';
import { archiveLocalTime, type WallTime } from '../util/wall-time.ts';

/** What names the period that a time belongs to, by rule, in the order in which the rules are applied. */
const PERIODS = {
  secondly: (time: WallTime) => strftime(time, '%Y-%m-%d %H:%M:%S'),
  minutely: (time: WallTime) => strftime(time, '%Y-%m-%d %H:%M'),
  hourly: (time: WallTime) => strftime(time, '%Y-%m-%d %H'),
  daily: (time: WallTime) => strftime(time, '%Y-%m-%d'),
  weekly: (time: WallTime) => strftime(time, '%G-%V'),
  monthly: (time: WallTime) => strftime(time, '%Y-%m'),
  quarterly_13weekly: (time: WallTime) => {
    const { year, week } = isoWeek(time);
    // Years of 53 weeks have a last quarter of 14.
    return `${year}-${Math.min(Math.ceil(week / 13), 4)}`;
  },
  quarterly_3monthly: (time: WallTime) => `${time.year}-${Math.ceil(time.month / 3)}`,
  yearly: (time: WallTime) => strftime(time, '%Y'),
} as const;

/** A rule by its name in the output. */
export type PeriodRule = keyof typeof PERIODS;

export const PERIOD_RULES = Object.keys(PERIODS) as PeriodRule[];

/** How many archives each rule keeps: 0 for none, a negative number for all. */
export interface RetentionPolicy extends Readonly<Partial<Record<PeriodRule, number>>> {
  /** Keeps all archives younger than that. */
  readonly withinHours?: number | undefined;
}

/** The rule that keeps an archive; it is the rule's `number`th. */
export interface KeepReason {
  /** `within`, a period's rule, or one with `[oldest]` behind it for the first archive of all. */
  readonly rule: string;
  readonly number: number;
}

export interface DatedArchive {
  readonly name: string;
  readonly timeNs: bigint;
}

/** Whether the policy keeps anything at all; one that does not is surely a mistake. */
export function hasRule(policy: RetentionPolicy): boolean {
  return Boolean(policy.withinHours) || PERIOD_RULES.some((rule) => Boolean(policy[rule]));
}

/** The archives to keep, by name, and why. `newestFirst` must be so. */
export function archivesToKeep(
  newestFirst: readonly DatedArchive[],
  policy: RetentionPolicy,
  nowNs: bigint,
): Map<string, KeepReason> {
  const kept = new Map<string, KeepReason>();
  if (policy.withinHours) keepWithin(newestFirst, policy.withinHours, nowNs, kept);
  for (const rule of PERIOD_RULES) keepByPeriod(newestFirst, rule, policy[rule] ?? 0, kept);
  return kept;
}

function keepWithin(
  newestFirst: readonly DatedArchive[],
  hours: number,
  nowNs: bigint,
  kept: Map<string, KeepReason>,
): void {
  const oldestNs = nowNs - BigInt(hours) * 3_600_000_000_000n;
  let number = 0;
  for (const { name, timeNs } of newestFirst) {
    if (timeNs > oldestNs) kept.set(name, { rule: 'within', number: ++number });
  }
}

/** The last archive of each period, from the newest on. One that an earlier rule keeps uses its period up, too. */
function keepByPeriod(
  newestFirst: readonly DatedArchive[],
  rule: PeriodRule,
  count: number,
  kept: Map<string, KeepReason>,
): void {
  if (count === 0) return;
  let number = 0;
  let last: string | undefined;
  for (const { name, timeNs } of newestFirst) {
    const period = PERIODS[rule](archiveLocalTime(timeNs / 1000n));
    if (period === last) continue;
    last = period;
    if (kept.has(name)) continue;
    kept.set(name, { rule, number: ++number });
    if (number === count) return;
  }
  // Too few periods yet: the first archive of all stays, so that it can grow old enough for this rule.
  const oldest = newestFirst.at(-1);
  if (oldest === undefined || number >= count || kept.has(oldest.name)) return;
  kept.set(oldest.name, { rule: `${rule}[oldest]`, number: number + 1 });
}
