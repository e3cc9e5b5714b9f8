import { resolve } from 'node:path';
import { CommandError } from '../../errors.ts';
import { writeKeyBackup } from '../../keys/key-backup.ts';
import { encodeRelatedSecrets } from '../../keys/related-secrets.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parseNonEmptyPath } from '../options/values.ts';

interface ExportRelatedSecretsArgs extends CommonArgs, LocationArgs {
  readonly path: string | undefined;
}

export const keyExportRelatedSecrets = defineCommand<ExportRelatedSecretsArgs>({
  name: 'key export-related-secrets',
  description: `
Writes to PATH, or prints, what another repository needs so that the same data has the same chunks and ids in it:
"init --import-related-secrets" makes such a repository, with an encryption key of its own. Archives can then be moved
from one to the other without being cut anew. The other repository must use the same kind of ids: HMAC-SHA256 (repokey,
keyfile, authenticated) or BLAKE2b (those with -blake2).

Delete the file afterwards: who has it can tell whether the repository holds data that he knows.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' }),
    {
      metavar: 'PATH',
      dest: 'path',
      arity: 'optional',
      parse: parseNonEmptyPath,
      help: 'the file to write; "-" or nothing prints it',
    },
  ],
  options: [],
  examples: [
    {
      command: 'alcove key export-related-secrets /path/to/repo secrets.json',
      text: 'before "init --import-related-secrets secrets.json -e repokey /path/to/other"',
    },
  ],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: ['read'] });
    if (session.key.unverified) {
      throw new CommandError(['The secrets of a key that is not known cannot be exported.']);
    }
    if (session.key.material.idKey.length === 0) {
      throw new CommandError([
        'The repository is not encrypted: it has no secrets that another one could share.',
      ]);
    }
    const text = encodeRelatedSecrets(session.key);
    if (args.path === undefined || args.path === '-') ctx.print(text);
    else writeKeyBackup(resolve(ctx.cwd, args.path), text, args.path);
  },
});
