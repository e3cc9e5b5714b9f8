/**
 * Stores chunks of existing archives again, each once: new ones, and those whose compression is to change.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveRecreater.chunk_processor.
 */
import { detectCompression } from '../../compress/decompress.ts';
import type { ChunkRef } from '../../format/item.ts';
import { toBinaryString } from '../../util/bytes.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import type { Session } from '../session.ts';
import type { Statistics } from '../statistics.ts';

/** Which chunks to compress again: none, those in another format, or all (for another level). */
export type RecompressMode = 'never' | 'if-different' | 'always';

export class ChunkRewriter {
  readonly #session: Session;
  readonly #cache: ChunksCache;
  readonly #mode: RecompressMode;
  /** Chunks that are as they should be. */
  readonly #done = new Set<string>();

  constructor(session: Session, cache: ChunksCache, mode: RecompressMode) {
    this.#session = session;
    this.#cache = cache;
    this.#mode = mode;
  }

  /** Counts one reference to the chunk, which has the session's compression afterwards if the mode wants that. */
  async store(plaintext: Uint8Array, statistics: Statistics): Promise<ChunkRef> {
    const id = this.#session.key.idHash(plaintext);
    const name = toBinaryString(id);
    if (this.#done.has(name)) return this.#cache.incref(id, statistics, plaintext.length);
    const ref = (await this.#mustChange(id, plaintext))
      ? await this.#cache.overwrite(id, plaintext, statistics)
      : await this.#cache.addChunk(id, plaintext, statistics);
    this.#done.add(name);
    return ref;
  }

  async #mustChange(id: Uint8Array, plaintext: Uint8Array): Promise<boolean> {
    if (this.#mode !== 'if-different') return this.#mode === 'always';
    if (this.#cache.refcount(id, plaintext.length) === 0) return false;
    const { key, repository, compressor } = this.#session;
    const stored = detectCompression(key.open(id, await repository.get(id)));
    return stored !== compressor.decide(plaintext);
  }
}
