/**
 * A repository that a server keeps. The client trusts the server only as far as it must: what comes is bounded and looked
 * at before it is used, and that it is genuine is for the key to say.
 *
 * What is put is under way when put() returns, and may still fail: then the next operation throws, at the latest
 * commit(), which is sent only after the server has taken all that came before it. What was put or deleted and not
 * committed is rolled back by close().
 *
 * Source: Borg 1.4.5 remote.py, RemoteRepository.
 */
import { BorgError, GeneralError, ObjectNotFound, RPCServerOutdated } from '../errors.ts';
import type { MsgpackValue } from '../msgpack/value.ts';
import { sleep } from '../platform/clock.ts';
import type { RepositoryCheckOptions, RepositoryCheckResult } from '../repository/check-result.ts';
import type { CommitOptions, Repository } from '../repository/repository.ts';
import { unlessAborted } from '../util/abortable.ts';
import { compareBytes, fromUtf8, toHex, toUtf8Lossy } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { formatFileSize } from '../util/file-size.ts';
import { strongChecksum } from '../util/strong-checksum.ts';
import {
  countAnswer,
  flagAnswer,
  idsAnswer,
  keyAnswer,
  nonceAnswer,
  objectAnswer,
  unexpectedAnswer,
} from './answers.ts';
import { ObjectWindow } from './object-window.ts';
import { type NamedArguments, type Prefetched, type RpcConnection, RpcFailure } from './rpc-connection.ts';
import { errorOf } from './rpc-error.ts';
import { rpcMethod, type RpcMethod } from './rpc-methods.ts';
import type { ServerProcess } from './server-process.ts';
import {
  compareWireVersions,
  formatWireVersion,
  parseWireVersion,
  type WireVersion,
} from './wire-version.ts';

/** What an opened connection consists of; see openRemoteRepository(). */
export interface RemoteParts {
  readonly ctx: Context;
  readonly server: ServerProcess;
  readonly connection: RpcConnection;
  readonly serverVersion: WireVersion;
  /** The server verifies checksums of what is put, and keeps them. */
  readonly checksums: boolean;
  readonly id: Uint8Array;
  /** Canonical, and as the user gave it, for errors. */
  readonly location: string;
  readonly shownLocation: string;
}

/** Ids that are asked for at once where no limit is given. */
const PAGE_IDS = 100_000;
const MAX_UNANSWERED_PUTS = 4096;
const PUT_RESUME = MAX_UNANSWERED_PUTS / 2;
const NONCES_SINCE = parseWireVersion('1.1.0b1');
/** How long the end of a connection may take; less where it is broken, or the user has no patience. */
const CLOSE_MS = 30_000;
const HURRIED_CLOSE_MS = 2000;
const NO_ARGUMENTS: NamedArguments = new Map();
const LOGGER = { logger: 'borg.remote' };

export class RemoteRepository implements Repository {
  readonly id: Uint8Array;
  readonly idHex: string;
  readonly location: string;
  readonly supportsNonces: boolean;
  /** The server knows, and refuses by itself. */
  readonly appendOnly = false;
  readonly storageQuotaBytes = 0;
  readonly serverVersion: WireVersion;
  readonly #ctx: Context;
  readonly #server: ServerProcess;
  readonly #connection: RpcConnection;
  readonly #shownLocation: string;
  readonly #checksums: boolean;
  readonly #window = new ObjectWindow();
  #unansweredPuts = 0;
  #putWaiters: (() => void)[] = [];
  /** What changes something comes after it. */
  #committing: Promise<void> = Promise.resolve();
  #isCommitting = false;
  /** Of a put that nobody waits for any more. */
  #putError: Error | undefined;
  /** Something was changed since the last commit. */
  #isChanged = false;
  #closed: Promise<void> | undefined;

  constructor(parts: RemoteParts) {
    this.#ctx = parts.ctx;
    this.#server = parts.server;
    this.#connection = parts.connection;
    this.#shownLocation = parts.shownLocation;
    this.#checksums = parts.checksums;
    this.serverVersion = parts.serverVersion;
    this.id = parts.id;
    this.idHex = toHex(parts.id);
    this.location = parts.location;
    this.supportsNonces = compareWireVersions(parts.serverVersion, NONCES_SINCE) >= 0;
  }

  async get(id: Uint8Array): Promise<Uint8Array> {
    const sealed = this.#taken(objectAnswer, await this.#call('get', named({ id })));
    this.#window.learn(sealed.length);
    return sealed;
  }

