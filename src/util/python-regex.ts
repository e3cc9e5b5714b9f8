/**
 * Regular expressions in Python's `re` syntax, compiled to JavaScript's. What JavaScript has no counterpart for is
 * refused with a message, never matched differently.
 *
 * Source: Python 3.14, library reference, `re` (syntax of str patterns).
 */
import {
  ANY,
  ATOM_SET,
  type CharacterSet,
  escapeCodePoint,
  namedSet,
  setSource,
  wordBoundary,
} from './python-regex-sets.ts';

export class PythonRegexError extends Error {
  override readonly name = 'PythonRegexError';
}

interface Flags {
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
  verbose: boolean;
  ascii: boolean;
}

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

class Parser {
  readonly #input: string[];
  #at = 0;
  /** JavaScript's number of each Python group; atomic groups take numbers of their own. */
  readonly #numbers = new Map<number, number>();
  readonly #names = new Map<string, number>();
  #pythonGroups = 0;
  #scriptGroups = 0;
  #flags: Flags = { ignoreCase: false, multiline: false, dotAll: false, verbose: false, ascii: false };

  constructor(pattern: string) {
    this.#input = Array.from(pattern);
  }

  get ignoreCase(): boolean {
    return this.#flags.ignoreCase;
  }

  parse(): string {
    this.#globalFlags();
    const whole = this.#alternatives(new Set());
    if (this.#at < this.#input.length) throw this.#error('unbalanced parenthesis');
    return whole.source;
  }

  #error(message: string): PythonRegexError {
    return new PythonRegexError(`${message} at position ${this.#at}`);
  }

