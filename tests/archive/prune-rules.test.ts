import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import * as fc from '../properties.ts';
import {
  archivesToKeep,
  hasRule,
  PERIOD_RULES,
  type DatedArchive,
  type PeriodRule,
  type RetentionPolicy,
} from '../../src/archive/prune-rules.ts';

const zoneBefore = process.env['TZ'];
afterEach(() => setZone(zoneBefore));

function setZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
}

/** Named by their times, newest first. */
function archives(...times: string[]): DatedArchive[] {
  return times
    .map((name) => ({ name, timeNs: BigInt(Date.parse(name)) * 1_000_000n }))
    .toSorted((a, b) => (a.timeNs < b.timeNs ? 1 : -1));
}

/** Names and rules as `prune --list` shows them, newest first. */
function kept(all: DatedArchive[], policy: RetentionPolicy, now = '2026-11-22T00:00:00Z'): string[] {
  const reasons = archivesToKeep(all, policy, BigInt(Date.parse(now)) * 1_000_000n);
  return all.flatMap(({ name }) => {
    const reason = reasons.get(name);
    return reason === undefined ? [] : [`${name} ${reason.rule} #${reason.number}`];
  });
}

interface Row {
  title: string;
  zone?: string;
  times: string[];
  policy: RetentionPolicy;
  expected: string[];
}

