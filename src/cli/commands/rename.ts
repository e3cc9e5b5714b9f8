import { renameArchive } from '../../archive/rename.ts';
import { CommandError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, parseArchiveName, type LocationArgs } from '../options/positionals.ts';

interface RenameArgs extends CommonArgs, LocationArgs {
  readonly name: string;
}

export const rename = defineCommand<RenameArgs>({
  name: 'rename',
  description: `
Gives an archive another name. What is in it stays as it is; its id changes.`,
  positionals: [
    locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive', { archive: 'required' }),
    { metavar: 'NEWNAME', dest: 'name', arity: 'one', parse: parseArchiveName, help: 'its new name' },
  ],
  options: [],
  examples: [{ command: 'alcove rename /path/to/repo::monday before-upgrade', text: 'another name' }],

  async run(ctx, args) {
    if (!args.name.isWellFormed()) throw new CommandError(['the name of an archive has to be UTF-8']);
    await using session = await openSessionAt(ctx, args, {
      operations: ['check'],
      exclusive: true,
      secure: false,
    });
    await renameArchive(session, args.location.archive!, args.name);
  },
});
