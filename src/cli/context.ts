import type { Context } from '../util/context.ts';
import type { CommandSpec } from './command.ts';
import type { CliIo } from './io.ts';
import type { Logging } from './logging/open-logging.ts';
import type { CommonArgs } from './options/common.ts';
import type { CliReporter, ReporterOptions } from './output/cli-reporter.ts';
import { LogFilter, type LogSettings } from './output/log-filter.ts';

/** The library's context, and what a command prints with. */
export interface CliContext extends Context {
  readonly io: CliIo;
  readonly reporter: CliReporter;
  /** Progress is shown. */
  readonly progress: boolean;
  /** Writes to stdout; the text brings its own line ends. */
  print(text: string | Uint8Array): void;
  /** The same for what may be much; throws the signal's reason while nobody reads. */
  printMuch(data: Uint8Array): Promise<void>;
}

/** Options of some commands that change what is shown. */
interface OutputArgs {
  readonly outputList?: boolean;
  readonly outputFilter?: string;
  readonly stats?: boolean;
  readonly quickStats?: boolean;
}

export async function createContext(io: CliIo, spec: CommandSpec, args: CommonArgs): Promise<CliContext> {
  const progress =
    args.progress ||
    spec.clientReporter !== undefined ||
    (spec.progressOnTerminal === true && io.stderr.isTerminal && !args.logJson);
  const reporter = await createReporter(io, spec, args, progress);
  return {
    io,
    reporter,
    progress,
    env: io.env,
    cwd: io.cwd,
    signal: io.signal,
    nowNs: () => io.nowNs(),
    readPassphrase: (prompt) => {
      reporter.leaveProgressLine();
      return io.readPassphrase(prompt);
    },
    print: (text) => {
      reporter.leaveProgressLine();
      io.stdout.write(text);
    },
    printMuch: async (data) => {
      reporter.leaveProgressLine();
      if (io.stdout.writeMuch === undefined) io.stdout.write(data);
      else await io.stdout.writeMuch(data, io.signal);
    },
  };
}

async function createReporter(
  io: CliIo,
  spec: CommandSpec,
  args: CommonArgs & OutputArgs,
  progress: boolean,
): Promise<CliReporter> {
  const { outputList = false, outputFilter, stats = false, quickStats = false } = args;
  const settings: LogSettings = {
    level: args.logLevel,
    debugTopics: args.debugTopics,
    list: outputList,
    showVersion: args.showVersion,
    showRc: args.showRc,
    stats: stats || quickStats,
    progress,
  };
  const logging = await loadLogging(io);
  const options = {
    stderr: io.stderr,
    env: io.env,
    filter: new LogFilter(settings, logging?.config),
    route: logging?.route,
    progress,
    list: outputList,
    statusFilter: outputFilter,
    iec: args.iec,
    nowNs: () => io.nowNs(),
    readLine: () => io.readLine(),
  };
  const reporter = await makeReporter(options, spec, args);
  if (logging?.failure !== undefined) reporter.log('warning', logging.failure, { logger: 'borg.logger' });
  return reporter;
}

async function makeReporter(
  options: ReporterOptions,
  spec: CommandSpec,
  args: CommonArgs,
): Promise<CliReporter> {
  if (spec.clientReporter !== undefined) return spec.clientReporter(options, args);
  if (args.logJson) {
    const { JsonReporter } = await import('./output/json-reporter.ts');
    return new JsonReporter(options);
  }
  const { TerminalReporter } = await import('./output/terminal-reporter.ts');
  return new TerminalReporter(options, spec.progressLine?.(options));
}

/** Most commands have no logging configuration, and need no code for it. */
async function loadLogging(io: CliIo): Promise<Logging | undefined> {
  const path = io.env['BORG_LOGGING_CONF'];
  if (!path) return undefined;
  const { openLogging } = await import('./logging/open-logging.ts');
  return openLogging(io, path);
}
