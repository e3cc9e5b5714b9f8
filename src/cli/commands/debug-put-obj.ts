import { defineCommand } from '../command.ts';
import { readInputBytes } from '../input-file.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { requireObjectId } from '../options/object-id.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface PutObjArgs extends CommonArgs, LocationArgs {
  readonly id: string;
  readonly path: string;
}

export const debugPutObj = defineCommand<PutObjArgs>({
  name: 'debug put-obj',
  description: `
Stores the contents of a file in a repository under an id, as they are; an object of that id is replaced. What was not
sealed by the repository's key can't be opened by it.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'ID', dest: 'id', arity: 'one', help: 'the id, 64 hex digits' },
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'the file' },
  ],
  options: [],
  examples: [
    {
      command: `alcove debug put-obj /path/to/repo ${'0'.repeat(64)} manifest`,
      text: 'bring back a manifest that get-obj had written',
    },
  ],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args, { exclusive: true });
    const data = await readInputBytes(ctx, args.path);
    await repository.put(requireObjectId(args.id), data);
    await repository.commit({ compact: false });
    ctx.print(`object ${args.id} put.\n`);
  },
});
