/**
 * The files that say what the log holds, so that it needn't be read: `index.N`, `hints.N` and `integrity.N`, N being
 * the transaction. They are written beside the old ones and renamed, integrity.N durably before the others; so
 * whatever a crash leaves is a whole set, or is recognized.
 *
 * Source: Borg 1.4.5 repository.py, write_index, open_index, _read_integrity, get_index_transaction_id.
 */
import { FileIntegrityError } from '../errors.ts';
import { decodeHints, encodeHints } from '../format/hints.ts';
import type { Hints, OldHints } from '../format/hints.ts';
import {
  INDEX_HEADER_BYTES,
  IndexFileError,
  decodeBuckets,
  decodeIndexHeader,
  encodeIndexFile,
} from '../format/index-file.ts';
import { computeIntegrityData, verifyFirstPart, verifyIntegrityData } from '../format/integrity-data.ts';
import type { IntegrityPart } from '../format/integrity-data.ts';
import { decodeRepositoryIntegrity, encodeRepositoryIntegrity } from '../format/repository-integrity.ts';
import { hasCode, isReadError } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { createWholeFile, readWholeFile } from '../store/whole-file.ts';
import { HashIndex } from '../util/hash-index.ts';
import type { Reporter } from '../util/reporter.ts';

const KINDS = ['integrity', 'hints', 'index'] as const;
type Kind = (typeof KINDS)[number];

/** Values of the index: segment and offset. */
const VALUE_WORDS = 2;
const MAX_HINTS_SIZE_BYTES = 2 ** 32;
const MAX_INTEGRITY_SIZE_BYTES = 64 * 1024;

export class TransactionFiles {
  readonly #store: Store;
  readonly #reporter: Reporter;

  constructor(store: Store, reporter: Reporter) {
    this.#store = store;
    this.#reporter = reporter;
  }