  async *getMany(ids: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    this.#throwPutError();
    const method = rpcMethod('get')!;
    const source = ids[Symbol.iterator]();
    const ahead: { readonly id: Uint8Array; readonly prefetched: Prefetched }[] = [];
    let asked = source.next();
    try {
      for (;;) {
        // Refilled when a half is used, so that requests go out many at a time.
        if (ahead.length <= this.#window.objects / 2) {
          for (; asked.done !== true && ahead.length < this.#window.objects; asked = source.next()) {
            const id = asked.value;
            ahead.push({ id, prefetched: this.#connection.prefetch(method, named({ id })) });
          }
        }
        const next = ahead.shift();
        if (next === undefined) return;
        const answer = await this.#translated(next.prefetched.take());
        const sealed = answer === undefined ? await this.get(next.id) : this.#taken(objectAnswer, answer);
        this.#window.learn(sealed.length);
        yield sealed;
      }
    } finally {
      for (const { prefetched } of ahead) prefetched.abandon();
    }
  }

  async has(id: Uint8Array): Promise<boolean> {
    try {
      await this.get(id);
      return true;
    } catch (error) {
      if (error instanceof ObjectNotFound) return false;
      throw error;
    }
  }

  async put(id: Uint8Array, sealed: Uint8Array): Promise<void> {
    while (this.#isCommitting) await this.#committing;
    this.#throwPutError();
    this.#isChanged = true;
    this.#unansweredPuts++;
    // Made before anything else is done with the bytes. The message grows in front of them: behind, they would be moved.
    const checksum = this.#checksums ? { checksum: strongChecksum(sealed) } : undefined;
    this.#connection.callLater(rpcMethod('put')!, named({ id, ...checksum, data: sealed }), (error) => {
      if (error !== undefined) this.#putError ??= this.#translate(error);
      this.#unansweredPuts--;
      if (this.#unansweredPuts <= PUT_RESUME) this.#wakePutWaiters();
    });
    await this.#connection.room();
    while (this.#unansweredPuts > MAX_UNANSWERED_PUTS) {
      await new Promise<void>((resolve) => this.#putWaiters.push(resolve));
    }
    this.#throwPutError();
  }

  async delete(id: Uint8Array): Promise<void> {
    while (this.#isCommitting) await this.#committing;
    this.#isChanged = true;
    await this.#call('delete', named({ id }));
  }

  list(limit?: number, marker?: Uint8Array): Promise<Uint8Array[]> {
    return this.#pages('list', limit, marker);
  }

  scan(limit?: number, marker?: Uint8Array): Promise<Uint8Array[]> {
    return this.#pages('scan', limit, marker);
  }

  async count(): Promise<number> {
    return this.#taken(countAnswer, await this.#call('__len__'));
  }

  async commit(options: CommitOptions = {}): Promise<void> {
    while (this.#isCommitting) await this.#committing;
    this.#isCommitting = true;
    const done = this.#commit(options).finally(() => (this.#isCommitting = false));
    this.#committing = done.catch(() => {});
    await done;
  }

  async #commit({ compact = false, threshold = 0.1, cleanupCommits = false }: CommitOptions): Promise<void> {
    this.#throwPutError();
    // A server of Borg takes it for a fault.
    if (!this.#isChanged) return;
    // Answers come in order: after this one, all that was put has been answered.
    if (this.#unansweredPuts > 0) await this.count();
    const args = { save_space: false, compact, threshold, cleanup_commits: cleanupCommits };
    await this.#call('commit', named(args));
    this.#isChanged = false;
  }

  async rollback(): Promise<void> {
    await this.#translated(this.#request('rollback', NO_ARGUMENTS));
    // What failed before is undone with the rest.
    this.#putError = undefined;
    this.#isChanged = false;
  }

  async loadKey(): Promise<string> {
    return toUtf8Lossy(this.#taken(keyAnswer, await this.#call('load_key')));
  }

  async saveKey(blob: string): Promise<void> {
    await this.#call('save_key', named({ keydata: fromUtf8(blob) }));
  }

  async getFreeNonce(): Promise<bigint | undefined> {
    return this.#taken(nonceAnswer, await this.#call('get_free_nonce'));
  }

  async commitNonceReservation(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void> {
    const args = { next_unreserved: nextUnreserved, start_nonce: startNonce ?? null };
    await this.#call('commit_nonce_reservation', named(args));
  }

  async check(options: RepositoryCheckOptions = {}): Promise<RepositoryCheckResult> {
    const { repair = false, dryRun = false, saveSpace = false, maxDurationSeconds = 0, badRanges } = options;
    if (options.checksums === true && !this.#checksums) {
      throw new GeneralError([
        `this server keeps no checksums of what it is sent: that takes alcove on both ends`,
      ]);
    }
    if (repair && dryRun) {
      throw new GeneralError([
        `a server does not say what a repair would do: use "check" without --repair, or --dry-run on the server's own machine`,
      ]);
    }
    if (badRanges !== undefined && badRanges.size > 0) {
      throw new GeneralError(['--bad-ranges is for repositories on this machine']);
    }
    const checksums = options.checksums === true ? { checksums: true } : undefined;
    const args = { repair, save_space: saveSpace, max_duration: maxDurationSeconds, ...checksums };
    const ok = this.#taken(
      (value) => flagAnswer('check', value),
      // It takes long, and may be given up; the connection does not outlive that.
      await unlessAborted(this.#call('check', named(args)), this.#ctx.signal),
    );
    return { ok, finished: maxDurationSeconds === 0 };
  }

  async breakLock(): Promise<void> {
    await this.#call('break_lock');
  }

  async destroy(): Promise<void> {
    await this.#call('destroy');
    this.#isChanged = false;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const hurries = this.#ctx.signal.aborted || this.#connection.failure !== undefined;
    const limitMs = hurries ? HURRIED_CLOSE_MS : CLOSE_MS;
    if (this.#isChanged && this.#connection.failure === undefined) {
      // The server rolls back by itself, too, when it sees the end; what goes wrong here is not news.
      const stop = new AbortController();
      await Promise.race([this.rollback().catch(() => {}), sleep(limitMs, stop.signal).catch(() => {})]);
      stop.abort();
    }
    const { sentBytes, receivedBytes, messages } = this.#connection.statistics;
    const amounts = `${formatFileSize(sentBytes)} bytes sent, ${formatFileSize(receivedBytes)} bytes received`;
    this.#ctx.reporter.log('debug', `RemoteRepository: ${amounts}, ${messages} messages sent`, LOGGER);
    this.#connection.finish();
    await this.#server.end(limitMs);
  }

  /** All ids after the marker, or the first of them; a server may not give the same ones again and again. */
  async #pages(name: 'list' | 'scan', limit = Infinity, marker?: Uint8Array): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    const total = limit === Infinity ? await this.count() : Infinity;
    for (let last = marker; found.length < limit;) {
      const pageLimit = Math.min(limit - found.length, PAGE_IDS);
      const args = named({ limit: pageLimit, marker: last ?? null });
      const answer = await this.#call(name, args);
      const page = this.#taken((value) => idsAnswer(name, value, pageLimit), answer);
      for (const id of page) found.push(id);
      if (found.length > total) throw this.#distrust(unexpectedAnswer(name, `no more than ${total} ids`));
      const end = page.at(-1);
      if (end !== undefined && last !== undefined && compareBytes(end, last) === 0) {
        throw this.#distrust(unexpectedAnswer(name, 'ids after the marker'));
      }
      if (page.length < pageLimit) break;
      last = end;
    }
    return found;
  }

  async #call(name: string, args: NamedArguments = NO_ARGUMENTS): Promise<MsgpackValue> {
    this.#throwPutError();
    const answer = await this.#translated(this.#request(name, args));
    this.#throwPutError();
    return answer;
  }

  #request(name: string, args: NamedArguments): Promise<MsgpackValue> {
    const method = rpcMethod(name)!;
    assertSpoken(method, args, this.serverVersion);
    return this.#connection.call(method, args);
  }

  async #translated<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): Error {
    if (error instanceof RpcFailure) return errorOf(error.exception, this.#shownLocation);
    return error as Error;
  }

  #taken<T>(take: (value: MsgpackValue) => T, value: MsgpackValue): T {
    try {
      return take(value);
    } catch (error) {
      throw error instanceof BorgError ? this.#distrust(error) : error;
    }
  }

  #distrust(error: BorgError): BorgError {
    this.#connection.abort(error);
    return error;
  }

  #throwPutError(): void {
    if (this.#putError !== undefined) throw this.#putError;
  }

  #wakePutWaiters(): void {
    const waiters = this.#putWaiters;
    this.#putWaiters = [];
    for (const wake of waiters) wake();
  }
}

/** Throws RPCServerOutdated where the server is too old for the method, or for what is asked of it. */
export function assertSpoken(method: RpcMethod, args: NamedArguments, serverVersion: WireVersion): void {
  const isOlder = (since: WireVersion) => compareWireVersions(serverVersion, since) < 0;
  if (isOlder(method.since)) throw new RPCServerOutdated([method.name, formatWireVersion(method.since)]);
  for (const { name, since, previously, dispensable } of method.parameters) {
    if (since === undefined || !isOlder(since) || dispensable === true) continue;
    const value = args.get(name);
    if (value === undefined || value === previously) continue;
    throw new RPCServerOutdated([`${method.name} ${name}=${pythonText(value)}`, formatWireVersion(since)]);
  }
}

function pythonText(value: MsgpackValue): string {
  return value === true ? 'True' : value === false ? 'False' : JSON.stringify(value);
}

function named(args: Readonly<Record<string, MsgpackValue>>): NamedArguments {
  return new Map(Object.entries(args));
}
