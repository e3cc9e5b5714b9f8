/** Deletes a whole repository, and what this machine knows of it. Source: Borg 1.4.5 archiver.py, _delete_repository. */
import { selectArchives } from '../archive/archive-selection.ts';
import { cacheDirectory } from '../archive/cache/local-cache.ts';
import { Manifest } from '../archive/manifest.ts';
import { initCrypto } from '../crypto/init-crypto.ts';
import { CancelledByUser, NoManifestError } from '../errors.ts';
import { destroySecurityFolder } from '../keys/security-manager.ts';
import type { Repository } from '../repository/repository.ts';
import type { DeleteArgs } from './commands/delete.ts';
import type { CliContext } from './context.ts';
import { openRepositoryAt } from './open-repository.ts';
import { archiveLine } from './output/archive-line.ts';

export async function deleteRepository(ctx: CliContext, args: DeleteArgs): Promise<void> {
  const { reporter } = ctx;
  await using repository = await openRepositoryAt(ctx, args, { exclusive: true });
  const { idHex } = repository;
  if (!args.cacheOnly) {
    if (args.forced === 0 && !(await isConfirmed(ctx, args, repository))) throw new CancelledByUser();
    if (args.dryRun) {
      reporter.log('info', 'Would delete repository.');
      reporter.log('info', `Would ${args.keepSecurityInfo ? 'keep' : 'delete'} security info.`);
    } else {
      await repository.destroy();
      reporter.log('info', 'Repository deleted.');
      if (!args.keepSecurityInfo) destroySecurityFolder(ctx, idHex);
    }
  }
  if (args.dryRun) {
    reporter.log('info', 'Would delete cache.');
    return;
  }
  destroyCache(ctx, idHex);
  reporter.log('info', 'Cache deleted.');
}

/** The config goes first: without it, what is left of an interrupted deletion is no cache. */
function destroyCache(ctx: CliContext, repositoryIdHex: string): void {
  const directory = cacheDirectory(ctx, repositoryIdHex);
  if (!directory.exists('config')) return;
  directory.store.removeFile('config');
  directory.removeTree('');
}

async function isConfirmed(ctx: CliContext, args: DeleteArgs, repository: Repository): Promise<boolean> {
  const manifest = await loadManifest(ctx, repository);
  const ruler = '-'.repeat(78);
  const count = manifest === undefined ? 'all' : String(manifest.archives.size);
  const lines = [
    `This deletes the repository with ${count} archives in it, for good:`,
    ruler,
    `Repository ID: ${repository.idHex}`,
    `Location: ${repository.location}`,
    ...(args.outputList ? ['', 'Archives:', ...archiveLines(manifest)] : []),
    ruler,
    "Type 'YES' if you understand this and want to continue: ",
  ];
  return ctx.reporter.ask({
    text: lines.join('\n'),
    env: 'BORG_DELETE_I_KNOW_WHAT_I_AM_DOING',
    falseText: 'Aborting.',
    invalidText: 'Invalid answer, aborting.',
    truish: ['YES'],
    retry: false,
  });
}

function archiveLines(manifest: Manifest | undefined): string[] {
  if (manifest === undefined) return ['It has no manifest, so nothing can be told about its contents.'];
  if (manifest.archives.size === 0) return ['It has no archives.'];
  return selectArchives(manifest.archives, { sortBy: ['ts'] }).map((archive) => archiveLine(archive));
}

async function loadManifest(ctx: CliContext, repository: Repository): Promise<Manifest | undefined> {
  await initCrypto();
  try {
    return await Manifest.load(ctx, repository, []);
  } catch (error) {
    if (error instanceof NoManifestError) return undefined;
    throw error;
  }
}
