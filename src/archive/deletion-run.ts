/**
 * Deletes archives one after the other, and commits now and then, so that little is lost when it stops in between: what
 * is committed is whole, what is not stays as it was.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.maybe_checkpoint, _delete_archives and do_prune.
 */
import { GeneralError } from '../errors.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import { type ArchiveStream, archiveStreams } from './archives-ahead.ts';
import { type DeleteArchiveOptions, deleteStream, overlappingDeletions } from './delete-archive.ts';
import type { Session } from './session.ts';
import { Statistics } from './statistics.ts';

export interface DeletionRunOptions extends DeleteArchiveOptions {
  /** Time after which to commit what was deleted so far. 0: only at the end. */
  readonly checkpointIntervalSeconds?: number;
}

export class DeletionRun implements AsyncDisposable {
  /** What became free, as negative sizes. */
  readonly statistics = new Statistics();
  readonly #session: Session;
  readonly #cache: ChunksCache;
  readonly #options: DeletionRunOptions;
  readonly #streams: AsyncGenerator<ArchiveStream, void, undefined>;
  readonly #deletions = overlappingDeletions();
  #uncommitted = 0;
  #lastCommitMs = performance.now();

  /** `names` in the order in which they will be deleted, each there and named once; it may end earlier. */
  constructor(
    session: Session,
    cache: ChunksCache,
    names: Iterable<string>,
    options: DeletionRunOptions = {},
  ) {
    this.#session = session;
    this.#cache = cache;
    this.#options = options;
    this.#streams = archiveStreams(session, names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#streams.return();
    // What comes next, e.g. a rollback, must find nothing under way.
    await this.#deletions.idle();
  }

  /** Deletes the next archive; commits where it is time to, and after an interruption. */
  async deleteNext(): Promise<void> {
    const next = await this.#streams.next();
    if (next.done === true) throw new Error('more archives to delete than named');
    const parts = {
      session: this.#session,
      cache: this.#cache,
      statistics: this.statistics,
      deletions: this.#deletions,
    };
    await deleteStream(parts, next.value, this.#options);
    this.#uncommitted += 1;
    const intervalMs = (this.#options.checkpointIntervalSeconds ?? 0) * 1000;
    const isDue = intervalMs > 0 && performance.now() - this.#lastCommitMs > intervalMs;
    if (isDue || this.#session.ctx.signal.aborted) await this.commit();
  }

  /** Commits what was deleted, if anything. */
  async commit(): Promise<void> {
    await this.#deletions.finish();
    if (this.#uncommitted === 0) return;
    await this.#cache.begin();
    await this.#session.manifest.write();
    await this.#session.repository.commit({ compact: false });
    await this.#cache.commit();
    this.#uncommitted = 0;
    this.#lastCommitMs = performance.now();
  }

  /** Throws a GeneralError after an interruption. */
  throwIfInterrupted(): void {
    if (this.#session.ctx.signal.aborted) throw new GeneralError(['Got Ctrl-C / SIGINT.']);
  }
}
