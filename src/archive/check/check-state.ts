/** What the steps of a check share: the index of chunks, what was found, and the only way to change the repository. */
import { createCompressor } from '../../compress/compressor.ts';
import { DEFAULT_COMPRESSION } from '../../compress/compression-spec.ts';
import { envelopeSizeBytes } from '../../crypto/envelope.ts';
import type { ChunkRef } from '../../format/item.ts';
import type { Key } from '../../keys/key.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Context } from '../../util/context.ts';
import type { LogLevel } from '../../util/reporter.ts';
import { ChunkIndex } from '../cache/chunk-index.ts';
import { DamageCollector } from './damage.ts';
import type { ObjectReferences } from './object-references.ts';
import { RepairLog } from './repair-log.ts';

export const LOGGER = { logger: 'borg.archive' };

/**
 * - `check`: looks, and says what is wrong
 * - `plan`: decides as a repair, and writes nothing
 * - `repair`: decides and writes
 */
export type CheckMode = 'check' | 'plan' | 'repair';

export class CheckState {
  readonly ctx: Context;
  readonly repository: Repository;
  readonly key: Key;
  readonly mode: CheckMode;
  /** Every object of the repository, with the references that were counted so far. */
  readonly chunks: ObjectReferences;
  /** Objects that nothing refers to any more after this check's changes; they are no orphans. */
  readonly superseded = new ChunkIndex();
  readonly damage: DamageCollector;
  readonly log: RepairLog = new RepairLog();
  readonly #compressor = createCompressor(DEFAULT_COMPRESSION);
  readonly #isQuiet: boolean;
  #errorFound = false;

  constructor(
    ctx: Context,
    parts: {
      readonly repository: Repository;
      readonly key: Key;
      readonly mode: CheckMode;
      readonly chunks: ObjectReferences;
      readonly damage: DamageCollector;
      /** Nothing is logged. */
      readonly quiet?: boolean | undefined;
    },
  ) {
    this.ctx = ctx;
    this.repository = parts.repository;
    this.key = parts.key;
    this.mode = parts.mode;
    this.chunks = parts.chunks;
    this.damage = parts.damage;
    this.#isQuiet = parts.quiet ?? false;
  }

  /** What would be mended is taken for mended. */
  get mends(): boolean {
    return this.mode !== 'check';
  }

  get errorFound(): boolean {
    return this.#errorFound;
  }

  say(level: LogLevel, text: string): void {
    if (!this.#isQuiet) this.ctx.reporter.log(level, text, LOGGER);
  }

  /** Says what is wrong; the check will not end well. */
  fail(text: string, level: LogLevel = 'error'): void {
    this.#errorFound = true;
    this.say(level, text);
  }

  /** Counts a reference to an object; says whether there is such an object. */
  reference(id: Uint8Array): boolean {
    return this.chunks.addTo(id);
  }

  /** What a chunk of these contents would be called, and take. */
  refOf(plaintext: Uint8Array): ChunkRef {
    const payload = this.#compressor.compressTransient(plaintext);
    const csize = envelopeSizeBytes(this.key.material, payload.length);
    return { id: this.key.idHash(plaintext), size: plaintext.length, csize };
  }

  /** Counts a reference to an object with these contents, which is made where it is missing. Gives its id. */
  async store(plaintext: Uint8Array): Promise<Uint8Array> {
    const id = this.key.idHash(plaintext);
    if (this.reference(id)) return id;
    if (this.mode === 'repair') {
      const payload = this.#compressor.compress(plaintext);
      await this.repository.put(id, await this.key.seal(payload));
    }
    this.chunks.add(id);
    return id;
  }

  /** Deletes an object from the repository. */
  async remove(id: Uint8Array): Promise<void> {
    this.chunks.delete(id);
    if (this.mode === 'repair') await this.repository.delete(id);
  }

  /** Remembers what this check's changes may leave without references. */
  supersede(id: Uint8Array): void {
    if ((this.chunks.count(id) ?? 0) > 0) return;
    this.superseded.set(id, { refcount: 0, sizeBytes: 0, csizeBytes: 0 });
  }
}
