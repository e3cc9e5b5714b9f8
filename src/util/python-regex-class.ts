/** Escapes of single characters, and classes in brackets. */
import { ATOM_SET, type CharacterSet, escapeCodePoint, namedSet, setSource } from './python-regex-sets.ts';
import type { PatternScanner } from './python-regex-scanner.ts';

/** The code point that an escape stands for; the scanner is behind the backslash. */
export function scanEscape(scanner: PatternScanner): number {
  const octal = scanner.takeMatch(/^[0-7]{1,3}/);
  if (octal !== undefined) {
    const code = Number.parseInt(octal[0], 8);
    if (code > 0o377) throw scanner.error('octal escape value outside of range 0-0o377');
    return code;
  }
  const character = scanner.next()!;
  const simple = ATOM_SET.get(character);
  if (simple !== undefined) return simple;
  const digits = { x: /^[\da-fA-F]{2}/, u: /^[\da-fA-F]{4}/, U: /^[\da-fA-F]{8}/ }[character];
  if (digits !== undefined) {
    const code = Number.parseInt(scanner.takeMatch(digits)?.[0] ?? '', 16);
    if (!(code <= 0x10ffff)) throw scanner.error(`bad escape \\${character}`);
    return code;
  }
  if (/[0-9A-Za-z]/.test(character)) throw scanner.error(`bad escape \\${character}`);
  return character.codePointAt(0)!;
}

/** The JavaScript source of a class; the scanner is behind its opening bracket. */
export function scanClass(scanner: PatternScanner, ascii: boolean): string {
  const negated = scanner.take('^');
  let source = '';
  const next = (): string => {
    const character = scanner.next();
    if (character === undefined) throw scanner.error('unterminated character set');
    return character;
  };
  for (let first = true; ; first = false) {
    const character = next();
    if (character === ']' && !first) break;
    const low = scanMember(scanner, character, ascii);
    if (!scanner.take('-')) {
      source += memberSource(low);
      continue;
    }
    const end = next();
    if (end === ']') {
      source += `${memberSource(low)}\\-`;
      break;
    }
    const high = scanMember(scanner, end, ascii);
    if (typeof low !== 'number' || typeof high !== 'number' || high < low) {
      throw scanner.error('bad character range');
    }
    source += `${escapeCodePoint(low)}-${escapeCodePoint(high)}`;
  }
  return `[${negated ? '^' : ''}${source}]`;
}

function scanMember(scanner: PatternScanner, character: string, ascii: boolean): number | CharacterSet {
  if (character !== '\\') return character.codePointAt(0)!;
  const next = scanner.peek();
  if (next === undefined) throw scanner.error('unterminated character set');
  const set = namedSet(next, ascii);
  if (set !== undefined || next === 'b') scanner.skip();
  return set ?? (next === 'b' ? 8 : scanEscape(scanner));
}

function memberSource(member: number | CharacterSet): string {
  return typeof member === 'number' ? escapeCodePoint(member) : setSource(member, true);
}
