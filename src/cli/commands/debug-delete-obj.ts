import { ObjectNotFound } from '../../errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { objectIdOf, objectIdsOf, type ObjectIdsArgs } from '../options/object-id.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface DeleteObjArgs extends CommonArgs, LocationArgs, ObjectIdsArgs {}

export const debugDeleteObj = defineCommand<DeleteObjArgs>({
  name: 'debug delete-obj',
  description: `
Deletes objects from a repository. What refers to them, an archive perhaps, is damaged by that.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    ...objectIdsOf('the ids of the objects, 64 hex digits each'),
  ],
  options: [],
  examples: [
    { command: `alcove debug delete-obj /path/to/repo ${'12'.repeat(32)}`, text: 'delete an object' },
  ],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args, { exclusive: true });
    let modified = false;
    for (const text of [args.firstId, ...args.otherIds]) {
      const id = objectIdOf(text);
      if (id === undefined) ctx.print(`object id ${text} is invalid.\n`);
      else if (await deleteObject(repository, id)) {
        modified = true;
        ctx.print(`object ${text} deleted.\n`);
      } else ctx.print(`object ${text} not found.\n`);
    }
    if (modified) await repository.commit({ compact: false });
    ctx.print('Done.\n');
  },
});

/** Whether it was there. */
async function deleteObject(repository: Repository, id: Uint8Array): Promise<boolean> {
  try {
    await repository.delete(id);
    return true;
  } catch (error) {
    if (error instanceof ObjectNotFound) return false;
    throw error;
  }
}