  #peek(offset = 0): string | undefined {
    return this.#input[this.#at + offset];
  }

  #take(text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      if (this.#input[this.#at + index] !== text[index]) return false;
    }
    this.#at += text.length;
    return true;
  }

  #until(end: string): string {
    const start = this.#at;
    while (this.#peek() !== end) {
      if (this.#peek() === undefined) throw this.#error(`missing ${end}`);
      this.#at += 1;
    }
    const text = this.#input.slice(start, this.#at).join('');
    this.#at += 1;
    return text;
  }

  /** `(?ims)` may stand at the very start only. */
  #globalFlags(): void {
    for (;;) {
      const match = /^\(\?([aiLmsux]+)\)/.exec(this.#input.slice(this.#at, this.#at + 12).join(''));
      if (match === null) return;
      this.#at += match[0].length;
      this.#flags = this.#withFlags(this.#flags, match[1]!, '');
    }
  }

  #withFlags(flags: Flags, on: string, off: string): Flags {
    if (on.includes('L') || off.includes('L')) throw this.#error("flag 'L' is for bytes patterns");
    if (on.includes('a') && on.includes('u')) throw this.#error("flags 'a' and 'u' are incompatible");
    if (/[au]/.test(off)) throw this.#error("flags 'a' and 'u' cannot be turned off");
    const changed = { ...flags };
    for (const [letters, value] of [[on, true] as const, [off, false] as const]) {
      if (letters.includes('i')) changed.ignoreCase = value;
      if (letters.includes('m')) changed.multiline = value;
      if (letters.includes('s')) changed.dotAll = value;
      if (letters.includes('x')) changed.verbose = value;
      if (letters.includes('a')) changed.ascii = value;
      if (letters.includes('u')) changed.ascii = !value;
    }
    return changed;
  }

  #alternatives(certain: Set<number>): Piece {
    const branches: Piece[] = [];
    do branches.push(this.#sequence(new Set(certain)));
    while (this.#take('|'));
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
      const next = this.#peek();
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
      const next = this.#peek();
      if (next === '#') {
        while (this.#peek() !== undefined && this.#peek() !== '\n') this.#at += 1;
      } else if (next !== undefined && ' \t\n\r\v\f'.includes(next)) this.#at += 1;
      else return;
    }
  }

  #quantifier(): { text: string; minimum: number } | undefined {
    if (this.#take('*')) return { text: '*', minimum: 0 };
    if (this.#take('+')) return { text: '+', minimum: 1 };
    if (this.#take('?')) return { text: '?', minimum: 0 };
    const match = /^\{(?:(\d*),(\d*)|(\d+))\}/.exec(this.#input.slice(this.#at, this.#at + 40).join(''));
    if (match === null) return undefined;
    this.#at += match[0].length;
    const minimum = Number(match[3] ?? match[1]);
    const maximum = match[3] ?? match[2]!;
    if (maximum !== '' && Number(maximum) < minimum) throw this.#error('min repeat greater than max repeat');
    return { text: match[3] === undefined ? `{${minimum},${maximum}}` : `{${minimum}}`, minimum };
  }

  #quantified(atom: Piece): { text: string; minimum: number } {
    const quantifier = this.#quantifier();
    if (quantifier === undefined) return { text: atom.source, minimum: 1 };
    if (!atom.repeatable) throw this.#error('nothing to repeat');
    const once = `(?:${atom.source})${quantifier.text}`;
    let text = once;
    if (this.#take('?')) text = `${once}?`;
    else if (this.#take('+')) text = this.#atomicAround(once);
    const at = this.#at;
    if (this.#quantifier() !== undefined) {
      this.#at = at;
      throw this.#error('multiple repeat');
    }
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
    const character = this.#peek()!;
    this.#at += 1;
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
        return piece(this.#characterClass());
      case '\\':
        return this.#escape(certain);
      case '*':
      case '+':
      case '?':
        throw this.#error('nothing to repeat');
      default:
        if (character === '{') {
          this.#at -= 1;
          if (this.#quantifier() !== undefined) throw this.#error('nothing to repeat');
          this.#at += 1;
        }
        return piece(escapeCodePoint(character.codePointAt(0)!));
    }
  }

  #group(certain: Set<number>): Piece {
    if (!this.#take('?')) return this.#capture(certain);
    if (this.#take('#')) {
      this.#until(')');
      return { source: '', certain: new Set(), repeatable: false };
    }
    if (this.#take('P<')) return this.#capture(certain, this.#until('>'));
    if (this.#take('P=')) return this.#reference(this.#names.get(this.#until(')')), certain);
    if (this.#take('P')) throw this.#error(`unknown extension ?P${this.#peek() ?? ''}`);
    if (this.#take('(')) throw this.#error('conditional groups are not supported');
    if (this.#take(':')) return this.#enclosed('(?:', certain);
    if (this.#take('>')) {
      const body = this.#enclosed('(?:', certain);
      return { ...body, source: this.#atomicAround(body.source) };
    }
    for (const kind of ['<=', '<!', '=', '!']) {
      if (!this.#take(kind)) continue;
      const body = this.#enclosed(`(?${kind}`, certain);
      // Python allows a quantifier behind an assertion; so does the non-capturing group put around it.
      return kind.endsWith('!') ? { ...body, certain: new Set() } : body;
    }
    return this.#flagGroup(certain);
  }

  #flagGroup(certain: Set<number>): Piece {
    const match = /^([aimsuxL]*)(?:-([aimsuxL]+))?:/.exec(
      this.#input.slice(this.#at, this.#at + 16).join(''),
    );
    if (match === null) {
      const global = /^[aimsuxL]+\)/.test(this.#input.slice(this.#at, this.#at + 12).join(''));
      throw this.#error(global ? 'global flags not at the start of the expression' : 'unknown extension');
    }
    this.#at += match[0].length;
    const before = this.#flags;
    this.#flags = this.#withFlags(before, match[1]!, match[2] ?? '');
    const changed = this.#flags.ignoreCase !== before.ignoreCase;
    const opening = changed ? (this.#flags.ignoreCase ? '(?i:' : '(?-i:') : '(?:';
    const body = this.#enclosed(opening, certain);
    this.#flags = before;
    return body;
  }

  #enclosed(opening: string, certain: Set<number>): Piece {
    const body = this.#alternatives(new Set(certain));
    if (!this.#take(')')) throw this.#error('missing ), unterminated subpattern');
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
    const character = this.#peek();
    if (character === undefined) throw this.#error('bad escape (end of pattern)');
    const ascii = this.#flags.ascii;
    if (character === 'A') return ((this.#at += 1), piece('^', false));
    if (character === 'Z' || character === 'z') return ((this.#at += 1), piece('$', false));
    if (character === 'b' || character === 'B') {
      this.#at += 1;
      return piece(wordBoundary(character === 'b', ascii), false);
    }
    const set = namedSet(character, ascii);
    if (set !== undefined) return ((this.#at += 1), piece(setSource(set, false)));
    if (/[1-9]/.test(character)) {
      const octal = /^[0-3][0-7]{2}/.test(this.#input.slice(this.#at, this.#at + 3).join(''));
      if (!octal) {
        const digits = /^\d{1,2}/.exec(this.#input.slice(this.#at, this.#at + 2).join(''))![0];
        this.#at += digits.length;
        return this.#reference(Number(digits), certain);
      }
    }
    return piece(escapeCodePoint(this.#literalEscape()));
  }

  /** An escape that stands for one character; `#at` is behind the backslash. */
  #literalEscape(): number {
    const character = this.#input[this.#at++]!;
    const simple = ATOM_SET.get(character);
    if (simple !== undefined) return simple;
    const digits = { x: 2, u: 4, U: 8 }[character];
    if (digits !== undefined) {
      const hex = this.#input.slice(this.#at, this.#at + digits).join('');
      const code = Number.parseInt(hex, 16);
      if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex) || code > 0x10ffff) {
        throw this.#error(`bad escape \\${character}`);
      }
      this.#at += digits;
      return code;
    }
    if (/[0-7]/.test(character)) {
      const octal = /^[0-7]{1,3}/.exec(this.#input.slice(this.#at - 1, this.#at + 2).join(''))![0];
      this.#at += octal.length - 1;
      const code = Number.parseInt(octal, 8);
      if (code > 0o377) throw this.#error('octal escape value outside of range 0-0o377');
      return code;
    }
    if (/[0-9A-Za-z]/.test(character)) throw this.#error(`bad escape \\${character}`);
    return character.codePointAt(0)!;
  }

  #classMember(character: string): number | CharacterSet {
    if (character !== '\\') return character.codePointAt(0)!;
    const next = this.#peek();
    if (next === undefined) throw this.#error('unterminated character set');
    const set = namedSet(next, this.#flags.ascii);
    if (set !== undefined) {
      this.#at += 1;
      return set;
    }
    if (next === 'b') {
      this.#at += 1;
      return 8;
    }
    return this.#literalEscape();
  }

  #characterClass(): string {
    const negated = this.#take('^');
    let source = '';
    const next = (): string => {
      const character = this.#input[this.#at++];
      if (character === undefined) throw this.#error('unterminated character set');
      return character;
    };
    for (let first = true; ; first = false) {
      const character = next();
      if (character === ']' && !first) break;
      const low = this.#classMember(character);
      if (this.#peek() !== '-') {
        source += memberSource(low);
        continue;
      }
      this.#at += 1;
      const end = next();
      if (end === ']') {
        source += `${memberSource(low)}\\-`;
        break;
      }
      const high = this.#classMember(end);
      if (typeof low !== 'number' || typeof high !== 'number' || high < low) {
        throw this.#error('bad character range');
      }
      source += `${escapeCodePoint(low)}-${escapeCodePoint(high)}`;
    }
    return `[${negated ? '^' : ''}${source}]`;
  }
}

function piece(source: string, repeatable = true): Piece {
  return { source, certain: new Set(), repeatable };
}

function memberSource(member: number | CharacterSet): string {
  return typeof member === 'number' ? escapeCodePoint(member) : setSource(member, true);
}
