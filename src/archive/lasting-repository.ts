/**
 * Objects of a repository for as long as they are wanted, though the connection to it may break: then it is opened again,
 * when somebody asks for an object. Whoever asks meanwhile gets a RepositoryOutOfReach, at the latest after some seconds;
 * so do those who ask soon after an opening failed.
 */
import {
  ConnectionBrokenWithHint,
  ConnectionClosed,
  ConnectionClosedWithHint,
  GeneralError,
  UnexpectedRPCDataFormatFromServer,
} from '../errors.ts';
import { monotonicMs, sleep } from '../platform/clock.ts';
import type { Repository } from '../repository/repository.ts';
import type { Reporter } from '../util/reporter.ts';
import type { Sealed } from '../util/sealed.ts';
import { getPlaces, type ObjectSource } from './object-pages.ts';

/** There is no connection at the moment; `cause` says why. */
export class RepositoryOutOfReach extends Error {
  override readonly name = 'RepositoryOutOfReach';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export interface LastingOptions {
  /** A new handle of the same repository, with the same lock. Without: what is lost stays lost. */
  readonly reopen?: (() => Promise<Repository>) | undefined;
  /** Before the second try to open it again; doubled for each one after. Default 1 s. */
  readonly firstDelayMs?: number;
  /** How long somebody who wants an object waits for the opening. Default 10 s. */
  readonly patienceMs?: number;
}

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 60_000;
const PATIENCE_MS = 10_000;
const CLOSE_MS = 2000;
/** For one object: with the handle at hand, and with a new one. */
const TRIES = 2;
const LOGGER = { logger: 'borg.remote' };

export class LastingRepository implements ObjectSource, AsyncDisposable {
  readonly #reporter: Reporter;
  readonly #options: LastingOptions;
  readonly #idHex: string;
  /** The handle; undefined while there is none. */
  #repository: Repository | undefined;
  #opening: Promise<Repository> | undefined;
  #isClosed = false;
  /** No opening before this time. */
  #restUntilMs = -Infinity;
  #delayMs: number;
  #lost: unknown;
  /** The handle has given an object. */
  #isOfUse = true;

  /** Takes over the repository. */
  constructor(repository: Repository, reporter: Reporter, options: LastingOptions = {}) {
    this.#repository = repository;
    this.#idHex = repository.idHex;
    this.#reporter = reporter;
    this.#options = options;
    this.#delayMs = options.firstDelayMs ?? FIRST_DELAY_MS;
  }

  async get(id: Uint8Array): Promise<Uint8Array> {
    for (let tries = 1; ; tries++) {
      const repository = await this.#current();
      try {
        const sealed = await repository.get(id);
        this.#noteUse();
        return sealed;
      } catch (error) {
        if (!this.#noteLoss(repository, error)) throw error;
        if (tries === TRIES) throw new RepositoryOutOfReach(error);
      }
    }
  }

  getMany(ids: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#getEach(ids, (repository, wanted) => repository.getMany(wanted));
  }

  getPlaces(ids: Iterable<Uint8Array>): AsyncGenerator<Sealed, void, undefined> {
    return this.#getEach<Sealed>(ids, getPlaces);
  }

  async *#getEach<T extends Sealed>(
    ids: Iterable<Uint8Array>,
    ask: (repository: Repository, wanted: Uint8Array[]) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const wanted = [...ids];
    let given = 0;
    for (let tries = 1; ; tries++) {
      const repository = await this.#current();
      try {
        for await (const sealed of ask(repository, wanted.slice(given))) {
          this.#noteUse();
          given++;
          tries = 1;
          yield sealed;
        }
        return;
      } catch (error) {
        if (!this.#noteLoss(repository, error)) throw error;
        if (tries === TRIES) throw new RepositoryOutOfReach(error);
      }
    }
  }

  /** What is being opened meanwhile is closed as soon as it is open; that is not waited for long. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const repository = this.#repository;
    this.#repository = undefined;
    const stop = new AbortController();
    const opening = this.#opening?.catch(() => {});
    await Promise.race([opening, opening && sleep(CLOSE_MS, stop.signal).catch(() => {})]);
    stop.abort();
    await repository?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #current(): Promise<Repository> {
    if (this.#isClosed) throw closedError();
    if (this.#repository !== undefined) return this.#repository;
    if (this.#opening === undefined && monotonicMs() < this.#restUntilMs) throw this.#outOfReach();
    // Later, lest one that fails at once is taken for one under way.
    const opening = (this.#opening ??= Promise.resolve().then(() => this.#open()));
    const stop = new AbortController();
    const patience = sleep(this.#options.patienceMs ?? PATIENCE_MS, stop.signal).then(() => {
      throw this.#outOfReach();
    });
    // The one that comes second is nobody's.
    patience.catch(() => {});
    opening.catch(() => {});
    try {
      return await Promise.race([opening, patience]);
    } finally {
      stop.abort();
    }
  }

  async #open(): Promise<Repository> {
    try {
      const repository = await this.#options.reopen!();
      if (this.#isClosed) {
        await repository.close();
        throw closedError();
      }
      if (repository.idHex !== this.#idHex) {
        await repository.close();
        throw new GeneralError(['there is another repository in its place']);
      }
      this.#reporter.log('info', `Repository ${repository.location}: connected again`, LOGGER);
      this.#repository = repository;
      this.#isOfUse = false;
      return repository;
    } catch (error) {
      this.#rest(error);
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#isClosed) {
        this.#reporter.log('warning', `The repository can't be opened again: ${why}`, LOGGER);
      }
      throw this.#outOfReach();
    } finally {
      this.#opening = undefined;
    }
  }

  #outOfReach(): RepositoryOutOfReach {
    return new RepositoryOutOfReach(this.#lost);
  }

  #noteUse(): void {
    this.#isOfUse = true;
    this.#delayMs = this.#options.firstDelayMs ?? FIRST_DELAY_MS;
  }

  #rest(error: unknown): void {
    this.#lost = error;
    this.#restUntilMs = monotonicMs() + this.#delayMs;
    this.#delayMs = Math.min(2 * this.#delayMs, MAX_DELAY_MS);
  }

  /** Whether the error means that the handle is of no use any more, and another one may be. */
  #noteLoss(repository: Repository, error: unknown): boolean {
    if (!isLoss(error)) return false;
    if (this.#options.reopen === undefined) throw new RepositoryOutOfReach(error);
    // Others may have seen the same before.
    if (this.#repository !== repository) return true;
    this.#repository = undefined;
    this.#lost = error;
    if (!this.#isOfUse) this.#rest(error);
    this.#reporter.log('warning', `Repository ${repository.location}: ${error.message}`, LOGGER);
    void repository.close().catch(() => {});
    return true;
  }
}

function closedError(): GeneralError {
  return new GeneralError(['the repository was closed']);
}

function isLoss(error: unknown): error is Error {
  return (
    error instanceof ConnectionClosed ||
    error instanceof ConnectionClosedWithHint ||
    error instanceof ConnectionBrokenWithHint ||
    error instanceof UnexpectedRPCDataFormatFromServer
  );
}
