/** Turns what was typed into the arguments that a command gets. */
import type { CommandSpec } from '../command.ts';
import { suggestion } from '../suggestion.ts';
import { UsageError } from '../usage-error.ts';
import {
  InvalidValue,
  optionName,
  type OptionSpec,
  type ParseContext,
  type ParseValue,
  type PositionalSpec,
} from './option.ts';
import type { Occurrence } from './tokens.ts';

export type ParsedArgs = Record<string, unknown>;

/** Applies the options in the order in which they were typed. */
export async function resolveOptions(
  commandName: string,
  options: readonly OptionSpec[],
  occurrences: readonly Occurrence[],
  context: ParseContext,
): Promise<ParsedArgs> {
  const args = fallbacks(options);
  const seen = new Set<string>();
  const groups = new Map<string, OptionSpec>();
  for (const { option, text } of occurrences) {
    const refuse = (message: string, hint?: string): never => {
      throw new UsageError(commandName, `argument ${optionName(option)}: ${message}`, hint);
    };
    const value =
      text === undefined
        ? undefined
        : await parseText(commandName, optionName(option), option.parse, text, context);
    if (text !== undefined && option.choices !== undefined && !option.choices.includes(text)) {
      const choices = option.choices.map((choice) => `'${choice}'`).join(', ');
      refuse(`invalid choice: '${text}' (choose from ${choices})`, suggestion(text, option.choices));
    }
    // As Borg: what was given before may be given again if it was the default.
    if (option.action === 'once' && seen.has(option.dest) && args[option.dest] !== option.fallback) {
      refuse('There can be only one.');
    }
    if (option.excludes !== undefined) {
      const other = groups.get(option.excludes);
      if (other !== undefined && other !== option) {
        refuse(`not allowed with argument ${optionName(other)}`);
      }
      groups.set(option.excludes, option);
    }
    seen.add(option.dest);
    apply(args, option, value);
  }
  for (const option of options) {
    const text = option.variable === undefined ? undefined : context.env[option.variable];
    if (text === undefined || text === '' || seen.has(option.dest)) continue;
    const name = `${optionName(option)} (from ${option.variable})`;
    apply(args, option, await parseText(commandName, name, option.parse, text, context));
  }
  return args;
}

/** Required options that were not given, by name. */
export function missingOptions(options: readonly OptionSpec[], occurrences: readonly Occurrence[]): string[] {
  const given = new Set(occurrences.map(({ option }) => option.dest));
  return options.filter((option) => option.required && !given.has(option.dest)).map(optionName);
}

/** Hands the operands to the positional arguments in order; gives the operands that are left over. */
export async function resolvePositionals(
  { name: commandName, positionals, examples }: Pick<CommandSpec, 'name' | 'positionals' | 'examples'>,
  operands: readonly string[],
  missing: readonly string[],
  args: ParsedArgs,
  context: ParseContext,
): Promise<readonly string[]> {
  const required = positionals.filter((positional) => positional.arity === 'one');
  const absent = [...missing, ...absentNames(positionals, operands.length)];
  if (absent.length > 0) {
    const message = `the following arguments are required: ${absent.join(', ')}`;
    const example = examples[0] === undefined ? undefined : `For example: ${examples[0].command}`;
    throw new UsageError(commandName, message, example);
  }
  let next = 0;
  let stillRequired = required.length;
  for (const positional of positionals) {
    const parse = (text: string) =>
      parseText(commandName, positional.metavar, positional.parse, text, context);
    if (positional.arity === 'one') stillRequired--;
    const available = operands.length - next - stillRequired;
    if (positional.arity === 'many' || positional.arity === 'rest') {
      const previous = (args[positional.dest] as unknown[] | undefined) ?? [];
      const values = [];
      for (; next < operands.length; next++) values.push(await parse(operands[next]!));
      args[positional.dest] = [...previous, ...values];
    } else if (available > 0) {
      args[positional.dest] = await parse(operands[next++]!);
    } else {
      args[positional.dest] =
        positional.fallbackText === undefined ? undefined : await parse(positional.fallbackText);
    }
  }
  return operands.slice(next);
}

function absentNames(positionals: readonly PositionalSpec[], operandCount: number): string[] {
  const required = positionals.filter((positional) => positional.arity === 'one');
  return required.slice(operandCount).map((positional) => positional.metavar);
}

async function parseText(
  commandName: string,
  name: string,
  parse: ParseValue | undefined,
  text: string,
  context: ParseContext,
): Promise<unknown> {
  if (parse === undefined) return text;
  try {
    return await parse(text, context);
  } catch (error) {
    if (error instanceof InvalidValue) {
      throw new UsageError(commandName, `argument ${name}: ${error.message}`, error.hint);
    }
    throw error;
  }
}

function fallbacks(options: readonly OptionSpec[]): ParsedArgs {
  const args: ParsedArgs = {};
  for (const { dest, fallback, action } of options) {
    if (args[dest] !== undefined) continue;
    args[dest] = action === 'append' || action === 'extend' ? [...((fallback ?? []) as unknown[])] : fallback;
  }
  return args;
}

function apply(args: ParsedArgs, option: OptionSpec, value: unknown): void {
  const { dest } = option;
  switch (option.action ?? 'store') {
    case 'store':
    case 'once':
      args[dest] = value;
      return;
    case 'append':
      (args[dest] as unknown[]).push(value);
      return;
    case 'extend':
      (args[dest] as unknown[]).push(...(value as unknown[]));
      return;
    case 'constant':
      args[dest] = option.constant ?? true;
      return;
    case 'count':
      args[dest] = ((args[dest] as number | undefined) ?? 0) + 1;
  }
}
