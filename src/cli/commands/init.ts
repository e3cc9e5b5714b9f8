import { initRepository } from '../../archive/init-repository.ts';
import { keyArgNames } from '../../keys/key-type.ts';
import { decodeRelatedSecrets } from '../../keys/related-secrets.ts';
import { defineCommand } from '../command.ts';
import { readInputFile } from '../input-file.ts';
import type { CommonArgs } from '../options/common.ts';
import { creatorFor } from '../remote-options.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parseNonEmptyPath, parseStorageQuota } from '../options/values.ts';

interface InitArgs extends CommonArgs, LocationArgs {
  readonly encryption: string;
  readonly appendOnly: boolean;
  readonly storageQuota: number | undefined;
  readonly makeParentDirs: boolean;
  readonly importRelatedSecrets: string | undefined;
}

export const init = defineCommand<InitArgs>({
  name: 'init',
  description: `
Makes an empty repository: a directory that will hold the data of archives.

 MODE                    contents   key kept in
 repokey                 encrypted  the repository, under the passphrase
 repokey-blake2          encrypted  the repository, under the passphrase
 keyfile                 encrypted  a file in your home directory
 keyfile-blake2          encrypted  a file in your home directory
 authenticated           readable   the repository
 authenticated-blake2    readable   the repository
 none                    readable   (there is none)

With "repokey" you need the passphrase to restore; with "keyfile" also the file, so nobody with the repository alone
can try passphrases. The blake2 modes are faster on machines whose processors do not compute SHA-256. With
"authenticated" nobody can change data unnoticed, but everybody can read it; with "none" neither is kept from anybody.

The passphrase comes from BORG_NEW_PASSPHRASE, BORG_PASSPHRASE, BORG_PASSCOMMAND or BORG_PASSPHRASE_FD, or is asked
for. Nobody can recover it.`,
  positionals: [locationOf('REPOSITORY', 'the directory to make', { optional: true, archive: 'none' })],
  options: [
    optionGroup(
      'Options',
      {
        flags: ['-e', '--encryption'],
        dest: 'encryption',
        metavar: 'MODE',
        choices: keyArgNames(),
        required: true,
        help: 'how to protect the data (required)',
      },
      flag('--append-only', 'appendOnly', 'never remove data from its files'),
      {
        flags: ['--storage-quota'],
        dest: 'storageQuota',
        metavar: 'QUOTA',
        parse: parseStorageQuota,
        help: 'let the data grow to at most QUOTA (e.g. 5G, 1.5T)',
      },
      flag('--make-parent-dirs', 'makeParentDirs', 'make missing directories above it, too'),
      {
        flags: ['--import-related-secrets'],
        dest: 'importRelatedSecrets',
        metavar: 'PATH',
        parse: parseNonEmptyPath,
        help: 'cut and name data as the repository whose secrets are in PATH',
      },
    ),
  ],
  examples: [
    { command: 'alcove init --encryption=repokey /path/to/repo', text: 'a repository with a passphrase' },
    {
      command: 'alcove init --encryption=keyfile /path/to/repo',
      text: 'with a key that stays on this machine',
    },
  ],

  async run(ctx, args) {
    const secretsPath = args.importRelatedSecrets;
    const secrets = secretsPath === undefined ? undefined : await readInputFile(ctx, secretsPath);
    await using session = await initRepository(ctx, args.location, {
      encryption: args.encryption,
      appendOnly: args.appendOnly,
      storageQuotaBytes: args.storageQuota,
      makeParentDirs: args.makeParentDirs,
      lockWaitSeconds: args.lockWait,
      create: creatorFor(ctx, args),
      relatedSecrets: secrets === undefined ? undefined : decodeRelatedSecrets(secrets, secretsPath!),
    });
    const { key } = session;
    if (key.type.storage === 'none') return;
    const place = key.type.storage === 'keyfile' ? `in ${key.target}` : 'in the repository';
    ctx.reporter.log(
      'warning',
      `
IMPORTANT: without the key AND the passphrase nobody can restore anything from this repository.

The key is kept ${place}. Now, while you think of it:
1. Write the passphrase down and keep it in a safe place.
2. Keep a copy of the key somewhere else:
   alcove key export ${args.location.processed} key-backup
`,
    );
  },
});
