/**
 * Regular expressions in Python's `re` syntax, compiled to JavaScript's. What JavaScript has no counterpart for is
 * refused with a message, never matched differently.
 *
 * Source: Python 3.14, library reference, `re` (syntax of str patterns).
 */
import { scanClass, scanEscape } from './python-regex-class.ts';
import { changeFlags, NO_FLAGS, type RegexFlags } from './python-regex-flags.ts';
import { PatternScanner, type PythonRegexError } from './python-regex-scanner.ts';
import { ANY, escapeCodePoint, namedSet, setSource, wordBoundary } from './python-regex-sets.ts';

export { PythonRegexError } from './python-regex-scanner.ts';

/** A parsed piece: JavaScript source, and the groups that surely took part once it matched. */
interface Piece {
  source: string;
  certain: Set<number>;
  /** False for assertions that Python refuses to repeat. */
  repeatable: boolean;
}

/** Compiles for use with `test`: a search, as Python's `re.search`; `anchored` as its `re.match`. */
export function compilePythonRegex(pattern: string, options: { anchored?: boolean } = {}): RegExp {
  const parser = new Parser(pattern);
  const source = parser.parse();
  const flags = parser.ignoreCase ? 'iu' : 'u';
  return new RegExp(options.anchored === true ? `^(?:${source})` : source, flags);
}