  /** The last transaction that has an index, other than the excluded. Files of no bytes don't count. */
  latest(excluded: ReadonlySet<number> = new Set()): number | undefined {
    let latest: number | undefined;
    for (const { name } of this.#store.list('')) {
      const digits = /^index\.(?<id>[0-9]{1,15})$/.exec(name)?.groups?.['id'];
      if (digits === undefined || (this.#store.stat(name)?.sizeBytes ?? 0) === 0) continue;
      const transactionId = Number(digits);
      if (!excluded.has(transactionId)) latest = Math.max(latest ?? 0, transactionId);
    }
    return latest;
  }

  /** All files of transactions, with the transaction's number; also those that were being written. */
  named(): { readonly path: string; readonly transactionId: number }[] {
    const found: { path: string; transactionId: number }[] = [];
    for (const { name, kind } of this.#store.list('')) {
      const digits = /^(?:index|hints|integrity)\.(?<id>[0-9]{1,15})(?:\.tmp)?$/.exec(name)?.groups?.['id'];
      if (digits !== undefined && kind === 'file') found.push({ path: name, transactionId: Number(digits) });
    }
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** In shared memory if asked. Throws FileIntegrityError, IndexFileError or ENOENT where the index can't be used. */
  readIndex(transactionId: number, shared = false): HashIndex {
    const path = `index.${transactionId}`;
    const integrity = this.#integrityOf(transactionId, 'index');
    const file = this.#store.openFile(path);
    try {
      const fileSizeBytes = file.sizeBytes();
      const header = new Uint8Array(INDEX_HEADER_BYTES);
      const got = file.read(header, 0);
      if (integrity !== undefined && got === header.length) {
        verifyFirstPart(integrity, `${this.#store.root}/${path}`, 'HashHeader', header);
      }
      const { size, bucketCount } = decodeIndexHeader(header.subarray(0, got), VALUE_WORDS, fileSizeBytes);
      const buckets = HashIndex.allocate(bucketCount, { valueWords: VALUE_WORDS, shared });
      const read = file.read(buckets, INDEX_HEADER_BYTES);
      if (read < buckets.length) throw new IndexFileError('the file is cut short');
      this.#verify(path, integrity, [{ name: 'HashHeader', bytes: header }, { bytes: buckets }]);
      return decodeBuckets(buckets, { valueWords: VALUE_WORDS, size, shared });
    } finally {
      file.close();
    }
  }

  /** Whether what readIndex() gave was verified: without a checksum, it may have been changed. */
  isVerified(transactionId: number): boolean {
    try {
      return this.#integrityOf(transactionId, 'index') !== undefined;
    } catch (error) {
      if (error instanceof FileIntegrityError) return false;
      throw error;
    }
  }

  /** Throws FileIntegrityError, HintsError or ENOENT where the hints can't be used. */
  readHints(transactionId: number): Hints | OldHints {
    const path = `hints.${transactionId}`;
    const integrity = this.#integrityOf(transactionId, 'hints');
    const bytes = readWholeFile(this.#store, path, MAX_HINTS_SIZE_BYTES);
    this.#verify(path, integrity, [{ bytes }]);
    return decodeHints(bytes);
  }

  /** Writes the transaction's three files and removes those of others. */
  write(transactionId: number, index: HashIndex, hints: Hints): void {
    const hintsBytes = encodeHints(hints);
    const indexParts = encodeIndexFile(index);
    const content: Record<Kind, readonly Uint8Array[]> = {
      hints: [hintsBytes],
      index: indexParts.map(({ bytes }) => bytes),
      integrity: [
        encodeRepositoryIntegrity({
          hints: computeIntegrityData(`hints.${transactionId}`, [{ bytes: hintsBytes }]),
          index: computeIntegrityData(`index.${transactionId}`, indexParts),
        }),
      ],
    };
    try {
      for (const kind of ['hints', 'index', 'integrity'] as const) {
        const path = `${kind}.${transactionId}.tmp`;
        this.#removeIfThere(path);
        createWholeFile(this.#store, path, ...content[kind]);
      }
    } catch (error) {
      for (const kind of KINDS) this.#removeIfThere(`${kind}.${transactionId}.tmp`);
      throw error;
    }
    this.#rename('integrity', transactionId);
    this.#store.syncFolder('');
    this.#rename('hints', transactionId);
    this.#rename('index', transactionId);
    this.#store.syncFolder('');
    for (const { name } of this.#store.list('')) {
      if (/^(?:index|hints|integrity)\./.test(name) && !name.endsWith(`.${transactionId}`))
        this.#removeIfThere(name);
    }
  }

  remove(kind: 'index' | 'hints', transactionId: number): void {
    this.#removeIfThere(`${kind}.${transactionId}`);
  }

  #rename(kind: Kind, transactionId: number): void {
    this.#store.rename(`${kind}.${transactionId}.tmp`, `${kind}.${transactionId}`);
  }

  #removeIfThere(path: string): void {
    try {
      this.#store.removeFile(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** What the file is verified by; undefined where it can't be. */
  #integrityOf(transactionId: number, kind: 'index' | 'hints'): string | undefined {
    const path = `integrity.${transactionId}`;
    let integrity: ReturnType<typeof decodeRepositoryIntegrity>;
    try {
      integrity = decodeRepositoryIntegrity(readWholeFile(this.#store, path, MAX_INTEGRITY_SIZE_BYTES));
    } catch (error) {
      // Without the file nothing can be verified: Borg before 1.1 wrote none.
      if (hasCode(error, 'ENOENT')) return undefined;
      if (hasCode(error) && !isReadError(error)) throw error;
      throw new FileIntegrityError([`${this.#store.root}/${path}`], error);
    }
    if (!('unknownVersion' in integrity)) return integrity[kind];
    const version =
      integrity.unknownVersion === undefined ? 'None' : JSON.stringify(integrity.unknownVersion);
    this.#warn(`Unknown integrity data version ${version} in ${path}`);
    return undefined;
  }

  #verify(path: string, integrity: string | undefined, parts: readonly IntegrityPart[]): void {
    if (integrity === undefined) return;
    if (verifyIntegrityData(integrity, `${this.#store.root}/${path}`, parts)) return;
    this.#warn(`Cannot verify integrity of ${path}: Unknown algorithm`);
  }

  #warn(message: string): void {
    this.#reporter.log('warning', message, { logger: 'borg.repository' });
  }
}
