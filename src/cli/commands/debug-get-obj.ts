import { ObjectNotFound, RTError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { requireObjectId } from '../options/object-id.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { writeFile } from '../output/dump.ts';

interface GetObjArgs extends CommonArgs, LocationArgs {
  readonly id: string;
  readonly path: string;
}

export const debugGetObj = defineCommand<GetObjArgs>({
  name: 'debug get-obj',
  description: `
Writes an object as the repository stores it, encrypted and compressed, into a file.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'ID', dest: 'id', arity: 'one', help: 'the id of the object, 64 hex digits' },
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'the file to write' },
  ],
  options: [],
  examples: [
    {
      command: `alcove debug get-obj /path/to/repo ${'0'.repeat(64)} manifest`,
      text: 'the sealed manifest',
    },
  ],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args);
    const id = requireObjectId(args.id);
    let sealed: Uint8Array;
    try {
      sealed = await repository.get(id);
    } catch (error) {
      if (!(error instanceof ObjectNotFound)) throw error;
      throw new RTError([`object ${args.id} not found.`], error);
    }
    writeFile(ctx, args.path, sealed);
    ctx.print(`object ${args.id} fetched.\n`);
  },
});
