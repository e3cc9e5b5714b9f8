/**
 * The command line that starts a server: the program that connects, the host, and the server's own command.
 *
 * Source: Borg 1.4.5 remote.py, RemoteRepository.ssh_cmd() and borg_cmd().
 */
import { CommandError } from '../errors.ts';
import type { Location } from '../format/location.ts';
import type { Environment } from '../util/context.ts';
import type { LogLevel } from '../util/reporter.ts';
import { ShellSyntaxError, splitShellWords } from '../util/shell-words.ts';

/** How a server is reached, and what it is told. */
export interface ServerOptions {
  /** The command that connects, as a shell splits it. Default BORG_RSH, else `ssh`. */
  readonly rsh?: string | undefined;
  /** The program that runs there, without placeholders. Default BORG_REMOTE_PATH, else `borg`. */
  readonly remotePath?: string | undefined;
  /** From which level on it sends log lines. Default `warning`. */
  readonly logLevel?: LogLevel | undefined;
  /** Only those about repositories are passed on. */
  readonly debugTopics?: readonly string[] | undefined;
  readonly storageQuotaBytes?: number | undefined;
}

/** Throws a CommandError where the command that connects can't be split into words. */
export function serverCommand(location: Location, options: ServerOptions, env: Environment): string[] {
  return [...connectionCommand(location, options, env), ...serveCommand(options, env)];
}

function connectionCommand(
  { user, host, port }: Location,
  options: ServerOptions,
  env: Environment,
): string[] {
  const words = splitRsh(options.rsh || env['BORG_RSH'] || 'ssh');
  if (port !== undefined) words.push('-p', String(port));
  // A word that begins like an option would be one to ssh, and some of them run commands.
  const target = user === undefined ? (host ?? '') : `${user}@${host}`;
  if (target.startsWith('-'))
    throw new CommandError([`the name of a host or user can't begin with "-": ${target}`]);
  return [...words, target];
}

function splitRsh(rsh: string): string[] {
  try {
    return splitShellWords(rsh);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    throw new CommandError(
      [`the command that connects can't be understood: ${error.message} in ${rsh}`],
      error,
    );
  }
}

function serveCommand(options: ServerOptions, env: Environment): string[] {
  const { logLevel = 'warning', debugTopics = [], storageQuotaBytes } = options;
  const words = [options.remotePath || env['BORG_REMOTE_PATH'] || 'borg', 'serve'];
  if (logLevel !== 'warning') words.push(`--${logLevel}`);
  for (const topic of debugTopics) {
    const logger = topic.includes('.') ? topic : `borg.debug.${topic}`;
    if (logger.includes('repository')) words.push(`--debug-topic=${logger}`);
  }
  if (storageQuotaBytes) words.push(`--storage-quota=${storageQuotaBytes}`);
  return words;
}
