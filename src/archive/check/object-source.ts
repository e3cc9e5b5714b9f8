/**
 * Reads objects that may be damaged: each id gives its plaintext, or what is wrong. Where there is much to read, other
 * threads verify, decrypt and decompress.
 */
import { envelopeNonce, envelopeNonceBlocks } from '../../crypto/envelope.ts';
import { DecompressionError, IntegrityError, ObjectNotFound } from '../../errors.ts';
import type { Key } from '../../keys/key.ts';
import { ObjectOpener, type OpenedPart } from '../../pipeline/object-opener.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import { equalBytes, toHex } from '../../util/bytes.ts';
import { openObject } from '../repo-object.ts';

/** Below this much other threads would only cost time. */
const PARALLEL_FROM_BYTES = 4 * 2 ** 20;
const BATCH_BYTES = 512 * 1024;
const BATCH_OBJECTS = 512;
/** Sealed bytes that are being opened or wait to be taken. */
const MAX_AHEAD_BYTES = 16 * 2 ** 20;

/** How reading an object ended. */
export interface ReadObject {
  readonly id: Uint8Array;
  /** Good until the next object is asked for. */
  readonly plaintext?: Uint8Array;
  /** The repository does not give the object. */
  readonly readError?: DamageError;
  /** What the repository gives is not what it should be. */
  readonly openError?: DamageError;
  /** The first nonce behind those that the object was sealed with; 0 where it is damaged or not encrypted. */
  readonly nonceEnd?: bigint;
}

export type DamageError = Error & { readonly msgid: string };

type Sealed = { readonly id: Uint8Array } & (
  | { readonly sealed: Uint8Array }
  | { readonly readError: DamageError }
);

interface Batch {
  readonly objects: readonly { readonly id: Uint8Array; readonly nonceEnd: bigint }[];
  readonly sizeBytes: number;
  opened: Promise<OpenedPart> | undefined;
  /** What the repository did not give, behind the objects. */
  readonly readFailure: ReadObject | undefined;
}

/** What Borg calls an IntegrityError, and all below it. */
const INTEGRITY_MSGIDS: ReadonlySet<string> = new Set([
  IntegrityError.condition.msgid,
  DecompressionError.condition.msgid,
  'ArchiveTAMInvalid',
  'ArchiveTAMRequiredError',
  'TAMInvalid',
  'TAMRequiredError',
  'TAMUnsupportedSuiteError',
]);

/** What the error says, in the words that Borg's check has for it. */
export function damageText(error: DamageError | undefined): string {
  const text = error?.message ?? '';
  return text.endsWith(': Could not decrypt [MAC Authentication failed]')
    ? 'MAC Authentication failed'
    : text;
}

/** Whether the error says that data is damaged or forged. */
export function isIntegrityError(error: unknown): error is DamageError {
  return error instanceof Error && 'msgid' in error && INTEGRITY_MSGIDS.has(String(error.msgid));
}

export class ObjectSource implements AsyncDisposable {
  readonly #repository: Repository;
  readonly #key: Key;
  readonly #opener: ObjectOpener;
  #readBytes = 0;

  /** Threads start when there is work for them. */
  constructor(repository: Repository, key: Key, threads: number = defaultThreadCount()) {
    this.#repository = repository;
    this.#key = key;
    this.#opener = new ObjectOpener(key.material, threads);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opener[Symbol.asyncDispose]();
  }

  /** One object. Throws what has nothing to do with damage. */
  async read(id: Uint8Array): Promise<ReadObject> {
    try {
      return this.#open({ id, sealed: await this.#repository.get(id) });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return { id, readError: error };
    }
  }

