/**
 * Deletes one archive: takes its references away, and with the last one to a chunk the chunk.
 *
 * Source: Borg 1.4.5, archive.py, Archive.delete.
 */
import { IntegrityError, ObjectNotFound } from '../errors.ts';
import { ItemUnpacker } from '../format/item-unpacker.ts';
import type { Item } from '../format/item.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { MsgpackError } from '../msgpack/value.ts';
import { OverlappingWork } from '../util/overlapping-work.ts';
import { SilentReporter } from '../util/reporter.ts';
import { type ArchiveStream, archiveStreams } from './archives-ahead.ts';
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
/** A server takes its time for each, so many are asked for before the first is done. */
const OVERLAPPING_DELETIONS = 4096;

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
  const deletions = overlappingDeletions();
  try {
    for await (const stream of archiveStreams(session, [name])) {
      await deleteStream({ session, cache, statistics, deletions }, stream, options);
    }
    await deletions.finish();
  } finally {
    // What comes next, e.g. a rollback, must find nothing under way.
    await deletions.idle();
  }
}

/** What deletions of archives have in common. */
export interface DeletionParts {
  readonly session: Session;
  readonly cache: ChunksCache;
  readonly statistics: Statistics;
  /** Of objects. The caller waits for them, and throws what they throw. */
  readonly deletions: OverlappingWork;
}

export function overlappingDeletions(): OverlappingWork {
  return new OverlappingWork(OVERLAPPING_DELETIONS);
}

/** As deleteArchive(), for an archive that is being read. */
export async function deleteStream(
  parts: DeletionParts,
  stream: ArchiveStream,
  options: DeleteArchiveOptions,
): Promise<void> {
  const { cache, session } = parts;
  await cache.begin();
  const isWhole = await new Deletion(parts, stream, options).run();
  session.manifest.archives.delete(stream.archive.nameInManifest);
  if (isWhole) return;
  const { reporter } = session.ctx;
  reporter.log('warning', 'forced deletion succeeded, but the deleted archive was corrupted.', LOGGER);
  reporter.log('warning', 'borg check --repair is required to free all space.', LOGGER);
}

class Deletion {
  readonly #parts: DeletionParts;
  readonly #stream: ArchiveStream;
  readonly #force: boolean;
  readonly #considerPartFiles: boolean;
  readonly #showProgress: boolean;
  #isWhole = true;
  #unpacker = new ItemUnpacker();

  constructor(parts: DeletionParts, stream: ArchiveStream, options: DeleteArchiveOptions) {
    this.#parts = parts;
    this.#stream = stream;
    this.#force = options.force ?? false;
    this.#considerPartFiles = options.considerPartFiles ?? false;
    this.#showProgress = options.showProgress ?? true;
  }

  /** Says whether the archive was undamaged. */
  async run(): Promise<boolean> {
    const { session, deletions } = this.#parts;
    const { archive } = this.#stream;
    const text = 'Decrementing references %3.0f%%';
    const reporter = this.#showProgress ? session.ctx.reporter : new SilentReporter();
    const progress = reporter.percent('archive.delete', text, archive.metadata.items.length);
    try {
      for await (const { id, plaintext } of this.#stream.chunks()) {
        progress.advance();
        await this.#decref(id);
        await this.#releaseItems(plaintext);
      }
    } catch (error) {
      // Without this part of the item stream what follows can't be understood.
      this.#ignoreIfForced(error);
    }
    progress.finish();
    await this.#decref(archive.id);
    // Only what comes of them says whether it is whole; otherwise the next archive needs not wait for that.
    if (this.#force) await deletions.finish();
    return this.#isWhole;
  }

  async #releaseItems(data: Uint8Array): Promise<void> {
    try {
      this.#unpacker.feed(data);
    } catch (error) {
      return this.#giveUpOn(error);
    }
    for (;;) {
      let item: Item | undefined;
      try {
        item = this.#unpacker.next();
      } catch (error) {
        if (!(error instanceof MetadataError)) return this.#giveUpOn(error);
        this.#ignoreIfForced(error);
        continue;
      }
      if (item === undefined) return;
      const part = !this.#considerPartFiles && item.part !== undefined;
      for (const { id } of item.chunks ?? []) if (this.#isLast(id, part)) await this.#delete(id);
    }
  }

  /** What follows may be understood again. */
  #giveUpOn(error: unknown): void {
    this.#ignoreIfForced(error);
    this.#unpacker = new ItemUnpacker();
  }

  async #decref(id: Uint8Array): Promise<void> {
    if (this.#isLast(id)) await this.#delete(id);
  }

  #isLast(id: Uint8Array, part = false): boolean {
    return this.#parts.cache.dropReference(id, this.#parts.statistics, part);
  }

  #delete(id: Uint8Array): Promise<void> {
    return this.#parts.deletions.add(this.#deleteObject(id));
  }

  async #deleteObject(id: Uint8Array): Promise<void> {
    try {
      await this.#parts.session.repository.delete(id);
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
