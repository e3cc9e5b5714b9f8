import { selectArchives } from '../../archive/archive-selection.ts';
import { authenticateArchives, withoutArchiveTam } from '../../archive/archives-tam.ts';
import {
  dropManifestTam,
  manifestTamIssues,
  requireManifestTam,
  type ManifestTamChanges,
} from '../../archive/manifest-tam.ts';
import type { Session } from '../../archive/session.ts';
import { GeneralWarning } from '../../errors.ts';
import { toHex } from '../../util/bytes.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openSessionAt } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { archiveLine } from '../output/archive-line.ts';
import { upgradeFormat } from '../upgrade-format.ts';

interface UpgradeArgs extends CommonArgs, LocationArgs {
  readonly dryRun: boolean;
  readonly inplace: boolean;
  readonly force: boolean;
  readonly tam: boolean;
  readonly checkTam: boolean;
  readonly disableTam: boolean;
  readonly archivesTam: boolean;
  readonly checkArchivesTam: boolean;
}

export const upgrade = defineCommand<UpgradeArgs>({
  name: 'upgrade',
  description: `
Adds to an old repository what protects it against forgery, and checks that it is there.

--archives-tam authenticates archives that are not, which Borg before 1.0.9 made; once for each repository. Look at such
archives first: what it finds is taken for authentic. --check-archives-tam only looks.

--tam demands that the list of archives is authenticated; once on each client. --check-tam only looks, --disable-tam takes
it back. Where a Borg before 1.0.9 has written to the repository since, --tam --force repairs that.

Without any of these it moves a key file of Borg before 1.0 to where key files are now. Repositories of Attic are not
converted: use "borg upgrade" of Borg 1.4.`,
  positionals: [locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none' })],
  options: [
    optionGroup(
      'Options',
      flag(['-n', '--dry-run'], 'dryRun', 'change nothing'),
      flag('--inplace', 'inplace', 'accepted for compatibility, changes nothing'),
      flag('--force', 'force', 'take a list of archives that is not authenticated'),
      flag('--tam', 'tam', 'demand that the list of archives is authenticated'),
      flag('--check-tam', 'checkTam', 'check that this is demanded'),
      flag('--disable-tam', 'disableTam', 'do not demand it any more'),
      flag('--check-archives-tam', 'checkArchivesTam', 'check that all archives are authenticated'),
      flag('--archives-tam', 'archivesTam', 'authenticate the archives that are not'),
    ),
  ],
  examples: [
    {
      command: 'alcove upgrade --check-archives-tam /path/to/repo',
      text: 'see which archives are not authenticated',
    },
    { command: 'alcove upgrade --archives-tam /path/to/repo', text: 'authenticate them' },
    {
      command: 'alcove upgrade --tam /path/to/repo',
      text: 'take no unauthenticated list of archives any more',
    },
  ],

  check: ({ dryRun, tam, disableTam, archivesTam }) =>
    dryRun && (tam || disableTam || archivesTam)
      ? '--dry-run has no effect on these; see --check-tam and --check-archives-tam.'
      : undefined,

  async run(ctx, args) {
    if (args.archivesTam || args.checkArchivesTam) await upgradeArchives(ctx, args);
    else if (args.tam || args.checkTam) await upgradeManifest(ctx, args);
    else if (args.disableTam) await disableTam(ctx, args);
    else await upgradeFormat(ctx, args);
  },
});

async function upgradeArchives(ctx: CliContext, args: UpgradeArgs): Promise<void> {
  const readOnly = args.checkArchivesTam;
  await using session = await open(withoutArchiveTam(ctx), args, args.force);
  const issues = await authenticateArchives(session, {
    readOnly,
    onArchive: (archive, verified, newId) => {
      const line = archiveLine(archive);
      if (verified) ctx.print(`Archive TAM present: ${line}\n`);
      else if (newId === undefined) ctx.print(`Archive TAM missing: ${line}\n`);
      else ctx.print(`Added archive TAM:   ${line} -> [${toHex(newId)}]\n`);
    },
  });
  if (issues === 0) ctx.print('All archives are TAM authenticated.\n');
  else if (readOnly) warn(ctx, `Found ${issues} archives with TAM issues!`);
  else {
    ctx.print(`Fixed ${issues} archives with TAM issues!\n`);
    ctx.print('All archives are TAM authenticated now.\n');
  }
}

async function upgradeManifest(ctx: CliContext, args: UpgradeArgs): Promise<void> {
  await using session = await open(ctx, args, args.force);
  if (args.checkTam) {
    checkManifest(ctx, session);
    return;
  }
  const archives = selectArchives(session.manifest.archives, { sortBy: ['ts'] });
  const changes = await requireManifestTam(session);
  if (changes.manifest) {
    ctx.print(['Manifest contents:', ...archives.map((archive) => archiveLine(archive)), ''].join('\n'));
  }
  printKey(ctx, changes);
  if (changes.client) ctx.print('Updated security database\n');
}

function checkManifest(ctx: CliContext, session: Session): void {
  const { manifest, key, client } = manifestTamIssues(session);
  if (manifest) warn(ctx, 'Repository Manifest is not TAM verified or a TAM is not required!');
  if (key) warn(ctx, 'Key does not require TAM authentication!');
  if (client) warn(ctx, 'Client-side security database does not require a TAM!');
  if (manifest || key || client) return;
  ctx.print('Manifest authentication setup OK for this client and this repository.\n');
}

async function disableTam(ctx: CliContext, args: UpgradeArgs): Promise<void> {
  await using session = await open(ctx, args, true, []);
  printKey(ctx, await dropManifestTam(session));
}

function open(
  ctx: CliContext,
  args: UpgradeArgs,
  forceTamNotRequired: boolean,
  operations: readonly 'check'[] = ['check'],
): Promise<Session> {
  return openSessionAt(ctx, args, { operations, exclusive: true, secure: false, forceTamNotRequired });
}

function printKey(ctx: CliContext, { keyLocation }: ManifestTamChanges): void {
  if (keyLocation !== undefined) ctx.print(`Key updated\nKey location: ${keyLocation}\n`);
}

function warn(ctx: CliContext, text: string): void {
  ctx.reporter.warn(new GeneralWarning([text]));
}
