import { CommandError } from '../../errors.ts';
import { importKey } from '../../keys/key-backup.ts';
import { defineCommand } from '../command.ts';
import { importPaperKey } from '../import-paper-key.ts';
import { readInputFile } from '../input-file.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parseNonEmptyPath } from '../options/values.ts';

interface KeyImportArgs extends CommonArgs, LocationArgs {
  readonly path: string | undefined;
  readonly paper: boolean;
}

export const keyImport = defineCommand<KeyImportArgs>({
  name: 'key import',
  description: `
Puts the key that "key export" has copied back in its place: in the repository, or, for keyfile modes, in the file that
BORG_KEY_FILE names, the one that the key has in BORG_KEYS_DIR, or a new one there.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' }),
    {
      metavar: 'PATH',
      dest: 'path',
      arity: 'optional',
      parse: parseNonEmptyPath,
      help: 'the copy; "-" reads it from the standard input',
    },
  ],
  options: [optionGroup('Options', flag('--paper', 'paper', 'type in a copy made with --paper'))],
  examples: [{ command: 'alcove key import /path/to/repo key-backup', text: 'bring the key back' }],

  async run(ctx, args) {
    if (args.paper) {
      if (args.path !== undefined) throw new CommandError(['with --paper import from file is not supported']);
      await using repository = await openRepositoryAt(ctx, args, { lock: false });
      await importPaperKey(ctx, repository);
      return;
    }
    if (args.path === undefined) throw new CommandError(['expected input file to import key from']);
    const text = await readInputFile(ctx, args.path);
    await using repository = await openRepositoryAt(ctx, args, { lock: false });
    await importKey(ctx, repository, text, args.path);
  },
});
