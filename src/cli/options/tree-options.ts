/** Options of what shows archives as a tree of files. Source: Borg 1.4.5 archiver.py, define_borg_mount. */
import { archiveFilters, type ArchiveFilterArgs } from './archive-filters.ts';
import type { CommonArgs } from './common.ts';
import { exclusionOptions, stripComponentsOption, type ExclusionArgs } from './exclusion.ts';
import { flag, optionGroup } from './flag.ts';
import type { OptionGroup, OptionSpec } from './option.ts';
import type { LocationArgs } from './positionals.ts';
import type { ThreadsArgs } from './threads.ts';

export interface TreeArgs extends CommonArgs, LocationArgs, ArchiveFilterArgs, ExclusionArgs, ThreadsArgs {
  readonly considerCheckpoints: boolean;
  readonly stripComponents: number;
  readonly paths: readonly string[];
}

export const considerCheckpointsOption: OptionSpec = flag(
  '--consider-checkpoints',
  'considerCheckpoints',
  'show checkpoints of unfinished archives, too',
);

/** Which archives, and what of them. */
export const treeOptions: readonly OptionGroup[] = [
  archiveFilters,
  optionGroup('Include and exclude options', ...exclusionOptions, stripComponentsOption),
];
