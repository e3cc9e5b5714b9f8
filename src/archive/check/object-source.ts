/**
 * Reads objects that may be damaged: each id gives its plaintext, or what is wrong. Where there is much to read, other
 * threads verify, decrypt and decompress.
 */
import { envelopeNonce, envelopeNonceBlocks } from '../../crypto/envelope.ts';
import { DecompressionError, IntegrityError, ObjectNotFound } from '../../errors.ts';
import type { Key } from '../../keys/key.ts';
import { ObjectOpener } from '../../pipeline/object-opener.ts';
import { ObjectVerifier } from '../../pipeline/object-verifier.ts';
import { releaseBuffer } from '../../pipeline/open-batch.ts';
import { SealedOpener } from '../../pipeline/sealed-opener.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import { equalBytes, toHex } from '../../util/bytes.ts';
import { isPlace, releaseSealed, type Sealed, sealedSizeBytes } from '../../util/sealed.ts';
import { type Fetched, fetchPlaces, type Wanted } from '../object-pages.ts';
import { type Opened, ReadAhead } from '../read-ahead.ts';
import { openObject } from '../repo-object.ts';

/** Below this much (the items of 240,000 files) other threads would only cost time and memory. */
const PARALLEL_FROM_BYTES = 64 * 2 ** 20;

/** So many are opened together where there are no other threads: hashes of two are made in the time of one. */
const FEW_OBJECTS = 4;

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

/** What is known of an object before it is opened. */
interface Unopened {
  readonly id: Uint8Array;
  readonly nonceEnd: bigint;
  readonly readError: DamageError | undefined;
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
  /** For what this thread opens. */
  #ownOpener: SealedOpener | undefined;
  readonly #threads: number;
  readonly #parallelFromBytes: number;
  #readBytes = 0;

  /** Threads start when there is work for them: of what readAll() reads, when so much was read without them. */
  constructor(
    repository: Repository,
    key: Key,
    threads: number = defaultThreadCount(),
    parallelFromBytes: number = PARALLEL_FROM_BYTES,
  ) {
    this.#repository = repository;
    this.#key = key;
    this.#opener = new ObjectOpener(key.material, threads);
    this.#threads = threads;
    this.#parallelFromBytes = parallelFromBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opener[Symbol.asyncDispose]();
  }

  /** Threads that verify; the caller ends them. */
  createVerifier(): ObjectVerifier {
    return new ObjectVerifier(this.#key.material, this.#threads);
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
    for await (const { about, plaintext } of this.#openAll(pages)) {
      if (plaintext !== undefined) yield { id: about.id, plaintext, nonceEnd: about.nonceEnd };
      else if (about.readError !== undefined) yield { id: about.id, readError: about.readError };
      else yield await this.readAgain(about.id);
    }
  }

  async *#openAll(
    pages: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>,
  ): AsyncGenerator<Opened<Unopened>, void, undefined> {
    const source = this.#unopened(pages);
    try {
      while (this.#readBytes < this.#parallelFromBytes) {
        const few = await nextFew(source);
        if (few.length === 0) return;
        yield* this.#openHere(few);
      }
      yield* new ReadAhead(source, this.#opener);
    } finally {
      // Whoever leaves early does not wait for what is under way.
      source.return().catch(() => {});
    }
  }

  async *#unopened(
    pages: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>,
  ): AsyncGenerator<Fetched<Unopened, Sealed>, void, undefined> {
    for await (const { about: id, sealed, error } of fetchPlaces(
      this.#repository,
      wanted(pages),
      isUnreadable,
    )) {
      const nonceEnd = sealed === undefined ? 0n : this.#nonceEndOrZero(sealed);
      yield { about: { id, nonceEnd, readError: error as DamageError | undefined }, id, sealed };
    }
  }

  *#openHere(few: readonly Fetched<Unopened, Sealed>[]): Generator<Opened<Unopened>, void, undefined> {
    this.#ownOpener ??= new SealedOpener(this.#key.material);
    const objects = few.flatMap(({ about: { id }, sealed }) =>
      sealed === undefined ? [] : [{ id, sealed }],
    );
    const plaintexts = this.#ownOpener.openEach(objects);
    try {
      for (const { about, sealed } of few) {
        const plaintext = sealed && (plaintexts.next().value ?? undefined);
        this.#readBytes += plaintext?.length ?? 0;
        yield { about, id: about.id, plaintext };
      }
    } finally {
      plaintexts.return();
      for (const { sealed } of objects) {
        if (isPlace(sealed)) sealed.release();
        else releaseBuffer(sealed);
      }
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
  #nonceEnd(sealed: Sealed): bigint {
    if (this.#key.material.cipher === 'none') return 0n;
    const head = isPlace(sealed) ? sealed.head : sealed;
    return envelopeNonce(head) + BigInt(envelopeNonceBlocks(sealedSizeBytes(sealed)));
  }

  #nonceEndOrZero(sealed: Sealed): bigint {
    try {
      return this.#nonceEnd(sealed);
    } catch {
      return 0n;
    }
  }

  /** A thread only says that something is wrong; this thread finds out what. */
  async readAgain(id: Uint8Array): Promise<ReadObject> {
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

/** The next ones, to be opened together; none at the end. */
async function nextFew(
  source: AsyncIterator<Fetched<Unopened, Sealed>>,
): Promise<Fetched<Unopened, Sealed>[]> {
  const few: Fetched<Unopened, Sealed>[] = [];
  try {
    while (few.length < FEW_OBJECTS) {
      const { done, value } = await source.next();
      if (done === true) break;
      few.push(value);
    }
    return few;
  } catch (error) {
    for (const { sealed } of few) releaseSealed(sealed);
    throw error;
  }
}

async function* wanted(
  pages: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>,
): AsyncGenerator<Wanted<Uint8Array>[], void, undefined> {
  for await (const page of pages) yield page.map((id) => ({ about: id, id }));
}
