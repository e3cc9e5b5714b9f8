/**
 * Deletes archives one after the other, and commits now and then, so that little is lost when it stops in between: what
 * is committed is whole, what is not stays as it was.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.maybe_checkpoint, _delete_archives and do_prune.
 */
import { GeneralError } from '../errors.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import { deleteArchive, type DeleteArchiveOptions } from './delete-archive.ts';
import type { Session } from './session.ts';
import { Statistics } from './statistics.ts';

export interface DeletionRunOptions extends DeleteArchiveOptions {
  /** Time after which to commit what was deleted so far. 0: only at the end. */
  readonly checkpointIntervalSeconds?: number;
}

export class DeletionRun {
  /** What became free, as negative sizes. */
  readonly statistics = new Statistics();
  readonly #session: Session;
  readonly #cache: ChunksCache;
  readonly #options: DeletionRunOptions;
  #uncommitted = 0;
  #lastCommitMs = performance.now();

  constructor(session: Session, cache: ChunksCache, options: DeletionRunOptions) {
    this.#session = session;
    this.#cache = cache;
    this.#options = options;
  }

  /** Deletes an archive; commits where it is time to, and after an interruption. */
  async delete(name: string): Promise<void> {
    await deleteArchive(this.#session, this.#cache, name, this.statistics, this.#options);
    this.#uncommitted += 1;
    const intervalMs = (this.#options.checkpointIntervalSeconds ?? 0) * 1000;
    const isDue = intervalMs > 0 && performance.now() - this.#lastCommitMs > intervalMs;
    if (isDue || this.#session.ctx.signal.aborted) await this.commit();
  }

  /** Commits what was deleted, if anything. */
  async commit(): Promise<void> {
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
