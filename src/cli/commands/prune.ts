import {
  formatRepositoryStatistics,
  formatStatisticsRow,
  repositoryStatistics,
  STATISTICS_HEADER,
} from '../../archive/listing/archive-statistics.ts';
import { sizesOf } from '../../archive/listing/archive-info.ts';
import { assertHasRule, pruneArchives, type PrunedArchive } from '../../archive/prune.ts';
import { PERIOD_RULES, type RetentionPolicy } from '../../archive/prune-rules.ts';
import type { Session } from '../../archive/session.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openSessionAt } from '../open-session.ts';
import { archiveFilters, type ArchiveFilterArgs } from '../options/archive-filters.ts';
import type { CommonArgs } from '../options/common.ts';
import { checkpointOption } from '../options/create-options.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { retentionOptions, type RetentionArgs } from '../options/retention.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { archiveLine, nameColumns } from '../output/archive-line.ts';
import { LIST_LOGGER } from '../output/cli-reporter.ts';
import { logStatistics } from '../output/log-statistics.ts';

type NameFilterArgs = Pick<ArchiveFilterArgs, 'prefix' | 'globArchives'>;

interface PruneArgs extends CommonArgs, LocationArgs, NameFilterArgs, RetentionArgs {
  readonly dryRun: boolean;
  readonly forced: boolean;
  readonly stats: boolean;
  readonly quickStats: boolean;
  readonly outputList: boolean;
  readonly saveSpace: boolean;
  readonly checkpointInterval: number;
}

export const prune = defineCommand<PruneArgs>({
  name: 'prune',
  description: `
Deletes all archives but those that a rule keeps. Without -a all archives of the repository are candidates, whatever they
are of: select the ones of one kind, and prune each kind with a command of its own.

--keep-daily 7 keeps the last archive of each day, for the 7 latest days that have one; the other rules do the same for
other spans of time, of the local time zone, and weeks begin on Monday. They are applied from the shortest to the longest,
and what a rule keeps does not count for those after it. A negative number means no limit. While a rule finds fewer
archives than it could keep, it keeps the first one of all, too.

--keep-within INTERVAL keeps all that is younger than a number of hours, days, weeks, months (of 31 days) or years, e.g.
12H, 2d, 4w, 6m, 1y; it does not count for the other rules.

Checkpoints, which interrupted backups leave behind, are deleted, except one that is newer than all archives.

The space of deleted archives becomes free with "compact". Look with --dry-run --list first.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [
    optionGroup(
      'Options',
      flag(['-n', '--dry-run'], 'dryRun', 'only look what would be done'),
      flag('--force', 'forced', 'delete damaged archives, too'),
      flag(['-s', '--stats'], 'stats', 'print sizes of what was deleted and of the repository'),
      flag('--quick-stats', 'quickStats', 'print sizes of what was deleted alone'),
      flag('--list', 'outputList', 'print a line for each archive: whether it is kept, and why'),
      ...retentionOptions,
      flag('--save-space', 'saveSpace', 'accepted for compatibility, changes nothing'),
      checkpointOption,
    ),
    {
      ...archiveFilters,
      options: archiveFilters.options.filter(({ dest }) => dest === 'prefix' || dest === 'globArchives'),
    },
  ],
  examples: [
    {
      command: "alcove prune --list --dry-run --keep-daily 7 -a 'laptop-*' /path/to/repo",
      text: 'see what would be deleted',
    },
    {
      command: "alcove prune --keep-daily 7 --keep-weekly 4 --keep-monthly 6 -a 'laptop-*' /path/to/repo",
      text: 'a week by days, a month by weeks, half a year by months',
    },
    {
      command: 'alcove prune --keep-within 10d --keep-monthly -1 /path/to/repo',
      text: 'all of the last ten days, and one of each month for ever',
    },
    { command: 'alcove compact /path/to/repo', text: 'free the space' },
  ],

  check: ({ stats, quickStats }) =>
    stats && quickStats ? '--stats and --quick-stats are mutually exclusive.' : undefined,

  async run(ctx, args) {
    const policy = policyOf(args);
    assertHasRule(policy);
    const { dryRun, forced, considerPartFiles } = args;
    await using session = await openSessionAt(ctx, args, {
      operations: ['delete'],
      exclusive: true,
      secure: false,
    });
    const columns = columnsOf(ctx, args, session);
    await pruneArchives(session, policy, {
      selection: { glob: args.globArchives, prefix: args.prefix },
      dryRun,
      force: forced,
      considerPartFiles,
      checkpointIntervalSeconds: args.checkpointInterval,
      onArchive: (pruned) => {
        if (!args.outputList) return;
        ctx.reporter.log('info', lineOf(pruned, dryRun, columns), { logger: LIST_LOGGER });
      },
      onPruned: async (statistics, cache) => {
        if (!args.stats && !args.quickStats) return;
        const rows = [
          STATISTICS_HEADER,
          formatStatisticsRow('Deleted data:', sizesOf(statistics), { iec: args.iec }),
        ];
        if (!args.quickStats) rows.push(await allArchives(ctx, args, session, cache));
        logStatistics(ctx, rows);
      },
    });
  },
});

function policyOf({ within, ...rules }: RetentionArgs): RetentionPolicy {
  return { ...rules, withinHours: within };
}

interface Columns {
  readonly fate: number;
  readonly name: number | undefined;
}

/** Borg's, or, at a terminal, those of the longest rule and the longest name. */
function columnsOf(ctx: CliContext, args: PruneArgs, session: Session): Columns {
  const name = nameColumns(session.manifest.archives.keys(), ctx.io.stderr);
  if (name === undefined) return { fate: FATE_COLUMNS, name };
  const rules = PERIOD_RULES.filter((rule) => args[rule] !== 0);
  const longest = rules.map((rule) => `Keeping archive (rule: ${rule}[oldest] #00):`.length);
  return { fate: Math.max(FATE_COLUMNS, ...longest), name };
}

const FATE_COLUMNS = 44;

function lineOf({ archive, fate }: PrunedArchive, dryRun: boolean, columns: Columns): string {
  return `${fateText(fate, dryRun).padEnd(columns.fate)} ${archiveLine(archive, columns.name)}`;
}

function fateText(fate: PrunedArchive['fate'], dryRun: boolean): string {
  if (fate.kind === 'keep') return `Keeping archive (rule: ${fate.reason.rule} #${fate.reason.number}):`;
  if (fate.kind === 'keep-checkpoint') return 'Keeping checkpoint archive:';
  return dryRun ? 'Would prune:' : `Pruning archive (${fate.number}/${fate.total}):`;
}

async function allArchives(
  ctx: CliContext,
  { considerPartFiles, iec }: PruneArgs,
  session: Session,
  cache: Parameters<typeof repositoryStatistics>[2],
): Promise<string> {
  const all = await repositoryStatistics(ctx, session, cache, { considerPartFiles });
  return formatRepositoryStatistics(all, { iec });
}
