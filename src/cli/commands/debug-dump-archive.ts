import { dumpArchive } from '../../archive/debug/dump-metadata.ts';
import { ArchiveDoesNotExist } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { dumpText } from '../output/dump.ts';

interface DumpArchiveArgs extends CommonArgs, LocationArgs {
  readonly path: string;
}

export const debugDumpArchive = defineCommand<DumpArchiveArgs>({
  name: 'debug dump-archive',
  description: `
Writes all metadata of an archive as JSON. Bytes that are not UTF-8, as ids, stand as U+007F and hex digits.`,
  positionals: [
    locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive', { archive: 'required' }),
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'the file to write; "-" prints it' },
  ],
  options: [],
  examples: [{ command: 'alcove debug dump-archive /path/to/repo::monday -', text: 'print it' }],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: [] });
    const name = args.location.archive!;
    // Before the file is opened, which empties it.
    if (!session.manifest.archives.has(name)) throw new ArchiveDoesNotExist([name]);
    await dumpText(ctx, args.path, dumpArchive(session, name));
  },
});
