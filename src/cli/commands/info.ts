import { archiveInfo, archiveInfoJson, formatArchiveInfo } from '../../archive/listing/archive-info.ts';
import { selectArchives } from '../../archive/archive-selection.ts';
import {
  formatRepositoryStatistics,
  repositoryStatistics,
  STATISTICS_HEADER,
} from '../../archive/listing/archive-statistics.ts';
import { archiveStreams } from '../../archive/archives-ahead.ts';
import type { ChunksCache } from '../../archive/cache/chunks-cache.ts';
import { cacheDirectory } from '../../archive/cache/local-cache.ts';
import { basicJsonData, cacheJson, formatEncryption } from '../../archive/listing/repository-info.ts';
import { getSecurityDir } from '../../platform/home.ts';
import type { JsonValue } from '../../util/json-text.ts';
import type { Session } from '../../archive/session.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openSessionAt } from '../open-session.ts';
import {
  archiveFilters,
  selectionOf,
  selectsArchives,
  type ArchiveFilterArgs,
} from '../options/archive-filters.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { printJson } from '../output/print-json.ts';

interface InfoArgs extends CommonArgs, LocationArgs, ArchiveFilterArgs {
  readonly json: boolean;
}

export const info = defineCommand<InfoArgs>({
  name: 'info',
  description: `
Shows details of a repository, or of one or more of its archives.

The deduplicated size of an archive is what only that archive needs: so much becomes free when it is deleted. That of
all archives is what the repository takes. They do not add up, since archives share data.`,
  positionals: [locationOf('REPOSITORY_OR_ARCHIVE', 'the repository or archive', { optional: true })],
  options: [optionGroup('Options', flag('--json', 'json', 'print JSON')), archiveFilters],
  examples: [
    { command: 'alcove info /path/to/repo', text: 'the repository as a whole' },
    { command: 'alcove info --last 1 /path/to/repo', text: 'its newest archive' },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: ['read'] });
    await using cache = await session.openCache();
    if (args.location.archive !== undefined || selectsArchives(args))
      await showArchives(ctx, args, session, cache);
    else await showRepository(ctx, args, session, cache);
  },
});

async function showArchives(
  ctx: CliContext,
  args: InfoArgs,
  session: Session,
  cache: ChunksCache,
): Promise<void> {
  const names =
    args.location.archive === undefined
      ? selectArchives(session.manifest.archives, selectionOf(args)).map(({ name }) => name)
      : [args.location.archive];
  const { considerPartFiles, iec } = args;
  const archives: JsonValue[] = [];
  let shown = 0;
  let rest: string | undefined;
  for await (const stream of archiveStreams(session, names, { considerPartFiles })) {
    ctx.signal.throwIfAborted();
    const details = await archiveInfo(ctx, stream, cache);
    shown += 1;
    if (args.json) {
      archives.push(archiveInfoJson(details));
    } else {
      rest ??= await statisticsText(ctx, args, session, cache);
      ctx.print(`${formatArchiveInfo(details, { iec })}\n${rest}\n${shown === names.length ? '' : '\n'}`);
    }
  }
  if (args.json) printJson(ctx, { ...(await repositoryJson(ctx, args, session, cache)), archives });
}

async function showRepository(
  ctx: CliContext,
  args: InfoArgs,
  session: Session,
  cache: ChunksCache,
): Promise<void> {
  const { repository, manifest } = session;
  const securityDir = getSecurityDir(ctx.env, repository.idHex);
  if (args.json) {
    printJson(ctx, { ...(await repositoryJson(ctx, args, session, cache)), security_dir: securityDir });
    return;
  }
  const lines = [
    `Repository ID: ${repository.idHex}`,
    `Location: ${repository.location}`,
    formatEncryption(manifest),
    `Cache: ${cacheDirectory(ctx, repository.idHex).path}`,
    `Security dir: ${securityDir}`,
    '-'.repeat(78),
    STATISTICS_HEADER,
    await statisticsText(ctx, args, session, cache),
  ];
  ctx.print(`${lines.join('\n')}\n`);
}

async function statisticsText(
  ctx: CliContext,
  args: InfoArgs,
  session: Session,
  cache: ChunksCache,
): Promise<string> {
  const { considerPartFiles, iec } = args;
  return formatRepositoryStatistics(await repositoryStatistics(ctx, session, cache, { considerPartFiles }), {
    iec,
  });
}

async function repositoryJson(ctx: CliContext, args: InfoArgs, session: Session, cache: ChunksCache) {
  const { considerPartFiles } = args;
  const statistics = await repositoryStatistics(ctx, session, cache, { considerPartFiles });
  return basicJsonData(
    session.manifest,
    cacheJson(statistics, cacheDirectory(ctx, session.repository.idHex).path),
  );
}
