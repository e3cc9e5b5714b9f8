/**
 * Points in time as text, UTC without a zone: `2024-01-31T12:00:00.123456`; the fraction may be absent when read.
 *
 * Source: Borg 1.4.5 constants.py, ISO_FORMAT; helpers/time.py, parse_timestamp(); helpers/manifest.py, write().
 */
import { MetadataError } from './metadata-fields.ts';

const NS_PER_US = 1000n;
const NS_PER_MS = 1_000_000n;
const MIN_NS = BigInt(Date.parse('0001-01-01T00:00:00Z')) * NS_PER_MS;
const MAX_NS = BigInt(Date.parse('9999-12-31T23:59:59.999Z')) * NS_PER_MS + 999_999n;

/** Text with microseconds; what is finer is cut off. Throws a RangeError outside the years 1 to 9999. */
export function encodeTimestamp(timeNs: bigint): string {
  if (timeNs < MIN_NS || timeNs > MAX_NS) throw new RangeError('the time is outside the years 1 to 9999');
  const us = floorDivide(timeNs, NS_PER_US);
  const ms = floorDivide(us, 1000n);
  const iso = new Date(Number(ms)).toISOString();
  return `${iso.slice(0, -1)}${String(us - ms * 1000n).padStart(3, '0')}`;
}

/** Throws a MetadataError on anything else, and on days and hours that do not exist. */
export function decodeTimestamp(text: string): bigint {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) throw new MetadataError(`not a timestamp: ${JSON.stringify(text)}`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, Math.min(second, 59));
  const exists =
    year >= 1 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!exists) throw new MetadataError(`no such time: ${JSON.stringify(text)}`);
  const us = BigInt((match[7] ?? '').padEnd(6, '0'));
  return BigInt(date.getTime()) * NS_PER_MS + us * NS_PER_US;
}

/** The time to write next: now, but at least a microsecond after the previous one, whatever the clock says. */
export function nextTimestamp(previous: string | undefined, nowNs: bigint): string {
  const now = encodeTimestamp(nowNs);
  if (previous === undefined || previous === '') return now;
  const least = encodeTimestamp(decodeTimestamp(previous) + NS_PER_US);
  return least > now ? least : now;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
