/**
 * Deletes archives: takes their references away, and with the last one to a chunk the chunk.
 *
 * Source: Borg 1.4.5, archive.py, Archive.delete; archiver.py, Archiver._delete_archives.
 */
import { GeneralError, GeneralWarning, IntegrityError, ObjectNotFound } from '../errors.ts';
import { decodeItem } from '../format/item.ts';
import type { ArchiveEntry } from '../format/manifest.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { OBJECT_LIMITS, Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../msgpack/value.ts';
import { Archive } from './archive.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import type { Session } from './session.ts';
import { Statistics } from './statistics.ts';

export interface DeleteArchiveOptions {
  /** Go on where the archive is damaged; what can't be found stays for "check --repair" to free. */
  readonly force?: boolean;
  /** Count part files as files. */
  readonly considerPartFiles?: boolean;
}

/** An archive whose turn it is; `number` of `total`. */
export interface DeletedArchive {
  readonly name: string;
  readonly entry: ArchiveEntry;
  readonly number: number;
  readonly total: number;
}

export interface DeleteOptions extends DeleteArchiveOptions {
  /** Only take the archives off the list, without looking at them (--force --force). */
  readonly listOnly?: boolean;
  readonly dryRun?: boolean;
  /** Time after which to commit what was deleted so far. 0: only at the end. */
  readonly checkpointIntervalSeconds?: number;
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
  const statistics = new Statistics();
  await using cache = await session.openCache();
  let uncommitted = 0;
  let lastCommitMs = performance.now();
  const commit = async (): Promise<void> => {
    await cache.begin();
    await session.manifest.write();
    await session.repository.commit({ compact: false });
    await cache.commit();
    uncommitted = 0;
    lastCommitMs = performance.now();
  };
  const intervalMs = (options.checkpointIntervalSeconds ?? 0) * 1000;
  for (const archive of found(session, names)) {
    options.onArchive?.(archive);
    if (options.dryRun === true) continue;
    await deleteArchive(session, cache, archive.name, statistics, options);
    uncommitted += 1;
    const isDue = intervalMs > 0 && performance.now() - lastCommitMs > intervalMs;
    if (isDue || session.ctx.signal.aborted) await commit();
    if (session.ctx.signal.aborted) throw new GeneralError(['Got Ctrl-C / SIGINT.']);
  }
  if (uncommitted > 0) await commit();
  await options.onDeleted?.(statistics, cache);
  return statistics;
}

/**
 * Deletes one archive in the running transaction, which the caller commits: manifest, repository, cache. Adds what
 * became free to the statistics, as negative sizes.
 *
 * @throws ArchiveDoesNotExist; ObjectNotFound, IntegrityError and ChunksIndexError where it is damaged
 */
export async function deleteArchive(
  session: Session,
  cache: ChunksCache,
  name: string,
  statistics: Statistics,
  options: DeleteArchiveOptions = {},
): Promise<void> {
  const archive = await Archive.open(session, name);
  await cache.begin();
  const isWhole = await new Deletion(session, archive, cache, statistics, options).run();
  session.manifest.archives.delete(name);
  if (isWhole) return;
  const { reporter } = session.ctx;
  reporter.log('warning', 'forced deletion succeeded, but the deleted archive was corrupted.', LOGGER);
  reporter.log('warning', 'borg check --repair is required to free all space.', LOGGER);
}

class Deletion {
  readonly #session: Session;
  readonly #archive: Archive;
  readonly #cache: ChunksCache;
  readonly #statistics: Statistics;
  readonly #force: boolean;
  readonly #considerPartFiles: boolean;
  #isWhole = true;
  #unpacker = new Unpacker(OBJECT_LIMITS);

  constructor(
    session: Session,
    archive: Archive,
    cache: ChunksCache,
    statistics: Statistics,
    options: DeleteArchiveOptions,
  ) {
    this.#session = session;
    this.#archive = archive;
    this.#cache = cache;
    this.#statistics = statistics;
    this.#force = options.force ?? false;
    this.#considerPartFiles = options.considerPartFiles ?? false;
  }

  /** Says whether the archive was undamaged. */
  async run(): Promise<boolean> {
    const { items } = this.#archive.metadata;
    const text = 'Decrementing references %3.0f%%';
    const progress = this.#session.ctx.reporter.percent('archive.delete', text, items.length);
    let next = 0;
    try {
      for await (const data of this.#archive.reader.readMany(items)) {
        progress.advance();
        await this.#decref(items[next++]!);
        await this.#releaseItems(data);
      }
    } catch (error) {
      // Without this part of the item stream what follows can't be understood.
      this.#ignoreIfForced(error);
    }
    progress.finish();
    await this.#decref(this.#archive.id);
    return this.#isWhole;
  }

  async #releaseItems(data: Uint8Array): Promise<void> {
    const values: MsgpackValue[] = [];
    try {
      this.#unpacker.feed(data);
      for (let value = this.#unpacker.next(); value !== undefined; value = this.#unpacker.next()) {
        values.push(value);
      }
    } catch (error) {
      this.#ignoreIfForced(error);
      this.#unpacker = new Unpacker(OBJECT_LIMITS);
    }
    for (const value of values) await this.#releaseItem(value);
  }

  async #releaseItem(value: MsgpackValue): Promise<void> {
    try {
      const item = decodeItem(value);
      const part = !this.#considerPartFiles && item.part !== undefined;
      for (const { id } of item.chunks ?? []) await this.#decref(id, part);
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
      this.#ignoreIfForced(error);
    }
  }

  async #decref(id: Uint8Array, part = false): Promise<void> {
    try {
      await this.#cache.decref(id, this.#statistics, part);
    } catch (error) {
      // The object is gone, which is what was wanted.
      if (!(error instanceof ObjectNotFound)) throw error;
      this.#ignoreIfForced(error);
    }
  }

  #ignoreIfForced(error: unknown): void {
    if (error instanceof MsgpackError || error instanceof MetadataError) {
      if (!this.#force) throw new IntegrityError([`item metadata stream: ${error.message}`], error);
    } else if (!(error instanceof ObjectNotFound) || !this.#force) {
      throw error;
    }
    this.#isWhole = false;
  }
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
