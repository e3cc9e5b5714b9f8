import { toHex } from '../../util/bytes.ts';
import { defineCommand } from '../command.ts';
import { readInputBytes } from '../input-file.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface IdHashArgs extends CommonArgs, LocationArgs {
  readonly path: string;
}

export const debugIdHash = defineCommand<IdHashArgs>({
  name: 'debug id-hash',
  description: `
Prints the id that an object with the contents of a file has in a repository.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'the file' },
  ],
  options: [],
  examples: [{ command: 'alcove debug id-hash /path/to/repo contents', text: 'print the id' }],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: [] });
    ctx.print(`${toHex(session.key.idHash(await readInputBytes(ctx, args.path)))}\n`);
  },
});
