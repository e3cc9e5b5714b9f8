/**
 * Time formats with `%` directives as the C library's strftime has them, in the C locale, with Python's additions.
 *
 * Source: Python 3.14, documentation of `datetime` (format codes); POSIX and glibc, strftime(3).
 */
import type { WallTime } from './wall-time.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAY_MS = 86_400_000;

/** A number with the width and the filling that its directive has by itself, and as these make it. */
interface Padded {
  readonly value: number;
  readonly width: number;
  readonly fill: '0' | ' ';
  readonly text: string;
}

type Piece = string | ((time: WallTime) => string);

/** Lists of times have the same few formats again and again. */
const parsedFormats = new Map<string, readonly Piece[]>();
const MAX_PARSED_FORMATS = 100;

/** An unknown directive stays as it is. */
export function strftime(time: WallTime, format: string): string {
  let pieces = parsedFormats.get(format);
  if (pieces === undefined) {
    pieces = parse(format);
    if (parsedFormats.size === MAX_PARSED_FORMATS) parsedFormats.clear();
    parsedFormats.set(format, pieces);
  }
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : piece(time);
  return text;
}

function parse(format: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of format.matchAll(/%(:z|([_\-0^#+]*)(\d*)([EO]?)([^]))/g)) {
    const [whole, all, flags = '', width = '', _modifier, letter = ''] = match;
    if (match.index > end) pieces.push(format.slice(end, match.index));
    end = match.index + whole.length;
    if (all === ':z') pieces.push((time) => offset(time, ':'));
    else {
      pieces.push((time) => {
        const value = directive(time, letter);
        return value === undefined ? whole : padded(value, flags, width);
      });
    }
  }
  pieces.push(format.slice(end));
  return pieces;
}

function padded(value: string | Padded, flags: string, width: string): string {
  if (flags === '' && width === '') return typeof value === 'string' ? value : value.text;
  const flag = /[_\-0+]/.exec(flags.split('').toReversed().join(''))?.[0];
  let text: string;
  if (typeof value === 'string') {
    text = value.padStart(Number(width), flag === '0' || flag === '+' ? '0' : ' ');
  } else {
    const fill = flag === '_' ? ' ' : flag === '0' || flag === '+' ? '0' : value.fill;
    const size = width === '' ? value.width : Number(width);
    text = flag === '-' ? String(value.value) : String(value.value).padStart(size, fill);
  }
  if (flags.includes('^')) return text.toUpperCase();
  if (flags.includes('#') && typeof value === 'string' && !value.includes(' '))
    return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
  return text;
}

function number(value: number, width = 2, fill: '0' | ' ' = '0'): Padded {
  const made = width === 2 && fill === '0' ? TWO_DIGITS[value] : undefined;
  return made ?? pad(value, width, fill);
}

function pad(value: number, width: number, fill: '0' | ' '): Padded {
  return { value, width, fill, text: String(value).padStart(width, fill) };
}

/** What most directives give. */
const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => pad(value, 2, '0'));

function directive(time: WallTime, letter: string): string | Padded | undefined {
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12;
  switch (letter) {
    case '%':
      return '%';
    case 'a':
      return DAYS[weekday(time)]!.slice(0, 3);
    case 'A':
      return DAYS[weekday(time)]!;
    case 'b':
    case 'h':
      return MONTHS[time.month - 1]!.slice(0, 3);
    case 'B':
      return MONTHS[time.month - 1]!;
    case 'c':
      return strftime(time, '%a %b %e %H:%M:%S %Y');
    case 'C':
      return number(Math.floor(time.year / 100));
    case 'd':
      return number(time.day);
    case 'D':
    case 'x':
      return strftime(time, '%m/%d/%y');
    case 'e':
      return number(time.day, 2, ' ');
    case 'f':
      return number(time.microsecond, 6);
    case 'F':
      return strftime(time, '%Y-%m-%d');
    case 'g':
      return number(isoWeek(time).year % 100);
    case 'G':
      return number(isoWeek(time).year, 4);
    case 'H':
      return number(time.hour);
    case 'I':
      return number(hour12);
    case 'j':
      return number(yearDay(time), 3);
    case 'k':
      return number(time.hour, 2, ' ');
    case 'l':
      return number(hour12, 2, ' ');
    case 'm':
      return number(time.month);
    case 'M':
      return number(time.minute);
    case 'n':
      return '\n';
    case 'p':
      return time.hour < 12 ? 'AM' : 'PM';
    case 'P':
      return time.hour < 12 ? 'am' : 'pm';
    case 'r':
      return strftime(time, '%I:%M:%S %p');
    case 'R':
      return strftime(time, '%H:%M');
    case 's':
      return number(secondsOfLocalFields(time), 1);
    case 'S':
      return number(time.second);
    case 't':
      return '\t';
    case 'T':
    case 'X':
      return strftime(time, '%H:%M:%S');
    case 'u':
      return number(weekday(time) || 7, 1);
    case 'U':
      return number(Math.floor((yearDay(time) - 1 + 7 - weekday(time)) / 7));
    case 'V':
      return number(isoWeek(time).week);
    case 'w':
      return number(weekday(time), 1);
    case 'W':
      return number(Math.floor((yearDay(time) - 1 + 7 - ((weekday(time) + 6) % 7)) / 7));
    case 'y':
      return number(time.year % 100);
    case 'Y':
      return number(time.year, 4);
    case 'z':
      return offset(time, '');
    case 'Z':
      return time.zone?.name ?? '';
    default:
      return undefined;
  }
}

function offset(time: WallTime, separator: string): string {
  if (time.zone === undefined) return '';
  const minutes = Math.abs(time.zone.offsetMinutes);
  const hours = String(Math.trunc(minutes / 60)).padStart(2, '0');
  return `${time.zone.offsetMinutes < 0 ? '-' : '+'}${hours}${separator}${String(minutes % 60).padStart(2, '0')}`;
}

/** What mktime() makes of the fields: taken for local time, whatever zone they are in. */
function secondsOfLocalFields(time: WallTime): number {
  const date = new Date(time.year, time.month - 1, time.day, time.hour, time.minute, time.second);
  return Math.floor(date.getTime() / 1000);
}

function dayNumber(time: WallTime): number {
  return Math.round(Date.UTC(time.year, time.month - 1, time.day) / DAY_MS);
}

/** 0 is Sunday. */
export function weekday(time: WallTime): number {
  return (((dayNumber(time) + 4) % 7) + 7) % 7;
}

/** 1 is January 1st. */
function yearDay(time: WallTime): number {
  return dayNumber(time) - Math.round(Date.UTC(time.year, 0, 1) / DAY_MS) + 1;
}

/** The ISO 8601 week: the one that its Thursday's year counts. */
export function isoWeek(time: WallTime): { year: number; week: number } {
  const thursday = dayNumber(time) - ((weekday(time) + 6) % 7) + 3;
  const year = new Date(thursday * DAY_MS).getUTCFullYear();
  const first = Math.round(Date.UTC(year, 0, 1) / DAY_MS);
  return { year, week: Math.floor((thursday - first) / 7) + 1 };
}
