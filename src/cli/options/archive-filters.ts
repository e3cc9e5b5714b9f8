/** Options that select archives of a repository. Source: Borg 1.4.5 archiver.py, define_archive_filters_group. */
import type { ArchiveSelection, ArchiveSortKey } from '../../archive/archive-selection.ts';
import type { OptionGroup, OptionSpec } from './option.ts';
import { parsePositiveInteger, parseSortKeys, SORT_KEYS } from './values.ts';
import { parsePlaceholders } from './placeholder-values.ts';

export interface ArchiveFilterArgs {
  readonly prefix: string | undefined;
  readonly globArchives: string | undefined;
  readonly sortBy: readonly ArchiveSortKey[];
  /** 0 for no limit. */
  readonly first: number;
  readonly last: number;
}

export const archiveFilters: OptionGroup = {
  title: 'Archive filters',
  description: 'Which archives of the repository it is about.',
  options: [
    {
      flags: ['-P', '--prefix'],
      dest: 'prefix',
      metavar: 'PREFIX',
      action: 'once',
      excludes: 'names',
      parse: parsePlaceholders,
      help: 'archives whose names begin with PREFIX (deprecated, see -a)',
    },
    {
      flags: ['-a', '--glob-archives'],
      dest: 'globArchives',
      metavar: 'GLOB',
      action: 'once',
      excludes: 'names',
      parse: parsePlaceholders,
      help: 'archives whose names match GLOB, see "help patterns" (rules of sh:)',
    },
    {
      flags: ['--sort-by'],
      dest: 'sortBy',
      metavar: 'KEYS',
      parse: parseSortKeys,
      completes: { words: SORT_KEYS, list: true },
      fallback: ['ts'],
      help: 'sort by a comma-separated list of: timestamp, archive, name, id (default: timestamp)',
    },
    ...firstAndLast(),
  ],
};

function firstAndLast(): OptionSpec[] {
  return (['first', 'last'] as const).map((which) => ({
    flags: [`--${which}`],
    dest: which,
    metavar: 'N',
    excludes: 'count',
    parse: parsePositiveInteger,
    fallback: 0,
    help: `the ${which} N of these archives`,
  }));
}

/** Whether any filter was given; sorting alone selects nothing. */
export function selectsArchives(args: ArchiveFilterArgs): boolean {
  return args.prefix !== undefined || Boolean(args.globArchives) || args.first > 0 || args.last > 0;
}

export function selectionOf(args: ArchiveFilterArgs): ArchiveSelection {
  const { prefix, globArchives, sortBy, first, last } = args;
  return { prefix, glob: globArchives, sortBy, first, last };
}
