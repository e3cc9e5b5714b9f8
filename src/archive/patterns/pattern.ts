/**
 * One include or exclude pattern, in one of five styles. Paths are text as of `decodeSurrogateEscaped`, without a
 * leading slash.
 *
 * Source: Borg 1.4.5, patterns.py, PatternBase and its subclasses, parse_pattern.
 */
import { normalizePosixPath, stripLeadingSlashes, stripTrailingSlashes } from '../../util/posix-path.ts';
import { compilePythonRegex, PythonRegexError } from '../../util/python-regex.ts';
import { fnmatchPatternToRegex, shellPatternToRegex } from './glob-regex.ts';

/** fnmatch, path full, path prefix, regular expression, shell. */
export type PatternStyle = 'fm' | 'pf' | 'pp' | 're' | 'sh';

type Test = (path: string, directory: string) => boolean;

/** A pattern, or a command around one, that makes no sense; the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

export class Pattern {
  readonly style: PatternStyle;
  /** As the user wrote it, without the style. */
  readonly original: string;
  /** Normalised; for `pf` the path that matches, for `pp` the prefix with its slash. */
  readonly text: string;
  /** Whether a directory that the pattern excludes is still searched for includes. */
  readonly recurseDir: boolean;
  matchCount = 0;
  readonly #test: Test;

  /** Throws PatternError where the pattern is no valid expression. */
  constructor(style: PatternStyle, original: string, recurseDir = false) {
    this.style = style;
    this.original = original;
    this.recurseDir = recurseDir;
    this.text = prepare(style, original);
    this.#test = matcherFor(style, this.text, original);
  }

  /** Counts the match. `directory` is the path with a slash behind it, for callers that try many patterns. */
  matches(path: string, directory = `${path}/`): boolean {
    if (!this.#test(path, directory)) return false;
    this.matchCount += 1;
    return true;
  }
}

export function isPatternStyle(text: string): text is PatternStyle {
  return ['fm', 'pf', 'pp', 're', 'sh'].includes(text);
}

/** A pattern with an optional `style:` in front. */
export function parsePattern(text: string, fallback: PatternStyle = 'fm', recurseDir = true): Pattern {
  const match = /^([\p{L}\p{N}]{2}):([^]*)$/u.exec(text);
  if (match === null) return new Pattern(fallback, text, recurseDir);
  const style = match[1]!;
  if (!isPatternStyle(style)) throw new PatternError(`Unknown pattern style: ${style}`);
  return new Pattern(style, match[2]!, recurseDir);
}

function prepare(style: PatternStyle, pattern: string): string {
  if (style === 're') return pattern;
  const path = normalizePosixPath(pattern);
  if (style === 'pf') return stripLeadingSlashes(path);
  if (style === 'pp') return stripLeadingSlashes(`${stripTrailingSlashes(path)}/`);
  const all = style === 'sh' ? '**/*' : '*';
  const below = pattern.endsWith('/') ? `${stripTrailingSlashes(path)}/${all}/` : `${path}/${all}`;
  return stripLeadingSlashes(below);
}

function matcherFor(style: PatternStyle, text: string, original: string): Test {
  if (style === 'pf') return (path) => path === text;
  if (style === 'pp') return (_path, directory) => directory.startsWith(text);
  try {
    if (style === 're') {
      const regex = compilePythonRegex(text);
      return (path) => regex.test(path);
    }
    const source = style === 'sh' ? shellPatternToRegex(text) : fnmatchPatternToRegex(text);
    const regex = compilePythonRegex(source, { anchored: true });
    // Most paths match no pattern: the text before and after the first wildcard tells so at little cost.
    const prefix = /^[^*?[]*/.exec(text)![0];
    const literal = longestLiteral(text.slice(prefix.length), style);
    return (_path, directory) =>
      directory.startsWith(prefix) &&
      (literal === '' || directory.includes(literal)) &&
      regex.test(directory);
  } catch (error) {
    if (!(error instanceof PythonRegexError || error instanceof SyntaxError)) throw error;
    throw new PatternError(`Invalid pattern '${style}:${original}': ${error.message}`, { cause: error });
  }
}

/** The longest text between wildcards; any path that matches holds it. Empty where a class makes that unclear. */
function longestLiteral(pattern: string, style: PatternStyle): string {
  if (pattern.includes('[')) return '';
  const plain = style === 'sh' ? pattern.replaceAll('**/', '*') : pattern;
  return plain.split(/[*?]+/).reduce((longest, part) => (part.length > longest.length ? part : longest), '');
}
