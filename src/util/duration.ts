/**
 * Spans of time: shown to people, and given on the command line.
 *
 * Source: Borg 1.4.5, helpers/time.py, format_timedelta; helpers/parseformat.py, interval.
 */
import { formatFixed } from './python-float.ts';

/** E.g. `1 hours 2 minutes 3.00 seconds`; `durationUs` in microseconds. */
export function formatDuration(durationUs: bigint): string {
  const days = floorDivide(durationUs, 86_400_000_000n);
  const seconds = Number(durationUs) / 1e6;
  const remainder = seconds < 0 ? positiveModulo(seconds, 60) : seconds % 60;
  const minutes = positiveModulo(Math.trunc(seconds / 60), 60);
  const hours = positiveModulo(Math.trunc(seconds / 3600), 24);
  let text = `${formatFixed(remainder, 2)} seconds`;
  if (minutes !== 0) text = `${minutes} minutes ${text}`;
  if (hours !== 0) text = `${hours} hours ${text}`;
  if (days !== 0n) text = `${days} days ${text}`;
  return text;
}

const HOURS: Readonly<Record<string, number>> = { H: 1, d: 24, w: 24 * 7, m: 24 * 31, y: 24 * 365 };

/** Hours of an interval such as 12H, 3d, 4w, 6m, 1y; throws a RangeError with Borg's text. */
export function parseIntervalHours(text: string): number {
  const suffix = text.slice(-1);
  const factor = Object.hasOwn(HOURS, suffix) ? HOURS[suffix] : undefined;
  if (factor === undefined) {
    throw new RangeError(
      `Unexpected interval time unit "${suffix}": expected one of ['H', 'd', 'w', 'm', 'y']`,
    );
  }
  const number = text.slice(0, -1);
  const hours = /^\s*[+-]?\d+(?:_\d+)*\s*$/.test(number)
    ? Number(number.trim().replaceAll('_', '')) * factor
    : -1;
  if (hours <= 0) {
    throw new RangeError(`Unexpected interval number "${number}": expected an integer greater than 0`);
  }
  return hours;
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function positiveModulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
