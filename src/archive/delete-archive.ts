/**
 * Deletes one archive: takes its references away, and with the last one to a chunk the chunk.
 *
 * Source: Borg 1.4.5, archive.py, Archive.delete.
 */
import { IntegrityError, ObjectNotFound } from '../errors.ts';
import { decodeItem } from '../format/item.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { OBJECT_LIMITS, Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../msgpack/value.ts';
import { SilentReporter } from '../util/reporter.ts';
import { Archive } from './archive.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import type { Session } from './session.ts';
import type { Statistics } from './statistics.ts';

export interface DeleteArchiveOptions {
  /** Go on where the archive is damaged; what can't be found stays for "check --repair" to free. */
  readonly force?: boolean;
  /** Count part files as files. */
  readonly considerPartFiles?: boolean;
  /** Show the progress within each archive. Default true. */
  readonly showProgress?: boolean;
}

const LOGGER = { logger: 'borg.archiver' };

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
  readonly #showProgress: boolean;
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
    this.#showProgress = options.showProgress ?? true;
  }

  /** Says whether the archive was undamaged. */
  async run(): Promise<boolean> {
    const { items } = this.#archive.metadata;
    const text = 'Decrementing references %3.0f%%';
    const reporter = this.#showProgress ? this.#session.ctx.reporter : new SilentReporter();
    const progress = reporter.percent('archive.delete', text, items.length);
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