const table: Row[] = [
  { title: 'nothing where there is nothing', times: [], policy: { daily: 3 }, expected: [] },
  {
    title: 'the last archive of each day, and the first one of all while days are too few',
    times: ['2026-01-01T08:00Z', '2026-01-01T20:00Z', '2026-01-02T08:00Z', '2026-01-02T20:00Z'],
    policy: { daily: 7 },
    expected: [
      '2026-01-02T20:00Z daily #1',
      '2026-01-01T20:00Z daily #2',
      '2026-01-01T08:00Z daily[oldest] #3',
    ],
  },
  {
    title: 'no first archive where the rule has what it wants',
    times: ['2026-01-01T08:00Z', '2026-01-01T20:00Z', '2026-01-02T08:00Z'],
    policy: { daily: 2 },
    expected: ['2026-01-02T08:00Z daily #1', '2026-01-01T20:00Z daily #2'],
  },
  {
    title: 'all periods, but not the first archive, with a negative number',
    times: ['2024-01-01T08:00Z', '2024-01-02T08:00Z', '2025-05-05T08:00Z'],
    policy: { yearly: -1 },
    expected: ['2025-05-05T08:00Z yearly #1', '2024-01-02T08:00Z yearly #2'],
  },
  {
    title: 'as many days as it can, not counting those without archives',
    times: ['2026-01-01T08:00Z', '2026-02-01T08:00Z', '2026-03-01T08:00Z'],
    policy: { daily: 2 },
    expected: ['2026-03-01T08:00Z daily #1', '2026-02-01T08:00Z daily #2'],
  },
  {
    title: 'for a later rule what an earlier one does not keep, from periods that have nothing kept yet',
    times: ['2026-01-10T08:00Z', '2026-01-31T08:00Z', '2026-02-01T08:00Z'],
    policy: { daily: 1, monthly: 1 },
    expected: ['2026-02-01T08:00Z daily #1', '2026-01-31T08:00Z monthly #1'],
  },
  {
    title: 'the last archive of each week, from Monday on, in the year of its Thursday',
    // A Sunday, a Monday; Thursday 2026-01-01 is in week 1 of 2026, so Monday 2025-12-29 is, too.
    times: [
      '2025-12-28T12:00Z',
      '2025-12-29T12:00Z',
      '2026-01-01T12:00Z',
      '2026-01-04T12:00Z',
      '2026-01-05T12:00Z',
    ],
    policy: { weekly: -1 },
    expected: ['2026-01-05T12:00Z weekly #1', '2026-01-04T12:00Z weekly #2', '2025-12-28T12:00Z weekly #3'],
  },
  {
    title: 'the last archive of each 13 weeks, the last one of 14 in a year of 53 weeks',
    // 2026 has 53 weeks: week 39 ends on September 27th, week 53 on January 3rd.
    times: [
      '2026-03-29T12:00Z',
      '2026-03-30T12:00Z',
      '2026-09-27T12:00Z',
      '2026-09-28T12:00Z',
      '2027-01-03T12:00Z',
      '2027-01-04T12:00Z',
    ],
    policy: { quarterly_13weekly: -1 },
    expected: [
      '2027-01-04T12:00Z quarterly_13weekly #1',
      '2027-01-03T12:00Z quarterly_13weekly #2',
      '2026-09-27T12:00Z quarterly_13weekly #3',
      '2026-03-30T12:00Z quarterly_13weekly #4',
      '2026-03-29T12:00Z quarterly_13weekly #5',
    ],
  },
  {
    title: 'the last archive of each quarter of a year',
    times: [
      '2026-03-31T12:00Z',
      '2026-04-01T12:00Z',
      '2026-06-30T12:00Z',
      '2026-07-01T12:00Z',
      '2026-10-01T12:00Z',
    ],
    policy: { quarterly_3monthly: 10 },
    expected: [
      '2026-10-01T12:00Z quarterly_3monthly #1',
      '2026-07-01T12:00Z quarterly_3monthly #2',
      '2026-06-30T12:00Z quarterly_3monthly #3',
      '2026-03-31T12:00Z quarterly_3monthly #4',
    ],
  },
  {
    title: 'all that is younger than a time, to the nanosecond, which does not count for other rules',
    times: ['2026-11-20T23:59:59Z', '2026-11-21T00:00:00Z', '2026-11-21T00:00:01Z', '2026-11-21T12:00Z'],
    policy: { withinHours: 24, daily: 1 },
    expected: [
      '2026-11-21T12:00Z within #1',
      '2026-11-21T00:00:01Z within #2',
      '2026-11-20T23:59:59Z daily #1',
    ],
  },
  {
    title: 'one archive of each day of the local time zone',
    zone: 'Pacific/Auckland',
    // Noon UTC is midnight there, or one o'clock in summer.
    times: ['2026-06-01T11:59:59Z', '2026-06-01T12:00:00Z', '2026-06-02T11:59:59Z'],
    policy: { daily: -1 },
    expected: ['2026-06-02T11:59:59Z daily #1', '2026-06-01T11:59:59Z daily #2'],
  },
  {
    title: 'one archive of each year of the local time zone',
    zone: 'America/New_York',
    times: ['2025-12-31T23:00Z', '2026-01-01T04:59Z', '2026-01-01T05:00Z'],
    policy: { yearly: -1 },
    expected: ['2026-01-01T05:00Z yearly #1', '2026-01-01T04:59Z yearly #2'],
  },
  {
    title: 'one archive of the hour that the clock shows twice',
    zone: 'Europe/Berlin',
    times: ['2024-10-26T23:30Z', '2024-10-27T00:30Z', '2024-10-27T01:30Z', '2024-10-27T02:30Z'],
    policy: { hourly: -1 },
    expected: ['2024-10-27T02:30Z hourly #1', '2024-10-27T01:30Z hourly #2', '2024-10-26T23:30Z hourly #3'],
  },
  {
    title: 'minutes of that hour that others lie between',
    zone: 'Europe/Berlin',
    times: ['2024-10-27T00:10Z', '2024-10-27T00:40Z', '2024-10-27T01:10Z'],
    policy: { minutely: -1 },
    expected: [
      '2024-10-27T01:10Z minutely #1',
      '2024-10-27T00:40Z minutely #2',
      '2024-10-27T00:10Z minutely #3',
    ],
  },
  {
    title: 'hours on both sides of the one that the clock leaves out',
    zone: 'Europe/Berlin',
    times: ['2024-03-31T00:59Z', '2024-03-31T01:00Z', '2024-03-31T01:30Z'],
    policy: { hourly: -1 },
    expected: ['2024-03-31T01:30Z hourly #1', '2024-03-31T00:59Z hourly #2'],
  },
];

