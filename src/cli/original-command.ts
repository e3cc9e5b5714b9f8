/**
 * A command that sshd runs in place of the one that the client asked for (`command="…"` in authorized_keys): its own
 * options count, but for a few that the client may set. What restricts the client is never the client's to say.
 *
 * Source: Borg 1.4.5 archiver.py, get_args().
 */
import { GeneralError } from '../errors.ts';
import { ShellSyntaxError, splitShellWords } from '../util/shell-words.ts';
import type { CommonArgs } from './options/common.ts';
import type { ParseContext } from './options/option.ts';
import { parseCommandLine, type CommandLine } from './parse-command-line.ts';

type CommandRun = Extract<CommandLine, { kind: 'command' }>;

/** What is to be run. A client that asks for the help or the version gets them; another command is ignored. */
export async function heedOriginalCommand(line: CommandRun, context: ParseContext): Promise<CommandLine> {
  const original = context.env['SSH_ORIGINAL_COMMAND'];
  if (original === undefined) return line;
  const asked = await parseCommandLine(argumentsOf(original), context);
  if (asked.kind !== 'command') return asked;
  if (asked.spec.name !== line.spec.name) return line;
  const args: Record<string, unknown> = { ...line.args };
  const given = asked.args as unknown as Record<string, unknown>;
  for (const name of line.spec.clientMaySet ?? []) args[name] = given[name];
  return { ...line, args: args as unknown as CommonArgs };
}

/** Without the program's name, and the variables that a shell would set in front of it. */
function argumentsOf(commandLine: string): string[] {
  let words: string[];
  try {
    words = splitShellWords(commandLine);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    throw new GeneralError([`SSH_ORIGINAL_COMMAND is no command line: ${error.message}`], error);
  }
  const program = words.findIndex((word) => !word.includes('='));
  return program < 0 ? [] : words.slice(program + 1);
}
