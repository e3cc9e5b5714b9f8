/**
 * Reads the options of one level of the command line by the rules of Borg's parser (Python's argparse): abbreviated
 * long options, one-letter options in one word, values that look like options, and its error texts. All go into one
 * list in the order in which they were typed, which is the order that --pattern, --exclude and their like depend on.
 *
 * Source: CPython 3.14 Lib/argparse.py (_parse_optional, _get_option_tuples, consume_optional).
 */
import { optionName, type OptionSpec } from './option.ts';
import { UsageError } from '../usage-error.ts';

/** One option as it was given. */
export interface Occurrence {
  readonly option: OptionSpec;
  /** Its spelling, in full. */
  readonly flag: string;
  /** Text of its value; undefined where it takes none. */
  readonly text: string | undefined;
}

export interface Tokens {
  readonly occurrences: readonly Occurrence[];
  /** What is no option, in order. */
  readonly operands: readonly string[];
  /** Options that nobody knows. */
  readonly unknown: readonly string[];
}

/** All behind the first `operandCount` operands are operands, whatever they look like. */
export function readTokens(
  commandName: string,
  options: readonly OptionSpec[],
  argv: readonly string[],
  operandCount = Infinity,
): Tokens {
  return new TokenReader(commandName, options).read(argv, operandCount);
}

export function takesValue(option: OptionSpec): boolean {
  return option.metavar !== undefined;
}

/** An option in a word, and what is joined to it. */
interface Found {
  readonly option: OptionSpec;
  readonly flag: string;
  readonly joined: string | undefined;
  /** The equals sign stands between them. */
  readonly equals: boolean;
}

/** What begins like one. */
const negativeNumber = /^-\.?\d/;

class TokenReader {
  readonly #commandName: string;
  readonly #byFlag: ReadonlyMap<string, OptionSpec>;
  readonly #occurrences: Occurrence[] = [];
  readonly #operands: string[] = [];
  readonly #unknown: string[] = [];

  constructor(commandName: string, options: readonly OptionSpec[]) {
    this.#commandName = commandName;
    this.#byFlag = new Map(options.flatMap((option) => option.flags.map((flag) => [flag, option] as const)));
  }

  read(argv: readonly string[], operandCount: number): Tokens {
    let at = 0;
    while (at < argv.length && this.#operands.length < operandCount) {
      const token = argv[at++]!;
      if (token === '--') break;
      const found = this.#find(token);
      if (found === 'operand') this.#operands.push(token);
      else if (found === 'unknown') this.#unknown.push(token);
      else if (this.#takeOption(found, argv[at])) at++;
    }
    this.#operands.push(...argv.slice(at));
    return { occurrences: this.#occurrences, operands: this.#operands, unknown: this.#unknown };
  }

  /** Whether the next word was its value. */
  #takeOption(first: Found, next: string | undefined): boolean {
    const last = this.#takeLetters(first);
    if (last === undefined) return false;
    const { option, flag, joined } = last;
    if (joined !== undefined) {
      this.#occurrences.push({ option, flag, text: joined });
      return false;
    }
    const isValue =
      next !== undefined && next !== '--' && (option.takesAnything || this.#find(next) === 'operand');
    const text = isValue ? next : option.impliedText;
    if (text === undefined) this.#refuse(option, `expected ${option.takesAnything ? '1' : 'one'} argument`);
    this.#occurrences.push({ option, flag, text });
    return isValue;
  }

  /** Takes options without values, of which several may be in one word; gives the one that has a value, if any. */
  #takeLetters({ option, flag, joined, equals }: Found): Found | undefined {
    if (takesValue(option)) return { option, flag, joined, equals };
    if (joined === undefined) {
      this.#occurrences.push({ option, flag, text: undefined });
      return undefined;
    }
    if (flag.startsWith('--') || equals || joined === '' || joined.startsWith('-')) {
      this.#refuse(option, `ignored explicit argument '${joined}'`);
    }
    this.#occurrences.push({ option, flag, text: undefined });
    const letter = `-${joined[0]}`;
    const next = this.#byFlag.get(letter);
    if (next === undefined) {
      this.#unknown.push(`-${joined}`);
      return undefined;
    }
    const rest = joined.slice(1);
    const hasEquals = rest.startsWith('=');
    const value = hasEquals ? rest.slice(1) : rest || undefined;
    return this.#takeLetters({ option: next, flag: letter, joined: value, equals: hasEquals });
  }

  /** Whether a word is an option, and which. */
  #find(token: string): Found | 'operand' | 'unknown' {
    if (!token.startsWith('-') || token === '-' || token === '--') return 'operand';
    const exact = this.#byFlag.get(token);
    if (exact !== undefined) return { option: exact, flag: token, joined: undefined, equals: false };
    const parts = /^([^=]*)=([^]*)$/.exec(token);
    const name = parts?.[1] ?? token;
    const joined = parts?.[2];
    const named = this.#byFlag.get(name);
    if (named !== undefined) return { option: named, flag: name, joined, equals: true };
    const flag = token.startsWith('--') ? this.#expand(name, token) : token.slice(0, 2);
    const option = flag === undefined ? undefined : this.#byFlag.get(flag);
    if (option !== undefined) {
      const rest = token.startsWith('--') ? joined : token.slice(2);
      return { option, flag: flag!, joined: rest, equals: token.startsWith('--') && joined !== undefined };
    }
    return negativeNumber.test(token) || token.includes(' ') ? 'operand' : 'unknown';
  }

  /** The one long option that begins so. */
  #expand(name: string, token: string): string | undefined {
    const all = [...this.#byFlag.keys()].filter((flag) => flag.startsWith(name) && flag.startsWith('--'));
    const borgs = all.filter((flag) => this.#byFlag.get(flag)!.beyondBorg !== true);
    const candidates = borgs.length > 0 ? borgs : all;
    if (candidates.length > 1) {
      const message = `ambiguous option: ${token} could match ${candidates.join(', ')}`;
      throw new UsageError(this.#commandName, message);
    }
    return candidates[0];
  }

  #refuse(option: OptionSpec, message: string): never {
    throw new UsageError(this.#commandName, `argument ${optionName(option)}: ${message}`);
  }
}
