/**
 * Parse functions of option values. Their error texts are those of Borg's parser, so that a script that looks at them
 * finds the same: a text of its own where Borg has one, `invalid NAME value: 'TEXT'` where Python gave it.
 *
 * Source: Borg 1.4.5 helpers/parseformat.py.
 */
import { parseFileSize } from '../../util/file-size.ts';
import { suggestion } from '../suggestion.ts';
import { InvalidValue, type ParseValue } from './option.ts';

export function invalidValue(name: string, text: string): InvalidValue {
  return new InvalidValue(`invalid ${name} value: '${text}'`);
}

/** As Python's int(): sign, digits, single underscores between digits, white space around. */
function pythonInteger(text: string): number | undefined {
  const match = /^[+-]?\d+(?:_\d+)*$/.exec(text.trim());
  return match === null ? undefined : Number(match[0].replaceAll('_', ''));
}

export const parseInteger: ParseValue = (text) => {
  const value = pythonInteger(text);
  if (value === undefined) throw invalidValue('int', text);
  return value;
};

export const parsePositiveInteger: ParseValue = (text) => {
  const value = pythonInteger(text);
  if (value === undefined) throw invalidValue('positive_int_validator', text);
  if (value <= 0) throw new InvalidValue(`A positive integer is required: ${text}`);
  return value;
};

/** A number from 0 to 100, with or without a sign behind it. */
export const parsePercent: ParseValue = (text) => {
  const value = /^\s*\d+(?:\.\d+)?\s*%?\s*$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(value <= 100)) throw new InvalidValue(`a percentage from 0 to 100 is required: ${text}`);
  return value;
};

/** As Python's int() for base 8, but for negative numbers, which no mode is. */
export const parseOctal: ParseValue = (text) => {
  const match = /^\+?(?:0[oO]_?)?([0-7]+(?:_[0-7]+)*)$/.exec(text.trim());
  if (match === null) throw invalidValue('<lambda>', text);
  return Number.parseInt(match[1]!.replaceAll('_', ''), 8);
};

export const parseNonEmptyPath: ParseValue = (text) => {
  if (text === '') throw new InvalidValue('Empty strings are not accepted as paths.');
  return text;
};

/** Keys that archives can be sorted by, as the user names them. */
export const SORT_KEYS = ['timestamp', 'archive', 'name', 'id'] as const;

/** A comma-separated list of sort keys, as the manifest names them. */
export const parseSortKeys: ParseValue = (text) => {
  for (const token of text.split(',')) {
    if (!(SORT_KEYS as readonly string[]).includes(token)) {
      throw new InvalidValue(`Invalid sort key: ${token}`, suggestion(token, SORT_KEYS));
    }
  }
  return text.replaceAll('timestamp', 'ts').replaceAll('archive', 'name').split(',');
};

const MIN_QUOTA_BYTES = 10_000_000;

export const parseStorageQuota: ParseValue = (text) => {
  let sizeBytes: number;
  try {
    sizeBytes = parseFileSize(text);
  } catch {
    throw invalidValue('parse_storage_quota', text);
  }
  if (sizeBytes !== 0 && sizeBytes < MIN_QUOTA_BYTES) {
    throw new InvalidValue(`quota is too small (${text}). At least 10M are required.`);
  }
  return sizeBytes;
};

const filesCacheLetters: Readonly<Record<string, string>> = {
  ctime: 'c',
  disabled: 'd',
  inode: 'i',
  mtime: 'm',
  rechunk: 'r',
  size: 's',
};
/** What a files cache mode is put together from. */
export const FILES_CACHE_MODES: readonly string[] = Object.keys(filesCacheLetters);

const filesCacheModes = ['cis', 'ims', 'cs', 'ms', 'cr', 'mr', 'd', 's'];

/** The letters of a files cache mode in alphabetic order, e.g. `cis`. */
export const parseFilesCacheMode: ParseValue = (text) => {
  const entries = new Set(text.trim().split(','));
  const letters = [...entries].map((entry) => filesCacheLetters[entry]);
  if (letters.includes(undefined)) {
    const names = Object.keys(filesCacheLetters).join(',');
    throw new InvalidValue(`cache mode must be a comma-separated list of: ${names}`);
  }
  const mode = letters
    .map(String)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join('');
  if (!filesCacheModes.includes(mode)) {
    throw new InvalidValue(`cache mode short must be one of: ${filesCacheModes.join(',')}`);
  }
  return mode;
};

/** Evaluates escapes such as \n and \0 in a delimiter, as Python's `unicode-escape`. */
export function evaluateEscapes(text: string): string {
  const simple: Readonly<Record<string, string>> = {
    n: '\n',
    t: '\t',
    r: '\r',
    a: '\x07',
    b: '\b',
    f: '\f',
    v: '\v',
    '\\': '\\',
    "'": "'",
    '"': '"',
  };
  const pattern = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([ntrabfv\\'"]))/g;
  return text.replaceAll(
    pattern,
    (_whole, hex2?: string, hex4?: string, hex8?: string, octal?: string, letter?: string) => {
      const hex = hex2 ?? hex4 ?? hex8;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return simple[letter!]!;
    },
  );
}
