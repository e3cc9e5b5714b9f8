import type { Environment } from '../../util/context.ts';
import type { Identity } from '../io.ts';
import type { CommandSpec } from '../command.ts';

/** What a parse function may look at besides its text. */
export interface ParseContext {
  readonly env: Environment;
  readonly cwd: string;
  nowNs(): bigint;
  /** Contents of a file; relative paths start at `cwd`. */
  readFile(path: string): Promise<Uint8Array>;
  /** Modification time of what a path leads to, ns; undefined where there is nothing. */
  modifiedNs(path: string): Promise<bigint | undefined>;
  identity(): Promise<Identity>;
}

/**
 * Turns the text of one value into what the command gets.
 * Throws `InvalidValue` with a message that follows `argument --x: `.
 */
export type ParseValue = (text: string, context: ParseContext) => unknown;

/**
 * What an option does to its destination:
 *
 * | action    | effect                                                                  |
 * |-----------|-------------------------------------------------------------------------|
 * | store     | the parsed value; the last one wins                                     |
 * | once      | the same, and a second one is an error ("There can be only one.")       |
 * | append    | adds the parsed value to a list                                         |
 * | extend    | adds all values of the parsed list to a list                            |
 * | constant  | stores `constant` (true, if it has none)                                |
 * | count     | counts how often it was given                                           |
 */
export type OptionAction = 'store' | 'once' | 'append' | 'extend' | 'constant' | 'count';

/**
 * What shells offer for a value: files, directories, a repository or an archive in one, names of archives of the
 * repository given before, commands of the shell, topics of the help, or these words (behind commas, too, in a list).
 */
export type Completes =
  | 'files'
  | 'directories'
  | 'repository'
  | 'location'
  | 'archives'
  | 'commands'
  | 'topics'
  | 'nothing'
  | { readonly words: readonly string[]; readonly list?: boolean };

/** One option as data: the parser, the help, the manual page and the shell completions read it. */
export interface OptionSpec {
  /** All spellings, short ones first, e.g. `-C`, `--compression`. */
  readonly flags: readonly string[];
  /** Name of its value in the parsed arguments. */
  readonly dest: string;
  /** One sentence without a full stop. */
  readonly help: string;
  readonly action?: OptionAction;
  /** Name of the value in the help; an option without one takes no value. */
  readonly metavar?: string;
  /** Its value where it is given without one: at the end, or in front of another option. */
  readonly impliedText?: string;
  /** Takes what follows even if it looks like an option, as Python's argparse where `nargs` is a number. */
  readonly takesAnything?: boolean;
  readonly parse?: ParseValue;
  readonly choices?: readonly string[];
  /** Default: the choices, or files where the metavar speaks of one. */
  readonly completes?: Completes;
  readonly constant?: unknown;
  /** Value where the option is not given. */
  readonly fallback?: unknown;
  /** Environment variable whose text counts where the option is not given; an empty one does not. */
  readonly variable?: string;
  readonly required?: boolean;
  /** Options of one name exclude each other. */
  readonly excludes?: string;
  /** Borg does not have it: an abbreviation that means an option of Borg goes on to mean that. */
  readonly beyondBorg?: boolean;
  /** Left out of the help. */
  readonly hidden?: boolean;
}

/** One positional argument as data. */
export interface PositionalSpec {
  readonly metavar: string;
  readonly dest: string;
  readonly help: string;
  /** `one` is required, `optional` may be left out, `many` takes all that are left (also none), `rest` even options. */
  readonly arity: 'one' | 'optional' | 'many' | 'rest';
  readonly parse?: ParseValue;
  /** Default: files where the metavar speaks of one. */
  readonly completes?: Completes;
  /** Text parsed where an optional one is left out. */
  readonly fallbackText?: string;
}

/** Options under one heading in the help. */
export interface OptionGroup {
  readonly title: string;
  readonly description?: string;
  readonly options: readonly OptionSpec[];
}

/** A value that its parse function refuses. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
  /** What to do about it, below the message. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

export function optionsOf(spec: Pick<CommandSpec, 'options'>): OptionSpec[] {
  return spec.options.flatMap((group) => group.options);
}

/** The option's name in messages: `-C/--compression`. */
export function optionName(option: OptionSpec): string {
  return option.flags.join('/');
}
