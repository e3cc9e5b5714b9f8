import { planRollback } from '../../archive/history/roll-back.ts';
import { CancelledByUser } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openSegmentRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parseInteger } from '../options/values.ts';
import { withoutKeyOption } from '../options/without-key.ts';
import { rollbackLines } from '../output/history-lines.ts';

interface RollbackArgs extends CommonArgs, LocationArgs {
  readonly to: number;
  readonly dryRun: boolean;
  readonly withoutKey: boolean;
}

export const rollback = defineCommand<RollbackArgs>({
  name: 'rollback',
  description: `
Takes a repository back to where an earlier transaction left it: all that was done since is undone, by whomever. The
repository has to be on this machine. "history" lists the transactions; look with --dry-run first. It asks before it
changes anything; ALCOVE_ROLLBACK_I_KNOW_WHAT_I_AM_DOING=YES answers for scripts.

The segments that leave the repository are kept in its folder "quarantine", until "check --drop-quarantine" removes them.
If it is interrupted, the next access by alcove finishes it; until then Borg refuses to open the repository.

An older list of archives is what an attacker would show you, too. This client accepts it by this command. Other clients,
and Borg's, refuse with "Cache, or information obtained from the security directory is newer than repository", until their
users have them forget what they know; the guide tells how. With --no-key, this client refuses as well, until the command is
run again with the key.

What is not in the log does not go back: passphrase, settings, and the nonces, none of which is ever used again.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none', local: true })],
  options: [
    optionGroup(
      'Options',
      {
        flags: ['--to'],
        dest: 'to',
        metavar: 'TRANSACTION',
        parse: parseInteger,
        required: true,
        help: 'the last transaction that stays',
      },
      flag(['-n', '--dry-run'], 'dryRun', 'only say what would be done'),
      withoutKeyOption,
    ),
  ],
  examples: [
    { command: 'alcove rollback --dry-run --to 5 /path/to/repo', text: 'see what would be undone' },
    { command: 'alcove rollback --to 5 /path/to/repo', text: 'undo what came after transaction 5' },
  ],

  async run(ctx, args) {
    const { dryRun, iec, withoutKey } = args;
    await using repository = await openSegmentRepositoryAt(ctx, args, { exclusive: !dryRun });
    const plan = await planRollback(ctx, repository, args.to, { withoutKey, lockWaitSeconds: args.lockWait });
    ctx.print(`${rollbackLines(plan, { dryRun, iec }).join('\n')}\n`);
    const isNeeded = plan.repository.steps.length > 0 || plan.isNewerKnown;
    if (dryRun || !isNeeded) return;
    if (!(await isConfirmed(ctx))) throw new CancelledByUser();
    await plan.run();
  },
});

function isConfirmed(ctx: CliContext): Promise<boolean> {
  return ctx.reporter.ask({
    text: "Type 'YES' if this is what you want: ",
    env: 'ALCOVE_ROLLBACK_I_KNOW_WHAT_I_AM_DOING',
    falseText: 'Aborting.',
    invalidText: 'Invalid answer, aborting.',
    truish: ['YES'],
    retry: false,
  });
}
