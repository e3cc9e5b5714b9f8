import type { CliContext } from './context.ts';
import type { CommonArgs } from './options/common.ts';
import type { OptionGroup, PositionalSpec } from './options/option.ts';
import type { ProgressLineOptions } from './output/backup-progress.ts';
import type { ArchiveProgressLine } from './output/terminal-reporter.ts';
import type { CliReporter, ReporterOptions } from './output/cli-reporter.ts';

/** A command line and what it does. */
export interface Example {
  readonly command: string;
  readonly text: string;
}

/**
 * A command as data, and the function that runs it. The parser, the help, the manual page and the shell completions
 * read the data; `run` turns parsed arguments into calls of the library and prints what comes back.
 */
export interface CommandSpec<Args extends CommonArgs = CommonArgs> {
  /** As it is typed, e.g. `key export`. */
  readonly name: string;
  /** Paragraphs parted by empty lines; indented lines are kept as they are. */
  readonly description: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionGroup[];
  readonly examples: readonly Example[];
  /** Whether --bypass-lock makes sense: only for commands that change nothing. */
  readonly mayBypassLock?: boolean;
  /** Shows progress without --progress where stderr is a terminal. */
  readonly progressOnTerminal?: boolean;
  /** The line that shows the progress of an archive, where it is not Borg's. */
  readonly progressLine?: (options: ProgressLineOptions) => ArchiveProgressLine;
  /** How it speaks to the client that it serves, and not to a user: always with progress. */
  clientReporter?(options: ReporterOptions, args: Args): CliReporter;
  /** By name: what the client may set if sshd runs this command in place of the client's (SSH_ORIGINAL_COMMAND). */
  readonly clientMaySet?: readonly string[];
  /** Says what is wrong with the arguments taken together. */
  check?(args: Args): string | undefined;
  /** The number it gives, if any, is an exit code that errors and warnings may still raise. */
  run(ctx: CliContext, args: Args): Promise<number | void>;
}

/** For the compiler: checks that `run` and the data belong together, without widening what it gives. */
export function defineCommand<Args extends CommonArgs>(spec: CommandSpec<Args>): CommandSpec {
  return spec;
}
