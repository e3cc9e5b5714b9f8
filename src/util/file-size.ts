/**
 * Sizes for people.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, format_file_size, sizeof_fmt.
 */
import { formatFixed, roundHalfEven } from './python-float.ts';

const DECIMAL_UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const BINARY_UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];

export interface FileSizeOptions {
  /** Digits behind the point, for sizes above the first unit. Default 2. */
  precision?: number;
  /** A plus before positive sizes. */
  sign?: boolean;
  /** Units of 1024 bytes (KiB) instead of 1000 (kB). */
  iec?: boolean;
}

/** E.g. `1.23 MB`, `12 B`. */
export function formatFileSize(sizeBytes: number, options: FileSizeOptions = {}): string {
  const { precision = 2, sign = false, iec = false } = options;
  const power = iec ? 1024 : 1000;
  const units = iec ? BINARY_UNITS : DECIMAL_UNITS;
  const plus = sign && sizeBytes > 0 ? '+' : '';
  let value = sizeBytes;
  let digits = 0;
  let unit = 0;
  while (unit < units.length - 1 && Math.abs(roundHalfEven(value, precision)) >= power) {
    value /= power;
    digits = precision;
    unit += 1;
  }
  return `${plus}${formatFixed(value, digits)} ${units[unit]}B`;
}

const FACTORS: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

/** `1234`, `55G`, `1.7T`: suffixes are powers of 1000. Throws a RangeError on anything else. */
export function parseFileSize(text: string): number {
  const factor = FACTORS[text.at(-1) ?? ''];
  const digits = factor === undefined ? text : text.slice(0, -1);
  if (!/^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$/.test(digits)) {
    throw new RangeError(`not a file size: ${JSON.stringify(text)}`);
  }
  const sizeBytes = Math.trunc(Number(digits) * (factor ?? 1));
  if (!Number.isSafeInteger(sizeBytes))
    throw new RangeError(`file size out of range: ${JSON.stringify(text)}`);
  return sizeBytes;
}
