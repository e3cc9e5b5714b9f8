/**
 * Reads the options of one level of the command line. Commander does the reading; this file adds what Borg's parser
 * (Python's argparse) accepts beyond it: abbreviated long options, and its error texts. Everything goes into one
 * list in the order in which it was typed, which is the order that --pattern, --exclude and their like depend on.
 */
import { Command, Option } from 'commander';
import { optionName, type OptionSpec } from './option.ts';
import { UsageError } from '../usage-error.ts';

/** One option as it was given. */
export interface Occurrence {
  readonly option: OptionSpec;
  /** The spelling used. */
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

/** With `stopAtOperand`, all from the first operand on are operands. */
export function readTokens(
  commandName: string,
  options: readonly OptionSpec[],
  argv: readonly string[],
  stopAtOperand: boolean,
): Tokens {
  const occurrences: Occurrence[] = [];
  const command = new Command(commandName || 'alcove').helpOption(false);
  if (stopAtOperand) command.enablePositionalOptions().passThroughOptions();
  for (const option of options) {
    for (const flag of option.flags) {
      const record = (text: string | undefined) => occurrences.push({ option, flag, text });
      command.addOption(new Option(takesValue(option) ? `${flag} <value>` : flag).argParser(record));
    }
  }
  const { operands, unknown } = command.parseOptions(normalize(commandName, options, argv, stopAtOperand));
  const refused = unknown.filter((token) => token.startsWith('-') && token.length > 1 && token !== '--');
  return { occurrences, operands, unknown: refused };
}

export function takesValue(option: OptionSpec): boolean {
  return option.metavar !== undefined;
}

/** Writes abbreviated options in full, and refuses values that are missing or that nobody asked for. */
function normalize(
  commandName: string,
  options: readonly OptionSpec[],
  argv: readonly string[],
  stopAtOperand: boolean,
): string[] {
  const byFlag = new Map(options.flatMap((option) => option.flags.map((flag) => [flag, option] as const)));
  const result: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i]!;
    if (token === '--') return [...result, ...argv.slice(i)];
    if (!isOptionLike(token, byFlag)) {
      if (stopAtOperand) return [...result, ...argv.slice(i)];
      result.push(token);
      continue;
    }
    const { flag, value, option } = token.startsWith('--')
      ? splitLong(commandName, token, byFlag)
      : splitShort(token, byFlag);
    if (option !== undefined && !takesValue(option) && value !== undefined) {
      throw new UsageError(
        commandName,
        `argument ${optionName(option)}: ignored explicit argument '${value}'`,
      );
    }
    if (option !== undefined && takesValue(option) && value === undefined) {
      const next = argv[i + 1];
      const refused = option.takesAnything ? next === '--' : next !== undefined && isOptionLike(next, byFlag);
      if (next === undefined || refused) {
        if (option.impliedText !== undefined) {
          result.push(`${flag}=${option.impliedText}`);
          continue;
        }
        throw new UsageError(commandName, `argument ${optionName(option)}: expected one argument`);
      }
      result.push(flag, next);
      i++;
    } else {
      result.push(value === undefined || !token.startsWith('--') ? flag : `${flag}=${value}`);
    }
  }
  return result;
}

/** Whether a token is an option rather than a value: Python's argparse, _parse_optional(). */
function isOptionLike(token: string, byFlag: ReadonlyMap<string, OptionSpec>): boolean {
  if (!token.startsWith('-') || token === '-') return false;
  if (byFlag.has(token) || byFlag.has(token.split('=', 1)[0]!)) return true;
  if (/^-\d+$|^-\d*\.\d+$/.test(token)) return false;
  return !token.includes(' ');
}

interface SplitOption {
  /** What commander gets to see. */
  readonly flag: string;
  readonly value: string | undefined;
  readonly option: OptionSpec | undefined;
}

function splitLong(commandName: string, token: string, byFlag: ReadonlyMap<string, OptionSpec>): SplitOption {
  const equals = token.indexOf('=');
  const name = equals < 0 ? token : token.slice(0, equals);
  const value = equals < 0 ? undefined : token.slice(equals + 1);
  if (byFlag.has(name)) return { flag: name, value, option: byFlag.get(name) };
  const candidates = [...byFlag.keys()].filter((flag) => flag.startsWith(name) && flag.startsWith('--'));
  if (candidates.length > 1) {
    throw new UsageError(commandName, `ambiguous option: ${token} could match ${candidates.join(', ')}`);
  }
  const flag = candidates[0];
  return flag === undefined
    ? { flag: token, value: undefined, option: undefined }
    : { flag, value, option: byFlag.get(flag) };
}

/** A group of one-letter options: the first that takes a value takes what follows it. */
function splitShort(token: string, byFlag: ReadonlyMap<string, OptionSpec>): SplitOption {
  for (let i = 1; i < token.length; i++) {
    const option = byFlag.get(`-${token[i]}`);
    if (option === undefined) break;
    if (!takesValue(option)) continue;
    const rest = token.slice(i + 1);
    return { flag: token, value: rest === '' ? undefined : rest, option };
  }
  return { flag: token, value: undefined, option: undefined };
}
