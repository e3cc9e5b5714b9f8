/**
 * Python's format specification: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
 *
 * Source: Python 3.14, library reference, "Format Specification Mini-Language".
 */
import { formatExponential, formatFixed, formatFloat, formatGeneral } from './python-float.ts';

/** The value and its specification do not go together. */
export class FormatSpecError extends Error {
  override readonly name = 'FormatSpecError';
}

interface FormatSpec {
  fill: string;
  align: '<' | '>' | '=' | '^' | undefined;
  sign: '+' | '-' | ' ' | undefined;
  alternate: boolean;
  width: number;
  grouping: string;
  precision: number | undefined;
  type: string;
}

const MAX_WIDTH = 1_000_000;
const form =
  /^(?:(?<fill>[^])?(?<align>[<>=^]))?(?<sign>[-+ ])?z?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(?:\.(?<precision>\d+))?(?<type>[^])?$/u;

/** Lines of a list have the same few again and again. */
const parsedSpecs = new Map<string, Readonly<FormatSpec>>();
const MAX_PARSED_SPECS = 100;

function formatSpec(text: string): Readonly<FormatSpec> {
  let spec = parsedSpecs.get(text);
  if (spec !== undefined) return spec;
  spec = parseFormatSpec(text);
  if (parsedSpecs.size === MAX_PARSED_SPECS) parsedSpecs.clear();
  parsedSpecs.set(text, spec);
  return spec;
}

function parseFormatSpec(text: string): FormatSpec {
  const groups = form.exec(text)?.groups;
  if (groups === undefined) throw new FormatSpecError(`Invalid format specifier '${text}'`);
  const width = Number(groups['width'] ?? 0);
  if (groups['grouping'] !== undefined && groups['type'] === 'n') {
    throw new FormatSpecError(`Cannot specify '${groups['grouping']}' with 'n'.`);
  }
  const precision = groups['precision'] === undefined ? undefined : Number(groups['precision']);
  if (width > MAX_WIDTH || (precision ?? 0) > MAX_WIDTH) {
    throw new FormatSpecError('Too many decimal digits in format string');
  }
  const zero = groups['zero'] !== undefined;
  return {
    fill: groups['fill'] ?? (zero ? '0' : ' '),
    align: (groups['align'] as FormatSpec['align']) ?? undefined,
    sign: (groups['sign'] as FormatSpec['sign']) ?? undefined,
    alternate: groups['alternate'] !== undefined,
    width,
    grouping: groups['grouping'] ?? '',
    precision,
    type: groups['type'] ?? '',
  };
}

/** Text cut to the precision and padded to the width; both count characters, not cells. */
export function formatString(value: string, text: string): string {
  if (text === '') return value;
  const spec = formatSpec(text);
  if (spec.type !== '' && spec.type !== 's') throw unknownCode(spec.type, 'str');
  if (spec.sign !== undefined) throw new FormatSpecError('Sign not allowed in string format specifier');
  if (spec.alternate) {
    throw new FormatSpecError('Alternate form (#) not allowed in string format specifier');
  }
  if (spec.align === '=') throw new FormatSpecError("'=' alignment not allowed in string format specifier");
  if (spec.grouping !== '') throw new FormatSpecError(`Cannot specify '${spec.grouping}' with 's'.`);
  const shown = spec.precision === undefined ? value : Array.from(value).slice(0, spec.precision).join('');
  return pad('', shown, spec, '<');
}

