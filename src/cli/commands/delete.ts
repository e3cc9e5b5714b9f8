import {
  formatRepositoryStatistics,
  formatStatisticsRow,
  repositoryStatistics,
  STATISTICS_HEADER,
} from '../../archive/listing/archive-statistics.ts';
import { sizesOf } from '../../archive/listing/archive-info.ts';
import { selectArchives } from '../../archive/archive-selection.ts';
import { deleteArchives } from '../../archive/delete.ts';
import type { Session } from '../../archive/session.ts';
import { CommandError } from '../../errors.ts';
import { decodeTimestamp } from '../../format/timestamp.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { deleteRepository } from '../delete-repository.ts';
import { openSessionAt } from '../open-session.ts';
import {
  archiveFilters,
  selectionOf,
  selectsArchives,
  type ArchiveFilterArgs,
} from '../options/archive-filters.ts';
import type { CommonArgs } from '../options/common.ts';
import { checkpointOption } from '../options/create-options.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { archiveLine } from '../output/archive-line.ts';
import { LIST_LOGGER } from '../output/cli-reporter.ts';
import { logStatistics } from '../output/log-statistics.ts';

export interface DeleteArgs extends CommonArgs, LocationArgs, ArchiveFilterArgs {
  readonly dryRun: boolean;
  readonly outputList: boolean;
  readonly stats: boolean;
  readonly quickStats: boolean;
  readonly cacheOnly: boolean;
  /** How often --force was given. */
  readonly forced: number;
  readonly keepSecurityInfo: boolean;
  readonly saveSpace: boolean;
  readonly checkpointInterval: number;
  readonly archives: readonly string[];
}

export const deleteCommand = defineCommand<DeleteArgs>({
  name: 'delete',
  description: `
Deletes archives, or, where no archive is named or selected, the whole repository with everything in it and its cache on
this machine; for that you have to confirm.

The space of deleted archives becomes free with "compact". Look with --dry-run --list first.`,
  positionals: [
    locationOf('REPOSITORY_OR_ARCHIVE', 'the repository, or an archive', { optional: true }),
    {
      metavar: 'ARCHIVE',
      dest: 'archives',
      arity: 'many',
      completes: 'archives',
      help: 'names of more archives',
    },
  ],
  options: [
    optionGroup(
      'Options',
      flag(['-n', '--dry-run'], 'dryRun', 'only look what would be done'),
      flag('--list', 'outputList', 'print a line for each archive'),
      flag(['-s', '--stats'], 'stats', 'print sizes of what was deleted and of the repository'),
      flag('--quick-stats', 'quickStats', 'print sizes of what was deleted alone'),
      flag('--cache-only', 'cacheOnly', 'delete only the cache of this machine'),
      {
        flags: ['--force'],
        dest: 'forced',
        action: 'count',
        fallback: 0,
        help: 'delete damaged archives; given twice: only take them out of the list. For a repository: do not ask',
      },
      flag(
        '--keep-security-info',
        'keepSecurityInfo',
        'with a repository: keep what this machine knows of it',
      ),
      flag('--save-space', 'saveSpace', 'accepted for compatibility, changes nothing'),
      checkpointOption,
    ),
    archiveFilters,
  ],
  examples: [
    { command: 'alcove delete /path/to/repo::monday', text: 'one archive' },
    {
      command: "alcove delete --list --dry-run -a 'laptop-*' /path/to/repo",
      text: 'see what would be deleted',
    },
    { command: 'alcove compact /path/to/repo', text: 'free the space' },
  ],

  check: ({ stats, quickStats }) =>
    stats && quickStats ? '--stats and --quick-stats are mutually exclusive.' : undefined,

  async run(ctx, args) {
    const named = args.location.archive !== undefined || args.archives.length > 0;
    if (named && selectsArchives(args)) {
      throw new CommandError(['Mixing archive filters and explicitly named archives is not supported.']);
    }
    if (named || selectsArchives(args)) await deleteSelected(ctx, args);
    else await deleteRepository(ctx, args);
  },
});

async function deleteSelected(ctx: CliContext, args: DeleteArgs): Promise<void> {
  await using session = await openSessionAt(ctx, args, {
    operations: ['delete'],
    exclusive: true,
    secure: false,
  });
  const names = namesOf(args, session);
  if (names.length > 0) await remove(ctx, args, session, names);
}

function namesOf(args: DeleteArgs, session: Session): string[] {
  if (selectsArchives(args)) {
    return selectArchives(session.manifest.archives, selectionOf(args)).map(({ name }) => name);
  }
  return args.location.archive === undefined ? [...args.archives] : [args.location.archive, ...args.archives];
}

async function remove(
  ctx: CliContext,
  args: DeleteArgs,
  session: Session,
  names: readonly string[],
): Promise<void> {
  const { considerPartFiles, iec, dryRun } = args;
  const listOnly = args.forced >= 2;
  const doing = actionText(dryRun, listOnly);
  await deleteArchives(session, names, {
    considerPartFiles,
    dryRun,
    listOnly,
    force: args.forced > 0,
    checkpointIntervalSeconds: args.checkpointInterval,
    onArchive: ({ name, entry, number, total }) => {
      const archive = { name, id: entry.id, timeNs: decodeTimestamp(entry.time) };
      const message = `${doing}: ${archiveLine(archive)} (${number}/${total})`;
      ctx.reporter.log('info', message, { logger: LIST_LOGGER });
    },
    onDeleted: async (statistics, cache) => {
      if (dryRun || !(args.stats || args.quickStats)) return;
      const deleted = formatStatisticsRow('Deleted data:', sizesOf(statistics), { iec });
      const rows = [STATISTICS_HEADER, deleted];
      if (!args.quickStats) {
        const all = await repositoryStatistics(ctx, session, cache, { considerPartFiles });
        rows.push(formatRepositoryStatistics(all, { iec }));
      }
      logStatistics(ctx, rows);
    },
  });
}

function actionText(dryRun: boolean, listOnly: boolean): string {
  if (listOnly) return dryRun ? 'Would delete' : 'Deleted archive';
  return dryRun ? 'Would delete archive' : 'Deleting archive';
}
