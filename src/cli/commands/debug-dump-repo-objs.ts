import { loggedObjects, storedObjects } from '../../archive/debug/stored-objects.ts';
import { toHex } from '../../util/bytes.ts';
import { defineCommand } from '../command.ts';
import { openRepositoryAt, openSegmentRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parsePositiveInteger } from '../options/values.ts';
import { dumpFile } from '../output/dump.ts';

interface DumpRepoObjsArgs extends CommonArgs, LocationArgs {
  readonly ghost: boolean;
  readonly segment: number | undefined;
  readonly offset: number | undefined;
}

export const debugDumpRepoObjs = defineCommand<DumpRepoObjsArgs>({
  name: 'debug dump-repo-objs',
  description: `
Writes all objects of a repository, decrypted and decompressed, into files NUMBER_ID.obj in the working directory. The
index of the repository has to be right.

With --ghost it looks at no index, and writes all that the segments hold, also what was deleted, replaced or never
committed, into files NUMBER_SEGMENT_OFFSET_KIND_ID.obj. KIND is put, del or commit.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { archive: 'none' })],
  options: [
    optionGroup(
      'Options',
      flag('--ghost', 'ghost', 'write all that the segments hold'),
      {
        flags: ['--segment'],
        dest: 'segment',
        metavar: 'SEG',
        parse: parsePositiveInteger,
        help: 'with --ghost: only of this segment',
      },
      {
        flags: ['--offset'],
        dest: 'offset',
        metavar: 'OFFS',
        parse: parsePositiveInteger,
        help: 'with --ghost: only what stands at this offset',
      },
    ),
  ],
  examples: [
    { command: 'alcove debug dump-repo-objs --ghost --segment 7 /path/to/repo', text: 'all of one segment' },
  ],

  async run(ctx, args) {
    let number = 0;
    const dump = (parts: readonly (string | number)[], data: Uint8Array) =>
      dumpFile(ctx, `${[String(number++).padStart(8, '0'), ...parts].join('_')}.obj`, data);
    if (args.ghost) {
      await using repository = await openSegmentRepositoryAt(ctx, args);
      for await (const { segment, offset, tag, id, plaintext } of loggedObjects(ctx, repository, args)) {
        dump([segment, offset, tag, ...(id === undefined ? [] : [toHex(id)])], plaintext);
      }
    } else {
      await using repository = await openRepositoryAt(ctx, args);
      for await (const { id, plaintext } of storedObjects(ctx, repository)) dump([toHex(id)], plaintext);
    }
    ctx.print('Done.\n');
  },
});
