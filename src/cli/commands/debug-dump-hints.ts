import { dumpHints } from '../../archive/debug/dump-hints.ts';
import { defineCommand } from '../command.ts';
import { openSegmentRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { dumpText } from '../output/dump.ts';

interface DumpHintsArgs extends CommonArgs, LocationArgs {
  readonly path: string;
}

export const debugDumpHints = defineCommand<DumpHintsArgs>({
  name: 'debug dump-hints',
  description: `
Writes what a repository knows of its segments as JSON: objects in use, bytes that "compact" can free, the use of the
quota, and where objects lie that were replaced or deleted.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'the file to write; "-" prints it' },
  ],
  options: [],
  examples: [{ command: 'alcove debug dump-hints /path/to/repo -', text: 'print it' }],

  async run(ctx, args) {
    await using repository = await openSegmentRepositoryAt(ctx, args, { exclusive: true });
    await dumpText(ctx, args.path, [dumpHints(await repository.readHints())]);
  },
});
