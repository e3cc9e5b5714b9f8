/** A command line that is being typed: what is known of it before the word at the cursor. */
import { choicesOf, commandGroups, loadCommand } from '../command-table.ts';
import type { CommandSpec } from '../command.ts';
import { commonOptions } from '../options/common.ts';
import { optionsOf, type OptionSpec } from '../options/option.ts';
import { takesValue } from '../options/tokens.ts';
import { programOptions } from '../parse-command-line.ts';

export interface CompletionLine {
  readonly current: string;
  /** Name of the command, as far as it is typed. */
  readonly command: string;
  /** Undefined before a command is named. */
  readonly spec: CommandSpec | undefined;
  readonly options: readonly OptionSpec[];
  readonly given: ReadonlySet<OptionSpec>;
  readonly operands: readonly string[];
  /** The option whose value stands at the cursor. */
  readonly pending: OptionSpec | undefined;
  /** No options follow. */
  readonly endOfOptions: boolean;
}

/** Takes what is typed as it is: a word that makes no sense is passed over. */
export async function readLine(words: readonly string[]): Promise<CompletionLine> {
  let command = '';
  let spec: CommandSpec | undefined;
  let options = programOptions;
  let pending: OptionSpec | undefined;
  let endOfOptions = false;
  const given = new Set<OptionSpec>();
  const operands: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (!endOfOptions && word === '--') {
      endOfOptions = true;
    } else if (!endOfOptions && word.startsWith('-') && word.length > 1) {
      const option = optionOf(word, options);
      if (option === undefined) continue;
      given.add(option);
      if (takesValue(option) && option.impliedText === undefined && !bringsValue(word, option))
        pending = option;
    } else if (spec === undefined) {
      if (!choicesOf(command).includes(word)) continue;
      command = command === '' ? word : `${command} ${word}`;
      if (Object.hasOwn(commandGroups, command)) {
        options = commonOptions.options;
        continue;
      }
      spec = await loadCommand(command);
      if (spec === undefined) break;
      options = [...optionsOf(spec), ...commonOptions.options];
    } else {
      operands.push(word);
      if (spec.positionals.some(({ arity }) => arity === 'rest')) endOfOptions = true;
    }
  }
  return { current: words.at(-1) ?? '', command, spec, options, given, operands, pending, endOfOptions };
}

/** The option of `--name`, `--name=value`, an abbreviation, or of the last letter of `-nv` that stands for one. */
function optionOf(word: string, options: readonly OptionSpec[]): OptionSpec | undefined {
  if (word.startsWith('--')) {
    const name = word.split('=', 1)[0]!;
    const exact = options.find(({ flags }) => flags.includes(name));
    return exact ?? options.find(({ flags }) => flags.some((flag) => flag.startsWith(name)));
  }
  let last: OptionSpec | undefined;
  for (const letter of word.slice(1)) {
    last = options.find(({ flags }) => flags.includes(`-${letter}`));
    if (last === undefined || takesValue(last)) break;
  }
  return last;
}

function bringsValue(word: string, { flags }: OptionSpec): boolean {
  if (word.startsWith('--')) return word.includes('=');
  return !flags.includes(`-${word.at(-1)}`) || word.indexOf(word.at(-1)!) < word.length - 1;
}
