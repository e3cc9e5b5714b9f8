import { Archive } from '../../archive/archive.ts';
import { toHex } from '../../util/bytes.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { dumpFile } from '../output/dump.ts';

interface DumpArchiveItemsArgs extends CommonArgs, LocationArgs {}

export const debugDumpArchiveItems = defineCommand<DumpArchiveItemsArgs>({
  name: 'debug dump-archive-items',
  description: `
Writes the chunks of an archive's item stream, decrypted and decompressed, into files NUMBER_ID.items in the working
directory.`,
  positionals: [locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive', { archive: 'required' })],
  options: [],
  examples: [{ command: 'alcove debug dump-archive-items /path/to/repo::monday', text: 'a file a chunk' }],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: [] });
    const archive = await Archive.open(session, args.location.archive!);
    const ids = archive.metadata.items;
    let number = 0;
    for await (const data of archive.reader.readMany(ids)) {
      ctx.signal.throwIfAborted();
      dumpFile(ctx, `${String(number).padStart(6, '0')}_${toHex(ids[number]!)}.items`, data);
      number++;
    }
    ctx.print('Done.\n');
  },
});
