import { GeneralError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { BORG_VERSION } from '../version.ts';

interface VersionArgs extends CommonArgs, LocationArgs {}

export const version = defineCommand<VersionArgs>({
  name: 'version',
  description: `
Shows the version of Borg that this program speaks, and the one that the server of a remote repository speaks; for a
local repository they are the same. "alcove --version" shows also this program's own version.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [],
  examples: [{ command: 'alcove version /path/to/repo', text: 'both versions' }],

  run(ctx, args) {
    if (args.location.proto !== 'file') {
      throw new GeneralError([`${args.location.canonicalPath()} is not on this machine`]);
    }
    ctx.print(`${BORG_VERSION} / ${BORG_VERSION}\n`);
    return Promise.resolve();
  },
});
