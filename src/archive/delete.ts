/**
 * Deletes archives by their names.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver._delete_archives.
 */
import { GeneralWarning } from '../errors.ts';
import type { ArchiveEntry } from '../format/manifest.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import { DeletionRun, type DeletionRunOptions } from './deletion-run.ts';
import type { Session } from './session.ts';
import { Statistics } from './statistics.ts';

/** An archive whose turn it is; `number` of `total`. */
export interface DeletedArchive {
  readonly name: string;
  readonly entry: ArchiveEntry;
  readonly number: number;
  readonly total: number;
}

export interface DeleteOptions extends DeletionRunOptions {
  /** Only take the archives off the list, without looking at them (--force --force). */
  readonly listOnly?: boolean;
  readonly dryRun?: boolean;
  /** Runs before an archive is deleted. */
  readonly onArchive?: (archive: DeletedArchive) => void;
  /** Runs when all is done and the cache still open, for statistics. */
  readonly onDeleted?: (statistics: Statistics, cache: ChunksCache) => Promise<void>;
}

const LOGGER = { logger: 'borg.archiver' };

/**
 * Deletes the archives of these names and commits. A name that there is no archive of is a warning. Gives what became
 * free, as negative sizes.
 *
 * @throws what a damaged archive throws, unless forced; GeneralError after an interruption, when what was deleted is
 *   committed
 */
export async function deleteArchives(
  session: Session,
  names: readonly string[],
  options: DeleteOptions = {},
): Promise<Statistics> {
  if (options.listOnly === true) return takeOffList(session, names, options);
  await using cache = await session.openCache();
  const there = new Set(names.filter((name) => session.manifest.archives.has(name)));
  await using run = new DeletionRun(session, cache, there, options);
  for (const archive of found(session, names)) {
    options.onArchive?.(archive);
    if (options.dryRun !== true) await run.deleteNext();
    run.throwIfInterrupted();
  }
  await run.commit();
  await options.onDeleted?.(run.statistics, cache);
  return run.statistics;
}

/** Archives by name; one that is not there is a warning. */
function* found(session: Session, names: readonly string[]): Generator<DeletedArchive> {
  let number = 0;
  for (const name of names) {
    number += 1;
    const entry = session.manifest.archives.get(name);
    if (entry !== undefined) yield { name, entry, number, total: names.length };
    else {
      const text = `Archive ${name} not found (${number}/${names.length}).`;
      session.ctx.reporter.warn(new GeneralWarning([text]));
    }
  }
}

async function takeOffList(
  session: Session,
  names: readonly string[],
  options: DeleteOptions,
): Promise<Statistics> {
  const { manifest, repository, ctx } = session;
  let deleted = 0;
  for (const archive of found(session, names)) {
    if (options.dryRun !== true) manifest.archives.delete(archive.name);
    options.onArchive?.(archive);
    deleted += 1;
  }
  if (options.dryRun === true) ctx.reporter.log('info', 'Finished dry-run.', LOGGER);
  else if (deleted === 0) ctx.reporter.log('warning', 'Aborted.', LOGGER);
  else {
    await manifest.write();
    await repository.commit({ compact: false });
    ctx.reporter.log('warning', 'Done. Run "borg check --repair" to clean up the mess.', LOGGER);
  }
  return new Statistics();
}
