import { dumpManifest } from '../../archive/debug/dump-metadata.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { dumpText } from '../output/dump.ts';

interface DumpManifestArgs extends CommonArgs, LocationArgs {
  readonly path: string;
}

export const debugDumpManifest = defineCommand<DumpManifestArgs>({
  name: 'debug dump-manifest',
  description: `
Writes the manifest, which lists a repository's archives, as JSON. Bytes that are not UTF-8, as ids, stand as U+007F and
hex digits.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'the file to write; "-" prints it' },
  ],
  options: [],
  examples: [{ command: 'alcove debug dump-manifest /path/to/repo -', text: 'print it' }],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: [] });
    await dumpText(ctx, args.path, [await dumpManifest(session)]);
  },
});