/** The first moment of the period that a time belongs to; for weeks counted from a Monday. */
const starts: Readonly<Record<PeriodRule, (date: Date) => number>> = {
  secondly: (date) => Math.floor(date.getTime() / 1000),
  minutely: (date) => Math.floor(date.getTime() / 60_000),
  hourly: (date) => Math.floor(date.getTime() / 3_600_000),
  daily: (date) => day(date),
  weekly: (date) => Math.floor((day(date) + 3) / 7),
  monthly: (date) => date.getUTCFullYear() * 12 + date.getUTCMonth(),
  quarterly_13weekly: (date) => quarterOfWeeks(date),
  quarterly_3monthly: (date) => date.getUTCFullYear() * 4 + Math.floor(date.getUTCMonth() / 3),
  yearly: (date) => date.getUTCFullYear(),
};

function day(date: Date): number {
  return Math.floor(date.getTime() / 86_400_000);
}

/** Weeks are counted by walking back to the first one of their year. */
function quarterOfWeeks(date: Date): number {
  const thursday = new Date((Math.floor((day(date) + 3) / 7) * 7 - 3 + 3) * 86_400_000);
  const year = thursday.getUTCFullYear();
  let weeks = 0;
  for (let at = thursday.getTime(); new Date(at).getUTCFullYear() === year; at -= 7 * 86_400_000) weeks += 1;
  return year * 4 + (weeks <= 13 ? 0 : weeks <= 26 ? 1 : weeks <= 39 ? 2 : 3);
}

/** The rules again, as the manual tells them: by sets, rule after rule. */
function keptByModel(all: readonly DatedArchive[], policy: RetentionPolicy): Set<string> {
  const result = new Set<string>();
  for (const rule of PERIOD_RULES) {
    const count = policy[rule] ?? 0;
    if (count === 0) continue;
    const latest = new Map<number, DatedArchive>();
    for (const archive of all) {
      const start = starts[rule](new Date(Number(archive.timeNs / 1_000_000n)));
      if (!latest.has(start)) latest.set(start, archive);
    }
    const candidates = [...latest.values()].filter(({ name }) => !result.has(name));
    for (const { name } of count < 0 ? candidates : candidates.slice(0, count)) result.add(name);
    if (candidates.length < count) result.add(all.at(-1)!.name);
  }
  return result;
}

describe('archivesToKeep()', () => {
  for (const { title, zone, times, policy, expected } of table) {
    it(`keeps ${title}`, () => {
      setZone(zone ?? 'UTC');
      assert.deepEqual(kept(archives(...times), policy), expected);
    });
  }

  it('keeps what a model of the manual keeps', () => {
    setZone('UTC');
    const from = Date.parse('2019-12-20T00:00:00Z') / 1000;
    const times = fc.oneof(
      fc.integer({ min: from, max: from + 7 * 366 * 86_400 }),
      fc.integer({ min: from, max: from + 3 * 86_400 }),
    );
    const count = fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 6 }));
    const policy = fc.record(Object.fromEntries(PERIOD_RULES.map((rule) => [rule, count])));
    fc.assert(
      fc.property(fc.uniqueArray(times, { minLength: 1, maxLength: 60 }), policy, (seconds, rules) => {
        const all = seconds
          .toSorted((a, b) => b - a)
          .map((second) => ({ name: String(second), timeNs: BigInt(second) * 1_000_000_000n }));
        const found = archivesToKeep(all, rules, 0n);
        assert.deepEqual([...found.keys()].toSorted(), [...keptByModel(all, rules)].toSorted());
      }),
      { numRuns: 300 },
    );
  });
});

describe('hasRule()', () => {
  it('says that a policy without rules, or with zeros alone, has none', () => {
    assert.equal(hasRule({}), false);
    assert.equal(hasRule({ daily: 0, withinHours: 0 }), false);
    assert.equal(hasRule({ yearly: -1 }), true);
    assert.equal(hasRule({ withinHours: 1 }), true);
  });
});
