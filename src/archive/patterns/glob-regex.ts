/**
 * The two shell pattern dialects as regular expressions in Python's syntax.
 *
 * Sources: Borg 1.4.5, shellpattern.py, translate; Python 3.14, documentation of `fnmatch`.
 */
import { escapePythonRegex } from '../../util/python-regex.ts';

/** `sh:`: `*` and `?` stop at slashes, a double star with its slash matches any number of directories. */
export function shellPatternToRegex(pattern: string, matchEnd = '\\Z'): string {
  const characters = Array.from(pattern);
  let regex = '';
  for (let at = 0; at < characters.length;) {
    const character = characters[at]!;
    if (character === '*') {
      const directories = characters[at + 1] === '*' && characters[at + 2] === '/';
      regex += directories ? '(?:[^/]*/)*' : '[^/]*';
      at += directories ? 3 : 1;
    } else if (character === '?') {
      regex += '[^/]';
      at += 1;
    } else if (character === '[') {
      const end = closingBracket(characters, at + 1);
      regex += end < 0 ? '\\[' : shellClass(characters.slice(at + 1, end).join(''));
      at = end < 0 ? at + 1 : end + 1;
    } else {
      regex += escapePythonRegex(character);
      at += 1;
    }
  }
  return `(?ms)${regex}${matchEnd}`;
}

/** `fm:`: `*` and `?` match slashes too. */
export function fnmatchPatternToRegex(pattern: string): string {
  const characters = Array.from(pattern);
  // One list of pieces between each two stars.
  const runs: string[] = [''];
  for (let at = 0; at < characters.length;) {
    const character = characters[at]!;
    const end = character === '[' ? closingBracket(characters, at + 1) : -1;
    if (character === '*') {
      while (characters[at] === '*') at += 1;
      runs.push('');
      continue;
    }
    if (character === '?') runs.push(`${runs.pop()!}.`);
    else if (end >= 0) runs.push(runs.pop()! + fnmatchClass(characters.slice(at + 1, end)));
    else runs.push(runs.pop()! + escapePythonRegex(character));
    at = end >= 0 ? end + 1 : at + 1;
  }
  const first = runs.shift()!;
  const last = runs.pop();
  if (last === undefined) return `(?s)${first}\\z`;
  // The shortest match of an inner run is as good as any other: no backtracking into it.
  const inner = runs.map((run) => `(?>.*?${run})`).join('');
  return `(?s)${first}${inner}.*${last}\\z`;
}

/** Index of the bracket that closes the class whose members begin at `start`, -1 where none does. */
function closingBracket(characters: readonly string[], start: number): number {
  let at = start;
  if (characters[at] === '!') at += 1;
  if (characters[at] === ']') at += 1;
  while (at < characters.length && characters[at] !== ']') at += 1;
  return at < characters.length ? at : -1;
}

function shellClass(members: string): string {
  const escaped = members.replaceAll('\\', '\\\\');
  if (escaped.startsWith('!')) return `[^${escaped.slice(1)}]`;
  return escaped.startsWith('^') ? `[\\${escaped}]` : `[${escaped}]`;
}

function fnmatchClass(members: readonly string[]): string {
  const text = members.includes('-') ? rangesOf(members) : members.join('').replaceAll('\\', '\\\\');
  if (text === '') return '(?!)';
  if (text === '!') return '.';
  if (text.startsWith('!')) return `[^${text.slice(1)}]`;
  return /^[[^]/.test(text) ? `[\\${text}]` : `[${text}]`;
}

/** The members with empty ranges (`z-a`) left out, and hyphens that make no range escaped. */
function rangesOf(members: readonly string[]): string {
  const pieces: string[][] = [];
  let start = 0;
  let from = members[0] === '!' ? 2 : 1;
  for (;;) {
    const hyphen = members.indexOf('-', from);
    if (hyphen < 0) break;
    pieces.push(members.slice(start, hyphen));
    start = hyphen + 1;
    from = hyphen + 3;
  }
  const rest = members.slice(start);
  if (rest.length > 0) pieces.push(rest);
  else pieces.at(-1)!.push('-');
  for (let index = pieces.length - 1; index > 0; index--) {
    const before = pieces[index - 1]!;
    const after = pieces[index]!;
    if (before.at(-1)!.codePointAt(0)! > after[0]!.codePointAt(0)!) {
      pieces.splice(index - 1, 2, [...before.slice(0, -1), ...after.slice(1)]);
    }
  }
  return pieces.map((one) => one.join('').replaceAll('\\', '\\\\').replaceAll('-', '\\-')).join('-');
}
