import { compactRepository } from '../../archive/compact-repository.ts';
import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parseInteger } from '../options/values.ts';
import { openRepositoryAt } from '../open-repository.ts';

interface CompactArgs extends CommonArgs, LocationArgs {
  readonly dryRun: boolean;
  readonly cleanupCommits: boolean;
  readonly threshold: number;
}

export const compact = defineCommand<CompactArgs>({
  name: 'compact',
  description: `
Frees the space that deleted archives took. "delete" and "prune" only mark what is no longer needed; "compact" rewrites
the files in which enough is unused, and needs free space for one such file while it works.

It does not need the key. With -v it tells how much was freed. On a repository in append-only mode nothing is freed.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [
    optionGroup(
      'Options',
      flag(['-n', '--dry-run'], 'dryRun', 'do nothing'),
      flag('--cleanup-commits', 'cleanupCommits', 'remove files of 17 bytes that Borg before 1.2.0 left'),
      {
        flags: ['--threshold'],
        dest: 'threshold',
        metavar: 'PERCENT',
        parse: parseInteger,
        fallback: 10,
        help: 'rewrite files of which at least PERCENT is unused (default: 10)',
      },
    ),
  ],
  examples: [{ command: 'alcove compact -v /path/to/repo', text: 'free space, and tell how much' }],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args, { exclusive: true });
    if (args.dryRun) return;
    await compactRepository(repository, {
      threshold: args.threshold / 100,
      cleanupCommits: args.cleanupCommits,
    });
  },
});
