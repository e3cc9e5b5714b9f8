import { changePassphrase } from '../../keys/change-passphrase.ts';
import { defineCommand } from '../command.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface ChangePassphraseArgs extends CommonArgs, LocationArgs {}

export const keyChangePassphrase = defineCommand<ChangePassphraseArgs>({
  name: 'key change-passphrase',
  description: `
Protects the key by another passphrase, from BORG_NEW_PASSPHRASE or typed twice. The key itself, and with it what
encrypts the data, stays the same: who has a copy of the old key and the old passphrase can still read everything.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [],
  examples: [
    { command: 'alcove key change-passphrase /path/to/repo', text: 'asks for the old one, then for the new' },
  ],

  async run(ctx, args) {
    await using session = await openSessionAt(ctx, args, { operations: ['check'] });
    const target = await changePassphrase(ctx, session.repository, session.key);
    ctx.reporter.log('info', 'Key updated');
    ctx.reporter.log('info', `Key location: ${target}`);
  },
});
