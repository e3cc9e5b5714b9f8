import { diffArchives } from '../../archive/diff/diff.ts';
import { formatDiffJson, formatDiffLine } from '../../archive/diff/format-diff.ts';
import { DIFF_SORT_FIELDS, type DiffSortKey } from '../../archive/diff/sort-diffs.ts';
import { encodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { numericIdsOptions } from '../options/create-options.ts';
import { buildMatcher, exclusionOptions, type ExclusionArgs } from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, parseArchiveName, pathsOf, type LocationArgs } from '../options/positionals.ts';
import { parseDiffSortKeys } from '../options/diff-sort-keys.ts';

interface DiffArgs extends CommonArgs, ExclusionArgs, LocationArgs {
  readonly numericIds: boolean;
  readonly sameChunkerParams: boolean;
  readonly sort: boolean;
  readonly sortBy: readonly DiffSortKey[] | undefined;
  readonly contentOnly: boolean;
  readonly jsonLines: boolean;
  readonly archive2: string;
  readonly paths: readonly string[];
}

const BY_PATH: readonly DiffSortKey[] = [{ field: 'path', descending: false }];

export const diff = defineCommand<DiffArgs>({
  name: 'diff',
  description: `
Shows what differs between two archives of a repository: contents, owners, modes and times, and what is only in one of
them. Of a changed file it tells how many bytes came and went, counted in whole chunks.

Where the archives were made with different --chunker-params, contents are read and compared, which takes longer.

--sort-by takes a comma-separated list. A ">" in front of a field sorts from large to small. The fields:

 path                      the path
 size_added, size_removed  bytes that came or went
 size_diff                 the difference of both
 size                      the size in the second archive
 user, group, uid, gid,
 ctime, mtime              of the file in the second archive
 ctime_diff, mtime_diff    how far the time moved`,
  positionals: [
    locationOf('REPO::ARCHIVE1', 'the repository and the first archive', { archive: 'required' }),
    {
      metavar: 'ARCHIVE2',
      dest: 'archive2',
      arity: 'one',
      parse: parseArchiveName,
      completes: 'archives',
      help: 'the name of the second archive',
    },
    pathsOf('paths to compare; patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      ...numericIdsOptions,
      flag('--same-chunker-params', 'sameChunkerParams', 'believe that both archives were cut the same way'),
      flag('--sort', 'sort', 'sort by path (deprecated, see --sort-by)'),
      {
        flags: ['--sort-by'],
        dest: 'sortBy',
        metavar: 'FIELDS',
        action: 'once',
        parse: parseDiffSortKeys,
        completes: { words: DIFF_SORT_FIELDS, list: true },
        help: 'sort by a comma-separated list of fields',
      },
      flag('--content-only', 'contentOnly', 'compare contents alone, not owners, modes and times'),
      flag('--json-lines', 'jsonLines', 'print a line of JSON for each path'),
    ),
    optionGroup('Include and exclude options', ...exclusionOptions),
  ],
  examples: [
    { command: 'alcove diff /path/to/repo::monday tuesday', text: 'all that changed' },
    {
      command: "alcove diff --content-only --sort-by '>size_added' /path/to/repo::monday tuesday",
      text: 'what grew most',
    },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: ['read'] });
    const { considerPartFiles, contentOnly, numericIds, sameChunkerParams } = args;
    const differences = diffArchives(session, [args.location.archive!, args.archive2], {
      matcher: buildMatcher(args),
      considerPartFiles,
      contentOnly,
      numericIds,
      sameChunkerParams,
      sortBy: args.sortBy ?? (args.sort ? BY_PATH : []),
    });
    const format = args.jsonLines ? formatDiffJson : formatDiffLine;
    for await (const difference of differences) ctx.print(encodeSurrogateEscaped(format(difference)));
  },
});