/** A whole number. */
export function formatInteger(value: number | bigint, text: string): string {
  if (text === '') return String(value);
  const spec = formatSpec(text);
  const { type } = spec;
  if ('eEfFgG%'.includes(type) && type !== '') return formatReal(Number(value), spec);
  if (spec.precision !== undefined) {
    throw new FormatSpecError('Precision not allowed in integer format specifier');
  }
  if ((type === '' || type === 'd') && typeof value === 'number' && Number.isSafeInteger(value)) {
    return pad(signOf(value < 0, spec), String(Math.abs(value)), spec, '>', 3);
  }
  const whole = BigInt(value);
  const magnitude = whole < 0n ? -whole : whole;
  if (type === 'c') {
    if (magnitude > 0x10ffffn || whole < 0n) throw new FormatSpecError('%c arg not in range(0x110000)');
    return pad('', String.fromCodePoint(Number(magnitude)), spec, '>');
  }
  const base = { '': 10, d: 10, n: 10, b: 2, o: 8, x: 16, X: 16 }[type];
  if (base === undefined) throw unknownCode(type, 'int');
  if (spec.grouping === ',' && base !== 10) throw new FormatSpecError(`Cannot specify ',' with '${type}'.`);
  const digits = type === 'X' ? magnitude.toString(base).toUpperCase() : magnitude.toString(base);
  const prefix = spec.alternate && base !== 10 ? `0${type}` : '';
  return pad(signOf(whole < 0n, spec) + prefix, digits, spec, '>', base === 10 ? 3 : 4);
}

/** A real number. */
export function formatNumber(value: number, text: string): string {
  return text === '' ? formatFloat(value) : formatReal(value, formatSpec(text));
}

function formatReal(value: number, spec: FormatSpec): string {
  const magnitude = Math.abs(value);
  const precision = spec.precision ?? 6;
  let digits: string;
  switch (spec.type) {
    case 'f':
    case 'F':
      digits = formatFixed(magnitude, precision);
      break;
    case '%':
      digits = `${formatFixed(magnitude * 100, precision)}%`;
      break;
    case 'e':
    case 'E':
      digits = formatExponential(magnitude, precision);
      break;
    case 'g':
    case 'G':
    case 'n':
      digits = formatGeneral(magnitude, precision, spec.alternate);
      break;
    case '':
      digits = spec.precision === undefined ? formatFloat(magnitude) : formatGeneral(magnitude, precision);
      break;
    default:
      throw unknownCode(spec.type, 'float');
  }
  if ('EFG'.includes(spec.type) && spec.type !== '') digits = digits.toUpperCase();
  return pad(signOf(value < 0 || Object.is(value, -0), spec), digits, spec, '>', 3);
}

function unknownCode(type: string, kind: string): FormatSpecError {
  return new FormatSpecError(`Unknown format code '${type}' for object of type '${kind}'`);
}

function signOf(negative: boolean, spec: FormatSpec): string {
  if (negative) return '-';
  return spec.sign === '+' || spec.sign === ' ' ? spec.sign : '';
}

function pad(prefix: string, body: string, spec: FormatSpec, natural: '<' | '>', group = 0): string {
  // A zero before the width fills between sign and digits of numbers, and behind text.
  const align = spec.align ?? (spec.fill === '0' && group > 0 ? '=' : natural);
  const grouped =
    spec.grouping === '' || group === 0 ? body : groupDigits(body, spec, group, prefix.length, align);
  const missing = spec.width - countCharacters(prefix + grouped);
  if (missing <= 0) return prefix + grouped;
  const left = align === '>' ? missing : align === '^' ? Math.floor(missing / 2) : 0;
  if (align === '=') return prefix + spec.fill.repeat(missing) + grouped;
  return spec.fill.repeat(left) + prefix + grouped + spec.fill.repeat(missing - left);
}

/** A surrogate pair is one character. */
function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}

function groupDigits(
  body: string,
  spec: FormatSpec,
  group: number,
  signWidth: number,
  align: string,
): string {
  const [, digits, rest] = /^([0-9a-fA-F]*)([^]*)$/.exec(body)!;
  const separate = (text: string): string =>
    text.replace(new RegExp(`(?<=[^])(?=(?:[^]{${group}})+$)`, 'g'), spec.grouping);
  let text = digits!;
  // Zeros that fill the width are grouped with the digits.
  if (align === '=' && spec.fill === '0') {
    while (separate(text).length + rest!.length + signWidth < spec.width) text = `0${text}`;
  }
  return separate(text) + rest!;
}
