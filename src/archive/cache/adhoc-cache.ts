/**
 * A cache for one run (--no-cache-sync): knows which chunks the repository has, but not how many references they
 * have nor their sizes, so what was there before is never deleted.
 *
 * Source: Borg 1.4.5, cache.py, AdHocCache.
 */
import { SecurityManager } from '../../keys/security-manager.ts';
import { MANIFEST_ID } from '../../repository/repository.ts';
import type { Context } from '../../util/context.ts';
import { ChunkIndex, MAX_REFCOUNT } from './chunk-index.ts';
import { ChunksCache, type CacheSubject } from './chunks-cache.ts';

const LIST_LIMIT = 100_000;
const GROWTH = 1.1;

export class AdHocCache extends ChunksCache {
  readonly kind = 'ad-hoc';
  readonly files = undefined;
  readonly #ctx: Context;
  #chunks = new ChunkIndex();
  #loaded = false;
  #transactionActive = false;

  private constructor(ctx: Context, subject: CacheSubject) {
    super(subject);
    this.#ctx = ctx;
  }

  /** The repository's identity must have been checked: see assertSecure. */
  static open(ctx: Context, subject: CacheSubject): AdHocCache {
    ctx.reporter.log('warning', 'Note: --no-cache-sync is an experimental feature.', {
      logger: 'borg.cache',
    });
    return new AdHocCache(ctx, subject);
  }

  get chunks(): ChunkIndex {
    return this.#chunks;
  }

  /** Asks the repository for all its ids, the first time. */
  async begin(): Promise<void> {
    if (this.#transactionActive) return;
    this.#transactionActive = true;
    if (this.#loaded) return;
    const { repository } = this.subject;
    const count = await repository.count();
    const chunks = ChunkIndex.withUsable(count * GROWTH, { shared: true });
    const progress = this.#ctx.reporter.percent(
      'cache.download_chunks',
      'Downloading chunk list... %3.0f%%',
      count,
    );
    let marker: Uint8Array | undefined;
    for (;;) {
      const ids = await repository.list(LIST_LIMIT, marker);
      if (ids.length === 0) break;
      progress.advance({ steps: ids.length });
      for (const id of ids) chunks.add(id, MAX_REFCOUNT, 0, 0);
      marker = ids.at(-1);
    }
    progress.finish();
    chunks.delete(MANIFEST_ID);
    this.#chunks = chunks;
    this.#loaded = true;
  }

  commit(): Promise<void> {
    if (this.#transactionActive) {
      const { repository, manifest, key } = this.subject;
      new SecurityManager(this.#ctx, repository).save(key, manifest.timestamp);
      this.#transactionActive = false;
    }
    return Promise.resolve();
  }

  /** Sizes of chunks from before are learnt when a chunk of that id turns up. */
  override refcount(id: Uint8Array, sizeBytes?: number): number {
    const entry = this.#chunks.get(id);
    if (entry === undefined) return 0;
    if (sizeBytes !== undefined && entry.sizeBytes === 0) this.#chunks.set(id, { ...entry, sizeBytes });
    return entry.refcount;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
