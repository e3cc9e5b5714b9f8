/**
 * Dates and clock times as a calendar shows them, with microseconds, and with or without a time zone.
 *
 * Source: Borg 1.4.5, helpers/time.py; Python 3.14, documentation of `datetime`.
 */
import { strftime } from './strftime.ts';

export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
  /** Where the time knows its zone; otherwise `%z` and `%Z` are empty. */
  readonly zone?: { readonly offsetMinutes: number; readonly name: string };
}

const ISO_FORMAT_NO_USECS = '%Y-%m-%dT%H:%M:%S';
const ISO_FORMAT = `${ISO_FORMAT_NO_USECS}.%f`;
const HUMAN_DATE_FORMAT = '%a, %Y-%m-%d';

/** Latest time that Borg shows: two days before 32 bits of seconds run out. */
const MAX_SECONDS = 2 ** 31 - 1 - 48 * 3600;
const MAX_NS = BigInt(MAX_SECONDS) * 1_000_000_000n;

/** The process's time zone; `aware` says whether the result knows it. */
export function localTime(epochUs: bigint, aware = false): WallTime {
  const { seconds, microsecond } = split(epochUs);
  const time = localTimeOf(seconds, microsecond);
  if (!aware) return time;
  const date = new Date(seconds * 1000);
  const offsetMinutes = -date.getTimezoneOffset() || 0;
  const zone = {
    offsetMinutes,
    /** Only where it is asked for: to find it out takes 15 ms. */
    get name(): string {
      return zoneName(date, offsetMinutes);
    },
  };
  return { ...time, zone };
}

function localTimeOf(seconds: number, microsecond: number): WallTime {
  const date = new Date(seconds * 1000);
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    microsecond,
  };
}

export function utcTime(epochUs: bigint): WallTime {
  const { seconds, microsecond } = split(epochUs);
  const date = new Date(seconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    microsecond,
    zone: { offsetMinutes: 0, name: 'UTC' },
  };
}

/** The local time of an archive: Borg shows it without its fraction of a second. */
export function archiveLocalTime(epochUs: bigint): WallTime {
  return localTimeOf(split(epochUs).seconds, 0);
}

/** The local time of an item: clamped to what Borg shows, rounded to microseconds by way of a float, as there. */
export function itemLocalTime(epochNs: bigint): WallTime {
  const clamped = epochNs < 0n ? 0n : epochNs > MAX_NS ? MAX_NS : epochNs;
  const value = Number(clamped) / 1e9;
  const seconds = Math.trunc(value);
  const fraction = (value - seconds) * 1e6;
  const floor = Math.floor(fraction);
  const up = fraction - floor > 0.5 || (fraction - floor === 0.5 && floor % 2 === 1);
  const microsecond = up ? floor + 1 : floor;
  return microsecond < 1_000_000 ? localTimeOf(seconds, microsecond) : localTimeOf(seconds + 1, 0);
}

/** With a `%` format, or as people read it: `Sun, 2026-11-22 13:00:00`. */
export function formatTime(time: WallTime, format = ''): string {
  return format === '' ? humanTime(time) : strftime(time, format);
}

/** What strftime() makes of `HUMAN_DATE_FORMAT %H:%M:%S`, in less time: most lines of lists have one. */
function humanTime(time: WallTime): string {
  const { year, month, day, hour, minute, second } = time;
  const number = (year * 100 + month) * 100 + day;
  let date = humanDates.get(number);
  if (date === undefined) {
    date = strftime(time, HUMAN_DATE_FORMAT);
    if (humanDates.size === MAX_HUMAN_DATES) humanDates.clear();
    humanDates.set(number, date);
  }
  return `${date} ${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[second]}`;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
/** Lists have the same days again and again. */
const humanDates = new Map<number, string>();
const MAX_HUMAN_DATES = 1000;

/** `2026-11-22T13:00:00.000000`: the form in JSON and in metadata. */
export function formatIsoTime(time: WallTime): string {
  return strftime(time, ISO_FORMAT);
}

/** Without microseconds: what {now} and {utcnow} stand for. */
export function formatIsoTimeSeconds(time: WallTime): string {
  return strftime(time, ISO_FORMAT_NO_USECS);
}

function split(epochUs: bigint): { seconds: number; microsecond: number } {
  const microsecond = ((epochUs % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { seconds: Number((epochUs - microsecond) / 1_000_000n), microsecond: Number(microsecond) };
}

/** The zone's abbreviation; where no English one is known, its offset, as the zone database has it. */
function zoneName(date: Date, offsetMinutes: number): string {
  for (const locale of ['en-US', 'en-GB', 'en-AU']) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(date);
    const name = parts.find((part) => part.type === 'timeZoneName')?.value;
    if (name !== undefined && /^[A-Z]{3,5}$/.test(name)) return name;
  }
  const minutes = Math.abs(offsetMinutes);
  const text = String(Math.trunc(minutes / 60)).padStart(2, '0');
  const rest = minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${text}${rest}`;
}
