import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { breakLocks } from '../open-repository.ts';

interface BreakLockArgs extends CommonArgs, LocationArgs {}

export const breakLock = defineCommand<BreakLockArgs>({
  name: 'break-lock',
  description: `
Removes the locks of a repository and of its cache on this machine.

Do this only when no program, on any machine, uses the repository: two that write at the same time destroy it. Locks of
processes of this machine that are gone need no breaking, they are recognised.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [],
  examples: [
    { command: 'alcove break-lock /path/to/repo', text: 'after a machine died in the middle of a backup' },
  ],

  async run(ctx, args) {
    await breakLocks(ctx, args);
  },
});
