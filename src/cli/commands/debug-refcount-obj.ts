import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { objectIdOf, objectIdsOf, type ObjectIdsArgs } from '../options/object-id.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface RefcountObjArgs extends CommonArgs, LocationArgs, ObjectIdsArgs {}

export const debugRefcountObj = defineCommand<RefcountObjArgs>({
  name: 'debug refcount-obj',
  description: `
Prints how often archives refer to objects, as the cache on this machine has it.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    ...objectIdsOf('the ids of the objects, 64 hex digits each'),
  ],
  options: [],
  examples: [
    { command: `alcove debug refcount-obj /path/to/repo ${'12'.repeat(32)}`, text: 'count references' },
  ],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: [], exclusive: true });
    await using cache = await session.openCache();
    for (const text of [args.firstId, ...args.otherIds]) {
      const id = objectIdOf(text);
      if (id === undefined) {
        ctx.print(`object id ${text} is invalid.\n`);
        continue;
      }
      const entry = cache.chunks.get(id);
      const found = entry === undefined ? 'not found' : `has ${entry.refcount} referrers`;
      ctx.print(`object ${text} ${found} [info from chunks cache].\n`);
    }
  },
});
