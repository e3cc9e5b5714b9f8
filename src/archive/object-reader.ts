/**
 * Reads repository objects in order and opens them, a few ahead of the one that is wanted.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.fetch_many.
 */
import type { Key } from '../keys/key.ts';
import type { Repository } from '../repository/repository.ts';
import { openObject } from './repo-object.ts';

export class ObjectReader {
  readonly #repository: Repository;
  readonly #key: Key;

  constructor(repository: Repository, key: Key) {
    this.#repository = repository;
    this.#key = key;
  }

  /** The plaintext of one object; throws ObjectNotFound, IntegrityError, DecompressionError. */
  async read(id: Uint8Array): Promise<Uint8Array> {
    return openObject(this.#key, id, await this.#repository.get(id));
  }

  /** The plaintexts of objects, in the order of `ids`. */
  async *readMany(ids: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
    let next = 0;
    for await (const sealed of this.#repository.getMany(ids)) {
      yield openObject(this.#key, ids[next++], sealed);
    }
  }
}
