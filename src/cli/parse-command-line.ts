/**
 * From what was typed to a command and its arguments. Common options may stand before the command, between the
 * parts of its name, and after it; the later one wins.
 *
 * Source: Borg 1.4.5 archiver.py (parse_args, CommonOptions).
 */
import type { CommandSpec } from './command.ts';
import { choicesOf, commandGroups, loadCommand } from './command-table.ts';
import { commonOptions, type CommonArgs } from './options/common.ts';
import { optionsOf, type OptionSpec, type ParseContext } from './options/option.ts';
import { missingOptions, resolveOptions, resolvePositionals } from './options/resolve.ts';
import { readTokens, type Occurrence, type Tokens } from './options/tokens.ts';
import { GeneralError } from '../errors.ts';
import { commandSuggestion, suggestion } from './suggestion.ts';
import { UsageError } from './usage-error.ts';

export type CommandLine =
  | { readonly kind: 'version' }
  /** Help on a command, a group of commands, or (empty) the program. */
  | { readonly kind: 'help'; readonly name: string }
  | {
      readonly kind: 'command';
      readonly spec: CommandSpec;
      readonly args: CommonArgs;
    };

const versionOption: OptionSpec = {
  flags: ['-V', '--version'],
  dest: 'version',
  action: 'constant',
  fallback: false,
  help: 'show the version and exit',
};

export const programOptions: readonly OptionSpec[] = [versionOption, ...commonOptions.options];

export async function parseCommandLine(argv: readonly string[], context: ParseContext): Promise<CommandLine> {
  if (argv.length === 0) return { kind: 'help', name: '' };
  const found = await findCommand(argv, context);
  if ('kind' in found) return found;
  const { name, rest, occurrences } = found;
  const spec = await loadCommand(name)!;
  const options = [...commonOptions.options, ...optionsOf(spec)];
  const tokens = readTokens(name, options, rest, operandCount(spec));
  if (asksFor('help', tokens)) return { kind: 'help', name };
  const all: Occurrence[] = [...occurrences, ...tokens.occurrences];
  const args = await resolveOptions(name, options, all, context);
  // Operands behind an unknown option may be its values, so nothing can be said about them.
  refuseUnrecognized(tokens.unknown, options, name);
  const missing = missingOptions(options, all);
  const left = await resolvePositionals(spec, tokens.operands, missing, args, context);
  refuseUnrecognized(left, options, name);
  const parsed = args as unknown as CommonArgs;
  if (!parsed.lock && !spec.mayBypassLock) {
    throw new GeneralError(['Not allowed to bypass locking mechanism for chosen command']);
  }
  const problem = spec.check?.(parsed);
  if (problem !== undefined) throw new UsageError(name, problem);
  return { kind: 'command', spec, args: parsed };
}

/** How many operands are its own, where the rest belongs to another program. */
function operandCount({ positionals }: CommandSpec): number {
  const rest = positionals.findIndex(({ arity }) => arity === 'rest');
  return rest < 0 ? Infinity : rest;
}

interface FoundCommand {
  readonly name: string;
  readonly rest: readonly string[];
  /** Options in front of it. */
  readonly occurrences: readonly Occurrence[];
}

async function findCommand(
  argv: readonly string[],
  context: ParseContext,
): Promise<FoundCommand | Exclude<CommandLine, { kind: 'command' }>> {
  const first = readTokens('', programOptions, argv, 1);
  for (const { option } of first.occurrences) {
    if (option === versionOption) return { kind: 'version' };
    if (option.dest === 'help') return { kind: 'help', name: '' };
  }
  refuseUnrecognized(first.unknown, programOptions);
  // A value that is missing took the command's name in its place.
  await resolveOptions('', programOptions, first.occurrences, context);
  let rest = first.operands;
  let name = rest[0];
  if (name === undefined) return { kind: 'help', name: '' };
  refuseUnknownName('', name);
  rest = rest.slice(1);
  const occurrences = [...first.occurrences];
  if (Object.hasOwn(commandGroups, name)) {
    const middle = readTokens(name, commonOptions.options, rest, 1);
    if (asksFor('help', middle)) return { kind: 'help', name };
    refuseUnrecognized(middle.unknown, commonOptions.options, name);
    await resolveOptions(name, commonOptions.options, middle.occurrences, context);
    const second = middle.operands[0];
    if (second === undefined) return { kind: 'help', name };
    refuseUnknownName(name, second);
    occurrences.push(...middle.occurrences);
    rest = middle.operands.slice(1);
    name = `${name} ${second}`;
  }
  return { name, rest, occurrences };
}

function refuseUnknownName(group: string, name: string): void {
  const choices = choicesOf(group);
  if (choices.includes(name)) return;
  const list = choices.map((choice) => `'${choice}'`).join(', ');
  const message = `argument <command>: invalid choice: '${name}' (choose from ${list})`;
  throw new UsageError(group, message, commandSuggestion(name, choices));
}

function refuseUnrecognized(tokens: readonly string[], options: readonly OptionSpec[], name?: string): void {
  if (tokens.length === 0) return;
  const command = name === undefined ? 'alcove' : `alcove ${name}`;
  const typed = tokens.find((token) => token.startsWith('--'))?.split('=', 1)[0];
  const known = options.flatMap((option) => (option.hidden ? [] : option.flags));
  const near = typed === undefined ? undefined : suggestion(typed, known);
  const message = `unrecognized arguments: ${tokens.join(' ')}`;
  throw new UsageError('', message, near ?? `"${command} --help" lists the options.`);
}

function asksFor(dest: string, tokens: Tokens): boolean {
  return tokens.occurrences.some(({ option }) => option.dest === dest);
}
