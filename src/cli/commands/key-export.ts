import { resolve } from 'node:path';
import { exportKey, exportPaperKey, writeKeyBackup } from '../../keys/key-backup.ts';
import { encodeKeyPage } from '../../keys/key-page.ts';
import type { Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { parseNonEmptyPath } from '../options/values.ts';

interface KeyExportArgs extends CommonArgs, LocationArgs {
  readonly path: string | undefined;
  readonly paper: boolean;
  readonly qr: boolean;
}

export const keyExport = defineCommand<KeyExportArgs>({
  name: 'key export',
  description: `
Writes a copy of the repository's key to PATH, or prints it. The copy is protected by the passphrase that the key has now:
to restore from a repository whose key is lost, you need both. "key import" brings it back.`,
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
  options: [
    optionGroup(
      'Options',
      flag('--paper', 'paper', 'make a copy to print and type in again'),
      flag('--qr-html', 'qr', 'make a page to print, with a QR code'),
    ),
  ],
  examples: [
    { command: 'alcove key export /path/to/repo key-backup', text: 'keep a copy in a file' },
    { command: 'alcove key export --qr-html /path/to/repo key.html', text: 'make a page to print' },
  ],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args, { lock: false });
    const text = await exportText(ctx, args, repository);
    if (args.path === undefined || args.path === '-') ctx.print(text);
    else writeKeyBackup(resolve(ctx.cwd, args.path), text, args.path);
  },
});

async function exportText(
  ctx: CliContext,
  { paper, qr }: KeyExportArgs,
  repository: Repository,
): Promise<string> {
  if (paper) return exportPaperKey(ctx, repository);
  const keyfile = await exportKey(ctx, repository);
  if (!qr) return keyfile;
  const paperKey = await exportPaperKey(ctx, repository);
  return encodeKeyPage({ repositoryIdHex: repository.idHex, keyfile, paperKey });
}