/** Escapes what has a meaning in a pattern. */
export function escapePythonRegex(text: string): string {
  return text.replace(/[\s!-/:-@[-^`{-~]/g, (character) =>
    '()[]{}?*+-|^$\\.&~# \t\n\r\v\f'.includes(character) ? `\\${character}` : character,
  );
}

const QUANTIFIER = /^(?:[*+?]|\{(?:(\d*),(\d*)|(\d+))\})/;

class Parser {
  readonly #scanner: PatternScanner;
  /** JavaScript's number of each Python group; atomic groups take numbers of their own. */
  readonly #numbers = new Map<number, number>();
  readonly #names = new Map<string, number>();
  #pythonGroups = 0;
  #scriptGroups = 0;
  #flags: RegexFlags = NO_FLAGS;

  constructor(pattern: string) {
    this.#scanner = new PatternScanner(pattern);
  }

  get ignoreCase(): boolean {
    return this.#flags.ignoreCase;
  }

  parse(): string {
    this.#globalFlags();
    const whole = this.#alternatives(new Set());
    if (!this.#scanner.atEnd) throw this.#error('unbalanced parenthesis');
    return whole.source;
  }

  #error(message: string): PythonRegexError {
    return this.#scanner.error(message);
  }

  /** `(?ims)` may stand at the very start only. */
  #globalFlags(): void {
    for (;;) {
      const match = this.#scanner.takeMatch(/^\(\?([aiLmsux]+)\)/);
      if (match === undefined) return;
      this.#flags = this.#changed(match[1]!, '');
    }
  }

  #changed(on: string, off: string): RegexFlags {
    const flags = changeFlags(this.#flags, on, off);
    if (typeof flags === 'string') throw this.#error(flags);
    return flags;
  }

  #alternatives(certain: Set<number>): Piece {
    const branches: Piece[] = [];
    do branches.push(this.#sequence(new Set(certain)));
    while (this.#scanner.take('|'));
    const first = branches[0]!;
    if (branches.length === 1) return first;
    const shared = [...first.certain].filter((group) => branches.every((one) => one.certain.has(group)));
    const source = branches.map((branch) => branch.source).join('|');
    return { source, certain: new Set(shared), repeatable: true };
  }

  #sequence(certain: Set<number>): Piece {
    let source = '';
    for (;;) {
      this.#skipVerbose();
      const next = this.#scanner.peek();
      if (next === undefined || next === '|' || next === ')') break;
      const atom = this.#atom(certain);
      this.#skipVerbose();
      const { text, minimum } = this.#quantified(atom);
      source += text;
      if (minimum > 0) for (const group of atom.certain) certain.add(group);
    }
    return { source, certain, repeatable: true };
  }

  #skipVerbose(): void {
    if (!this.#flags.verbose) return;
    for (;;) {
      const next = this.#scanner.peek();
      if (next === '#') {
        while (!this.#scanner.atEnd && this.#scanner.peek() !== '\n') this.#scanner.skip();
      } else if (next !== undefined && ' \t\n\r\v\f'.includes(next)) this.#scanner.skip();
      else return;
    }
  }

  #quantifier(): { text: string; minimum: number } | undefined {
    const match = this.#scanner.takeMatch(QUANTIFIER);
    if (match === undefined) return undefined;
    const [text, least, most, exact] = match;
    if (text.length === 1) return { text, minimum: text === '+' ? 1 : 0 };
    const minimum = Number(exact ?? least);
    if (most !== undefined && most !== '' && Number(most) < minimum) {
      throw this.#error('min repeat greater than max repeat');
    }
    return { text: exact === undefined ? `{${minimum},${most}}` : `{${minimum}}`, minimum };
  }

  #quantified(atom: Piece): { text: string; minimum: number } {
    const quantifier = this.#quantifier();
    if (quantifier === undefined) return { text: atom.source, minimum: 1 };
    if (!atom.repeatable) throw this.#error('nothing to repeat');
    const once = `(?:${atom.source})${quantifier.text}`;
    let text = once;
    if (this.#scanner.take('?')) text = `${once}?`;
    else if (this.#scanner.take('+')) text = this.#atomicAround(once);
    if (this.#scanner.look(QUANTIFIER) !== undefined) throw this.#error('multiple repeat');
    return { text, minimum: quantifier.minimum };
  }

  /** A lookahead never backtracks into itself, so a group in one, taken by reference, is atomic. */
  #atomicAround(source: string): string {
    // Groups inside are numbered before this one in text order, so a capturing group would have to come first.
    if (/\((?!\?)|\(\?<(?![=!])/.test(source)) {
      throw this.#error('groups inside atomic or possessive parts are not supported');
    }
    this.#scriptGroups += 1;
    return `(?:(?=(${source}))\\${this.#scriptGroups})`;
  }

  #atom(certain: Set<number>): Piece {
    if (this.#scanner.look(QUANTIFIER) !== undefined) throw this.#error('nothing to repeat');
    const character = this.#scanner.next()!;
    switch (character) {
      case '.':
        return piece(this.#flags.dotAll ? ANY : '[^\\n]');
      case '^':
        return piece(this.#flags.multiline ? '(?:^|(?<=\\n))' : '^', false);
      case '$':
        return piece(this.#flags.multiline ? '(?=\\n|$)' : '(?=\\n?$)', false);
      case '(':
        return this.#group(certain);
      case '[':
        return piece(scanClass(this.#scanner, this.#flags.ascii));
      case '\\':
        return this.#escape(certain);
      default:
        return piece(escapeCodePoint(character.codePointAt(0)!));
    }
  }

  #group(certain: Set<number>): Piece {
    if (!this.#scanner.take('?')) return this.#capture(certain);
    if (this.#scanner.take('#')) {
      this.#scanner.until(')');
      return { source: '', certain: new Set(), repeatable: false };
    }
    if (this.#scanner.take('P<')) return this.#capture(certain, this.#scanner.until('>'));
    if (this.#scanner.take('P=')) return this.#reference(this.#names.get(this.#scanner.until(')')), certain);
    if (this.#scanner.take('P')) throw this.#error(`unknown extension ?P${this.#scanner.peek() ?? ''}`);
    if (this.#scanner.take('(')) throw this.#error('conditional groups are not supported');
    if (this.#scanner.take(':')) return this.#enclosed('(?:', certain);
    if (this.#scanner.take('>')) {
      const body = this.#enclosed('(?:', certain);
      return { ...body, source: this.#atomicAround(body.source) };
    }
    for (const kind of ['<=', '<!', '=', '!']) {
      if (!this.#scanner.take(kind)) continue;
      const body = this.#enclosed(`(?${kind}`, certain);
      // Python allows a quantifier behind an assertion; so does the non-capturing group put around it.
      return kind.endsWith('!') ? { ...body, certain: new Set() } : body;
    }
    return this.#flagGroup(certain);
  }

  #flagGroup(certain: Set<number>): Piece {
    const match = this.#scanner.takeMatch(/^([aimsuxL]*)(?:-([aimsuxL]+))?:/);
    if (match === undefined) {
      const global = this.#scanner.look(/^[aimsuxL]+\)/) !== undefined;
      throw this.#error(global ? 'global flags not at the start of the expression' : 'unknown extension');
    }
    const before = this.#flags;
    this.#flags = this.#changed(match[1]!, match[2] ?? '');
    const changed = this.#flags.ignoreCase !== before.ignoreCase;
    const opening = changed ? (this.#flags.ignoreCase ? '(?i:' : '(?-i:') : '(?:';
    const body = this.#enclosed(opening, certain);
    this.#flags = before;
    return body;
  }

  #enclosed(opening: string, certain: Set<number>): Piece {
    const body = this.#alternatives(new Set(certain));
    if (!this.#scanner.take(')')) throw this.#error('missing ), unterminated subpattern');
    return { source: `${opening}${body.source})`, certain: body.certain, repeatable: true };
  }

  #capture(certain: Set<number>, name?: string): Piece {
    this.#pythonGroups += 1;
    this.#scriptGroups += 1;
    const group = this.#pythonGroups;
    this.#numbers.set(group, this.#scriptGroups);
    if (name !== undefined) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw this.#error(`bad character in group name '${name}'`);
      if (this.#names.has(name)) throw this.#error(`redefinition of group name '${name}'`);
      this.#names.set(name, group);
    }
    const body = this.#enclosed('(', certain);
    body.certain.add(group);
    return body;
  }

  /** JavaScript lets a reference to a group that took no part match nothing, where Python fails. */
  #reference(group: number | undefined, certain: Set<number>): Piece {
    const number = group === undefined ? undefined : this.#numbers.get(group);
    if (group === undefined || number === undefined) throw this.#error('invalid group reference');
    if (!certain.has(group)) {
      throw this.#error('a reference to a group that may not have matched is not supported');
    }
    return { source: `(?:\\${number})`, certain: new Set(), repeatable: true };
  }

  #escape(certain: Set<number>): Piece {
    const character = this.#scanner.peek();
    if (character === undefined) throw this.#error('bad escape (end of pattern)');
    const { ascii } = this.#flags;
    const set = namedSet(character, ascii);
    if ('AZzbB'.includes(character) || set !== undefined) this.#scanner.skip();
    if (set !== undefined) return piece(setSource(set, false));
    if (character === 'A') return piece('^', false);
    if (character === 'Z' || character === 'z') return piece('$', false);
    if (character === 'b' || character === 'B') return piece(wordBoundary(character === 'b', ascii), false);
    // Three octal digits are a character, fewer a reference.
    const reference = this.#scanner.look(/^[0-3][0-7]{2}/) ? undefined : this.#scanner.takeMatch(/^[1-9]\d?/);
    if (reference !== undefined) return this.#reference(Number(reference[0]), certain);
    return piece(escapeCodePoint(scanEscape(this.#scanner)));
  }
}

function piece(source: string, repeatable = true): Piece {
  return { source, certain: new Set(), repeatable };
}
