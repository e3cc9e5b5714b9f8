/** The character sets of Python's `\d \s \w` in JavaScript's terms: they differ in what is a space and a letter. */

export interface CharacterSet {
  /** Inside of brackets, without them. */
  readonly members: string;
  readonly negated: boolean;
}

/** Any character, the newline too. */
export const ANY = '[^]';

const DIGITS = { unicode: '\\p{Nd}', ascii: '0-9' };
const WORDS = { unicode: '\\p{L}\\p{N}_', ascii: '0-9A-Za-z_' };
const SPACES = {
  unicode:
    '\\t-\\r\\u{1c}-\\u{20}\\u{85}\\u{a0}\\u{1680}\\u{2000}-\\u{200a}\\u{2028}\\u{2029}\\u{202f}\\u{205f}\\u{3000}',
  ascii: '\\t-\\r\\u{20}',
};

/** Escapes that stand for one control character. */
export const ATOM_SET: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
]);

/** The set that `\letter` stands for, undefined for other escapes. */
export function namedSet(letter: string, ascii: boolean): CharacterSet | undefined {
  const sets = { d: DIGITS, w: WORDS, s: SPACES }[letter.toLowerCase()];
  if (sets === undefined) return undefined;
  return { members: ascii ? sets.ascii : sets.unicode, negated: letter !== letter.toLowerCase() };
}

/** The source of a set, alone or as part of a bracketed class. */
export function setSource(set: CharacterSet, insideClass: boolean): string {
  if (!insideClass) return `[${set.negated ? '^' : ''}${set.members}]`;
  return set.negated ? complement(set.members) : set.members;
}

/** A class cannot hold a negated class (without the v flag), so the complement is written out. */
function complement(members: string): string {
  switch (members) {
    case DIGITS.unicode:
      return '\\P{Nd}';
    case DIGITS.ascii:
      return '\\u{0}-/:-\\u{10ffff}';
    case WORDS.ascii:
      return '\\u{0}-/:-@\\[-\\^`\\{-\\u{10ffff}';
    case WORDS.unicode:
      return '\\p{M}\\p{S}\\p{Z}\\p{C}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}\\u{203f}\\u{2040}\\u{2054}\\u{fe33}\\u{fe34}\\u{fe4d}-\\u{fe4f}\\u{ff3f}';
    case SPACES.ascii:
      return '\\u{0}-\\u{8}\\u{e}-\\u{1f}!-\\u{10ffff}';
    default:
      return '\\u{0}-\\u{8}\\u{e}-\\u{1b}!-\\u{84}\\u{86}-\\u{9f}\\u{a1}-\\u{167f}\\u{1681}-\\u{1fff}\\u{200b}-\\u{2027}\\u{202a}-\\u{202e}\\u{2030}-\\u{205e}\\u{2060}-\\u{2fff}\\u{3001}-\\u{10ffff}';
  }
}

export function wordBoundary(matches: boolean, ascii: boolean): string {
  const word = `[${ascii ? WORDS.ascii : WORDS.unicode}]`;
  return matches
    ? `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`
    : `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`;
}

/** A literal character, escaped where it could mean something. */
export function escapeCodePoint(code: number): string {
  const character = String.fromCodePoint(code);
  return /^[A-Za-z0-9_ ]$/.test(character) ? character : `\\u{${code.toString(16)}}`;
}
