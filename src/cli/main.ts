import { resolve } from 'node:path';
import type { CliContext } from './context.ts';
import type { CommandLine } from './parse-command-line.ts';
import type { CommonArgs } from './options/common.ts';
import { deprecationsIn } from './options/deprecations.ts';
import { classifyExitCode, EXIT_ERROR, EXIT_SUCCESS, exitCode, type ExitCodeStyle } from './exit-code.ts';
import { SignalReceived, type CliIo } from './io.ts';
import { nameProgram } from './program-name.ts';
import { UsageError } from './usage-error.ts';

interface StatisticsArgs {
  readonly dryRun?: boolean;
  readonly stats?: boolean;
  readonly quickStats?: boolean;
}

type CommandRun = Extract<CommandLine, { kind: 'command' }>;

/** Runs one command line; gives the exit code. Never throws. */
export async function main(io: CliIo): Promise<number> {
  let line: CommandLine;
  try {
    const { parseCommandLine } = await import('./parse-command-line.ts');
    // As text even with --log-json, and whatever the level: as Borg does.
    const deprecations = io.isBackground === true ? [] : deprecationsIn(io.argv);
    for (const deprecation of deprecations) io.stderr.write(`${deprecation}\n`);
    line = await parseCommandLine(io.argv, io);
    if (line.kind === 'command' && line.spec.clientMaySet !== undefined) {
      const { heedOriginalCommand } = await import('./original-command.ts');
      line = await heedOriginalCommand(line, io);
    }
    if (line.kind === 'version') {
      const { versionText } = await import('./version.ts');
      io.stdout.write(`${versionText(io.name)}\n`);
      return EXIT_SUCCESS;
    }
    if (line.kind === 'help') {
      const { helpText } = await import('./help/help-text.ts');
      io.stdout.write((await helpText(line.name, { program: io.name, columns: io.stdout.columns }))!);
      return EXIT_SUCCESS;
    }
  } catch (error) {
    return refuse(io, error);
  }
  return runCommand(io, line);
}

/** What goes wrong before there is a reporter: plain text, whatever the options say. */
async function refuse(io: CliIo, error: unknown): Promise<number> {
  const { colored, takesColor } = await import('./output/color.ts');
  const inRed = (text: string) => (takesColor(io.stderr, io.env) ? colored(text, 'error') : text);
  if (error instanceof UsageError) {
    const { usageLine } = await import('./help/help-text.ts');
    const program = error.command === '' ? io.name : `${io.name} ${error.command}`;
    io.stderr.write(await usageLine(error.command, io.name));
    io.stderr.write(`${inRed(`${program}: error: ${error.message}`)}\n`);
    if (error.hint !== undefined) io.stderr.write(`${nameProgram(error.hint, io.name)}\n`);
    return EXIT_ERROR;
  }
  const { describeError } = await import('./output/error-text.ts');
  const { message, hint } = await describeError(error);
  io.stderr.write(`${inRed(message)}\n`);
  if (hint !== undefined) io.stderr.write(`${hint}\n`);
  return exitCode({ error, warnings: [] }, styleOf(io));
}

async function runCommand(io: CliIo, { spec, args: given }: CommandRun): Promise<number> {
  io.setUmask(given.umask);
  const { createContext } = await import('./context.ts');
  const ctx = await createContext(io, spec, given);
  const { reporter } = ctx;
  const args = withoutStatistics(ctx, given);
  io.onInquiry?.(() => reporter.sayWork());
  if (args.showVersion && io.isBackground !== true) {
    const { BORG_VERSION } = await import('./version.ts');
    reporter.log('info', `borgbackup version ${BORG_VERSION}`, { logger: 'borg.output.show-version' });
  }
  let error: unknown;
  let requested: number | undefined;
  try {
    requested = (await runProfiled(ctx, { spec, args })) ?? undefined;
  } catch (thrown) {
    if (thrown instanceof UsageError) return refuse(io, thrown);
    error = thrown ?? new Error('nothing was thrown');
  }
  reporter.leaveProgressLine();
  const signal = signalOf(io, error);
  if (error !== undefined)
    await showError(ctx, signal === undefined ? error : new SignalReceived(signal), error);
  const code = exitCode({ error, signal, requested, warnings: reporter.warnings }, styleOf(io));
  if (args.showRc && io.isBackground !== true) showExitCode(ctx, code);
  return code;
}

/** They are counted by what is done, so there are none of what would be done. */
function withoutStatistics(
  { reporter }: CliContext,
  args: CommonArgs & StatisticsArgs,
): CommonArgs & StatisticsArgs {
  if (args.dryRun !== true) return args;
  for (const option of [args.stats && '--stats', args.quickStats && '--quick-stats']) {
    if (option) reporter.log('warning', `Ignoring ${option}. It is not supported when using --dry-run.`);
  }
  return { ...args, stats: false, quickStats: false };
}

async function runProfiled(
  ctx: CliContext,
  { spec, args }: Pick<CommandRun, 'spec' | 'args'>,
): Promise<number | void> {
  if (args.debugProfile === undefined) return spec.run(ctx, args);
  const { CpuProfile } = await import('../platform/cpu-profile.ts');
  ctx.reporter.log('debug', `Writing execution profile to ${args.debugProfile}`);
  const profile = await CpuProfile.start(resolve(ctx.cwd, args.debugProfile));
  try {
    return await spec.run(ctx, args);
  } finally {
    await profile.finish();
  }
}

async function showError({ io, reporter }: CliContext, shown: unknown, error: unknown): Promise<void> {
  const { describeError, stackText } = await import('./output/error-text.ts');
  const { message, msgid, hint, internal } = await describeError(shown);
  reporter.log('error', message, { msgid });
  if (hint !== undefined) reporter.hint(hint);
  const level = internal ? 'error' : 'debug';
  if (!reporter.shows(level)) return;
  const { systemInfo } = await import('./output/system-info.ts');
  const info = await systemInfo(io);
  reporter.log(level, info === '' ? stackText(error) : `${stackText(error)}\n\n${info}\n`);
}

/** A command that was told to stop by Ctrl-C may end with an error of its own; the other signals end it anyway. */
function signalOf(io: CliIo, error: unknown) {
  if (error === undefined) return undefined;
  const reason: unknown = io.signal.aborted ? io.signal.reason : undefined;
  const stopped = error === reason || (error instanceof Error && error.name === 'AbortError');
  // A question may end by Ctrl-C before the signal has arrived.
  if (!(reason instanceof SignalReceived)) return stopped ? 'SIGINT' : undefined;
  return stopped || reason.signalName !== 'SIGINT' ? reason.signalName : undefined;
}

function showExitCode({ reporter }: CliContext, code: number): void {
  const kind = classifyExitCode(code);
  const level = kind === 'success' ? 'info' : kind === 'warning' ? 'warning' : 'error';
  reporter.log(level, `terminating with ${kind} status, rc ${code}`, { logger: 'borg.output.show-rc' });
}

function styleOf(io: CliIo): ExitCodeStyle {
  return io.env['BORG_EXIT_CODES'] === 'modern' ? 'modern' : 'legacy';
}
