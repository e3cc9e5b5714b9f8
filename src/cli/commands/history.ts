import { repositoryHistory } from '../../archive/history/repository-history.ts';
import { defineCommand } from '../command.ts';
import { openSegmentRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { withoutKeyOption } from '../options/without-key.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parsePositiveInteger } from '../options/values.ts';
import { historyJson } from '../output/history-json.ts';
import { historyLines } from '../output/history-lines.ts';
import { printJson } from '../output/print-json.ts';

interface HistoryArgs extends CommonArgs, LocationArgs {
  readonly last: number | undefined;
  readonly json: boolean;
  readonly withoutKey: boolean;
}

export const history = defineCommand<HistoryArgs>({
  name: 'history',
  description: `
Lists what was done to a repository, as far as its log still has it: all of it in append-only mode, otherwise what came
after the last "compact". Each transaction is what one command, or one checkpoint of it, committed.

For each it shows its number, when it was committed, how much it wrote, and what it did to the archives:

 + name         came
 - name         went
 name -> other  was renamed
 * name         was replaced, as by "recreate"

The column From says who tells the time: the log of transactions, kept where the repository is (only in append-only mode);
the list of archives ("manifest"), in which an attacker with the key writes what he likes; or the files of the repository.

"rollback" takes the repository back to one of them. Where the key is not at hand, as on a server, --no-key shows numbers,
times and sizes.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none', local: true })],
  options: [
    optionGroup(
      'Options',
      {
        flags: ['--last'],
        dest: 'last',
        metavar: 'N',
        parse: parsePositiveInteger,
        help: 'only the last N',
      },
      withoutKeyOption,
      flag('--json', 'json', 'print JSON'),
    ),
  ],
  examples: [
    { command: 'alcove history /path/to/repo', text: 'all that the log has' },
    { command: 'alcove history --last 10 --no-key /path/to/repo', text: 'the last ten, without the key' },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    await using repository = await openSegmentRepositoryAt(ctx, args);
    const { last, withoutKey } = args;
    const entries = await repositoryHistory(ctx, repository, { last, withoutKey });
    if (args.json) printJson(ctx, historyJson(repository, entries));
    else for (const line of historyLines(entries, args.iec)) ctx.print(`${line}\n`);
  },
});
