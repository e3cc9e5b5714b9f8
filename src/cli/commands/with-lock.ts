import { CommandError } from '../../errors.ts';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { spawnProcess, type RunningProcess } from '../../platform/process.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { SignalReceived } from '../io.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { BORG_VERSION } from '../version.ts';

interface WithLockArgs extends CommonArgs, LocationArgs {
  readonly command: string;
  readonly args: readonly string[];
}

export const withLock = defineCommand<WithLockArgs>({
  name: 'with-lock',
  description: `
Runs a command while the repository is locked, so that nothing changes in it meanwhile; ends with the command's exit code.
Where a signal ends the command, the exit code is 128 and the signal's number.

A copy that is made so has the lock in it. Before it is used on another machine, run "break-lock" on it.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'COMMAND', dest: 'command', arity: 'one', completes: 'commands', help: 'the command to run' },
    { metavar: 'ARGS', dest: 'args', arity: 'rest', completes: 'files', help: 'its arguments' },
  ],
  options: [],
  examples: [
    {
      command: 'alcove with-lock /path/to/repo rsync -a /path/to/repo/ /elsewhere/repo/',
      text: 'copy a repository as it is at one moment',
    },
  ],

  check: (args) =>
    commandOf(args).length === 0 ? 'the following arguments are required: COMMAND' : undefined,

  async run(ctx, args) {
    // Nothing is written: what the command sees is a repository without an unfinished transaction.
    await using _repository = await openRepositoryAt(ctx, args, { exclusive: true });
    const code = await runToEnd(ctx, commandOf(args));
    ctx.signal.throwIfAborted();
    return code;
  },
});

/** A `--` may stand before the command, to part it from our options. */
function commandOf({ command, args }: WithLockArgs): readonly string[] {
  return command === '--' ? args : [command, ...args];
}

async function runToEnd(ctx: CliContext, argv: readonly string[]): Promise<number> {
  let child: RunningProcess;
  try {
    const env = { ...ctx.env, BORG_VERSION };
    child = spawnProcess(argv, { env, stdin: 'inherit', stdout: 'inherit' });
  } catch (error) {
    if (!isOsError(error)) throw error;
    const reason = describeOsError(error, argv[0]);
    throw new CommandError([`Error while trying to run '${argv[0]}': ${reason}`], error);
  }
  const passOn = (): void => {
    const reason: unknown = ctx.signal.reason;
    if (!(reason instanceof SignalReceived)) return;
    // Ctrl-C reaches all that the terminal runs: the command has it already, and a second one might be too much.
    if (reason.signalName !== 'SIGINT' || !ctx.io.hasTerminal()) child.kill(reason.signalName);
  };
  ctx.signal.addEventListener('abort', passOn, { once: true });
  try {
    const code = await child.wait();
    return code < 0 ? 128 - code : code;
  } finally {
    ctx.signal.removeEventListener('abort', passOn);
  }
}
