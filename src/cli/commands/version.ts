import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { serverVersionAt } from '../remote-options.ts';
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

  async run(ctx, args) {
    const { location } = args;
    const server = location.proto === 'file' ? BORG_VERSION : await serverVersionAt(ctx, args, location);
    ctx.print(`${BORG_VERSION} / ${server}\n`);
  },
});
