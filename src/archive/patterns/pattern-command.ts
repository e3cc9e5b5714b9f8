/**
 * Lines of --pattern and of pattern and exclude files.
 *
 * A line is a letter, spaces, and a value: `+` include, `-` exclude (still search the directory for includes), `!`
 * exclude and do not look inside, `R` a root path, `P` the style of the lines that follow.
 *
 * Source: Borg 1.4.5, patterns.py, parse_inclexcl_command, load_pattern_file, load_exclude_file.
 */
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { isPatternStyle, parsePattern, type Pattern, PatternError, type PatternStyle } from './pattern.ts';

export type MatchCommand = 'include' | 'exclude' | 'exclude-no-recurse';

/** A pattern and what to do with a path that matches it. */
export interface PatternRule {
  readonly pattern: Pattern;
  readonly command: MatchCommand;
}

export type PatternCommand =
  | { readonly kind: 'rule'; readonly rule: PatternRule }
  | { readonly kind: 'root'; readonly path: string }
  | { readonly kind: 'style'; readonly style: PatternStyle };

/** Rules and root paths, in the order in which options and files gave them. */
export interface PatternRules {
  readonly rules: PatternRule[];
  readonly roots: string[];
}

const matchCommands: Readonly<Record<string, MatchCommand>> = {
  '-': 'exclude',
  '!': 'exclude-no-recurse',
  '+': 'include',
};

/** The value of --exclude, or a line of an exclude file. */
export function parseExcludePattern(text: string, fallback: PatternStyle = 'fm'): PatternRule {
  return { pattern: parsePattern(text, fallback, false), command: 'exclude-no-recurse' };
}

/** The value of --pattern, or a line of a pattern file; throws PatternError. */
export function parsePatternCommand(line: string, fallback: PatternStyle = 'sh'): PatternCommand {
  if (line === '') throw new PatternError('A pattern/command must not be empty.');
  const letter = line[0]!;
  const command = matchCommands[letter];
  if (command === undefined && !'RrPp'.includes(letter)) {
    throw new PatternError('A pattern/command must start with any of: -, !, +, R, r, P, p');
  }
  const value = trimStart(line.slice(1));
  if (value === '') throw new PatternError('A pattern/command must have a value part.');
  if (command !== undefined) {
    const pattern = parsePattern(value, fallback, command !== 'exclude-no-recurse');
    return { kind: 'rule', rule: { pattern, command } };
  }
  if (letter === 'R' || letter === 'r') return { kind: 'root', path: value };
  if (!isPatternStyle(value)) throw new PatternError(`Invalid pattern style: ${value}`);
  return { kind: 'style', style: value };
}

/** Adds what one --pattern option says; a style letter there has no effect, as in Borg. */
export function addPatternOption(rules: PatternRules, value: string): void {
  addCommand(rules, parsePatternCommand(value));
}

/** Adds the lines of a --patterns-from file. */
export function addPatternFile(rules: PatternRules, contents: Uint8Array): void {
  let style: PatternStyle = 'sh';
  for (const line of meaningfulLines(contents)) {
    const command = parsePatternCommand(line, style);
    if (command.kind === 'style') style = command.style;
    else addCommand(rules, command);
  }
}

/** Adds the lines of an --exclude-from file. */
export function addExcludeFile(rules: PatternRules, contents: Uint8Array): void {
  for (const line of meaningfulLines(contents)) rules.rules.push(parseExcludePattern(line));
}

function addCommand(rules: PatternRules, command: PatternCommand): void {
  if (command.kind === 'root') rules.roots.push(command.path);
  else if (command.kind === 'rule') rules.rules.push(command.rule);
}

/** White space as Python strips it: trim() would take the byte order mark too, and leave U+001C to U+001F. */
const SPACE = '[[\\s\\x1c-\\x1f\\x85]--\\ufeff]';
const leadingSpace = new RegExp(`^${SPACE}+`, 'v');
const surroundingSpace = new RegExp(`^${SPACE}+|${SPACE}+$`, 'gv');

function trimStart(text: string): string {
  return text.replace(leadingSpace, '');
}

/** Lines without white space around them, empty lines and lines that begin with `#`. */
export function meaningfulLines(contents: Uint8Array): string[] {
  return decodeSurrogateEscaped(contents)
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(surroundingSpace, ''))
    .filter((line) => line !== '' && !line.startsWith('#'));
}