  /** All objects in the order of the ids, which come page by page. */
  async *readAll(
    pages: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>,
  ): AsyncGenerator<ReadObject, void, undefined> {
    const source = sealedObjects(this.#repository, pages);
    try {
      while (this.#readBytes < PARALLEL_FROM_BYTES) {
        const next = await source.next();
        if (next.done === true) return;
        const read: ReadObject = 'sealed' in next.value ? this.#open(next.value) : next.value;
        this.#readBytes += read.plaintext?.length ?? 0;
        yield read;
      }
      yield* this.#readParallel(source);
    } finally {
      await source.return();
    }
  }

  #open({ id, sealed }: { readonly id: Uint8Array; readonly sealed: Uint8Array }): ReadObject {
    try {
      const nonceEnd = this.#nonceEnd(sealed);
      const plaintext = openObject(this.#key, expectedId(id), sealed);
      return { id, plaintext, nonceEnd };
    } catch (error) {
      if (!isIntegrityError(error)) throw error;
      return { id, openError: error };
    }
  }

  /** Of an object that is not verified yet. */
  #nonceEnd(sealed: Uint8Array): bigint {
    if (this.#key.material.cipher === 'none') return 0n;
    return envelopeNonce(sealed) + BigInt(envelopeNonceBlocks(sealed.length));
  }

  async *#readParallel(
    source: AsyncGenerator<Sealed, void, undefined>,
  ): AsyncGenerator<ReadObject, void, undefined> {
    const ahead: Batch[] = [];
    let aheadBytes = 0;
    let ended = false;
    try {
      for (;;) {
        while (!ended && aheadBytes < MAX_AHEAD_BYTES && ahead.length < this.#opener.capacity) {
          const taken = await this.#takeBatch(source);
          ended = taken.ended;
          ahead.push(taken.batch);
          aheadBytes += taken.batch.sizeBytes;
        }
        const [batch] = ahead;
        if (batch === undefined) return;
        yield* this.#opened(batch);
        ahead.shift();
        aheadBytes -= batch.sizeBytes;
      }
    } finally {
      for (const batch of ahead) discard(batch);
    }
  }

  async #takeBatch(
    source: AsyncGenerator<Sealed, void, undefined>,
  ): Promise<{ batch: Batch; ended: boolean }> {
    const inputs: { id: Uint8Array; sealed: Uint8Array }[] = [];
    const objects: { id: Uint8Array; nonceEnd: bigint }[] = [];
    let sizeBytes = 0;
    let ended = false;
    let readFailure: ReadObject | undefined;
    while (sizeBytes < BATCH_BYTES && inputs.length < BATCH_OBJECTS) {
      const next = await source.next();
      if (next.done === true) {
        ended = true;
        break;
      }
      if (!('sealed' in next.value)) {
        readFailure = next.value;
        break;
      }
      const { id, sealed } = next.value;
      inputs.push(next.value);
      objects.push({ id, nonceEnd: this.#nonceEndOrZero(sealed) });
      sizeBytes += sealed.length;
    }
    const opened = inputs.length === 0 ? undefined : this.#opener.open(inputs);
    return { batch: { objects, sizeBytes, opened, readFailure }, ended };
  }

  #nonceEndOrZero(sealed: Uint8Array): bigint {
    try {
      return this.#nonceEnd(sealed);
    } catch {
      return 0n;
    }
  }

  async *#opened(batch: Batch): AsyncGenerator<ReadObject, void, undefined> {
    let number = 0;
    while (batch.opened !== undefined) {
      const part = await batch.opened;
      batch.opened = part.next;
      try {
        for (const plaintext of part.plaintexts) {
          const { id, nonceEnd } = batch.objects[number++]!;
          yield plaintext === undefined ? await this.#readAgain(id) : { id, plaintext, nonceEnd };
        }
      } finally {
        part.release();
      }
    }
    if (batch.readFailure !== undefined) yield batch.readFailure;
  }

  /** A thread only says that something is wrong; this thread finds out what. */
  async #readAgain(id: Uint8Array): Promise<ReadObject> {
    const again = await this.read(id);
    // The manifest's id is no hash, so no thread finds it right.
    if (again.plaintext === undefined || this.#key.unverified || equalBytes(id, MANIFEST_ID)) return again;
    return { id, openError: new IntegrityError([`Chunk ${toHex(id)}: right only when it was read again`]) };
  }
}

function expectedId(id: Uint8Array): Uint8Array | undefined {
  return equalBytes(id, MANIFEST_ID) ? undefined : id;
}

function isUnreadable(error: unknown): error is DamageError {
  return error instanceof ObjectNotFound || isIntegrityError(error);
}

/** What the repository gives for the ids, and where it gives nothing, why. */
async function* sealedObjects(
  repository: Repository,
  pages: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>,
): AsyncGenerator<Sealed, void, undefined> {
  for await (const page of pages) {
    let rest = page;
    while (rest.length > 0) {
      let taken = 0;
      try {
        for await (const sealed of repository.getMany(rest)) {
          yield { id: rest[taken]!, sealed };
          taken += 1;
        }
        break;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        yield { id: rest[taken]!, readError: error };
        rest = rest.slice(taken + 1);
      }
    }
  }
}

/** Gives back the memory of what is not wanted after all. */
function discard(batch: Batch): void {
  void batch.opened?.then(
    (part) => {
      part.release();
      batch.opened = part.next;
      discard(batch);
    },
    () => {},
  );
}
