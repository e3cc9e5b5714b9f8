/**
 * The other end of a client: takes requests from a wire, answers them in their order, and serves one repository at a
 * time. It trusts nobody: whatever comes in is bounded before memory is spent on it, and what is no request ends the
 * connection. What has not been committed when a connection ends is forgotten, and the lock given back.
 *
 * Source: Borg 1.4.5 remote.py, RepositoryServer.
 */
import { ConnectionClosed, InvalidRPCMethod, UnexpectedRPCDataFormatFromClient } from '../errors.ts';
import { Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../msgpack/value.ts';
import { isOsError } from '../platform/os-error.ts';
import { createRepository, type CreateOptions } from '../repository/create-repository.ts';
import { openRepository, type OpenOptions } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { concatBytes, fromUtf8, toUtf8Lossy } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { injectedException } from './injected-exception.ts';
import { RpcArgumentError, RpcArguments } from './rpc-arguments.ts';
import { describeException, needsLogLine } from './rpc-exception.ts';
import {
  decodeRequest,
  encodeResponse,
  isNamed,
  REQUEST_LIMITS,
  RpcFormatError,
  type RpcRequest,
  type RpcResponse,
} from './rpc-message.ts';
import { CHECKSUM_ALGORITHM, knowsChecksums, namedArguments, rpcMethod } from './rpc-methods.ts';
import type { RpcWire } from './rpc-wire.ts';
import type { ServedPaths } from './served-paths.ts';
import { callRepository } from './served-repository.ts';
import {
  decodeWireVersion,
  formatWireVersion,
  SILENT_VERSION,
  SPOKEN_VERSION,
  type WireVersion,
} from './wire-version.ts';

export interface ServerOptions {
  readonly wire: RpcWire;
  readonly paths: ServedPaths;
  /** Repositories are append-only, whatever their config says; one that is just made is as the client wants it. */
  readonly appendOnly?: boolean | undefined;
  /** Instead of the quota of the repositories' configs; goes into the config of one that is made. 0 for none. */
  readonly storageQuotaBytes?: number | undefined;
  /** The client understands log lines as JSON from now on. */
  onJsonClient?(): void;
  /** Waits until what was logged is on its way; a client that does not read it gets no more answers. */
  flushLog?(): Promise<void>;
  /** Lines about this machine, for clients that show an error. */
  sysinfo?(): Promise<string>;
  /** Where the repositories are. Default: on this machine's file systems. */
  readonly repositories?: Repositories | undefined;
}

export interface Repositories {
  open(context: Context, path: string, options: OpenOptions): Promise<Repository>;
  create(context: Context, path: string, options: CreateOptions): Promise<Repository>;
}

const LOCAL: Repositories = { open: openRepository, create: createRepository };

const VERSION_TEXT = formatWireVersion(SPOKEN_VERSION);
/** What clients of Borg 1.0 send and get in place of versions. */
const OLD_PROTOCOL_VERSION = 2;
/** Answers that are sent at once. */
const BATCH_BYTES = 256 * 1024;
const WATCH_MS = 2000;

export class RepositoryServer {
  readonly #context: Context;
  readonly #options: ServerOptions;
  readonly #abandoned = new AbortController();
  #clientVersion: WireVersion = SILENT_VERSION;
  #repository: Repository | undefined;
  /** It was made on this connection, and nothing was committed yet. */
  #isUnused = false;
  #sysinfo: string | undefined;
  #replies: Uint8Array[] = [];
  #replyBytes = 0;

  constructor(context: Context, options: ServerOptions) {
    const signal = AbortSignal.any([context.signal, this.#abandoned.signal]);
    this.#context = { ...context, signal };
    this.#options = options;
  }

  /** What the client says that it is; Borg 1.0.8 where it says nothing. */
  get clientVersion(): WireVersion {
    return this.#clientVersion;
  }

  /**
   * Serves until the client has sent all that it will. Throws UnexpectedRPCDataFormatFromClient where that is no sequence
   * of requests, ConnectionClosed where the client does not wait for its answers, and the reason of the context's signal.
   */
  async serve(): Promise<void> {
    const { wire } = this.#options;
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    watch.unref();
    try {
      await this.#answerAll();
      if (this.#repository === undefined) {
        const text = `Borg ${VERSION_TEXT}: Got connection close before repository was opened.\n`;
        await wire.write(fromUtf8(text));
      }
    } catch (error) {
      if (isOsError(error, 'EPIPE', 'ECONNRESET')) throw new ConnectionClosed([], error);
      if (!(error instanceof MsgpackError || error instanceof RpcFormatError)) throw error;
      throw new UnexpectedRPCDataFormatFromClient([VERSION_TEXT], error);
    } finally {
      clearInterval(watch);
      await this.#closeRepository();
    }
  }

  async #answerAll(): Promise<void> {
    const unpacker = new Unpacker(REQUEST_LIMITS);
    for await (const piece of this.#options.wire.pieces(this.#context.signal)) {
      unpacker.feed(piece);
      for (const value of unpacker) {
        this.#context.signal.throwIfAborted();
        const request = decodeRequest(value);
        const response = await this.#answer(request);
        await this.#options.flushLog?.();
        this.#replies.push(encodeResponse(isNamed(request.args) ? 'named' : 'positional', response));
        this.#replyBytes += this.#replies.at(-1)!.length;
        if (this.#replyBytes >= BATCH_BYTES) await this.#flush();
      }
      await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const replies = this.#replies;
    if (replies.length === 0) return;
    this.#replies = [];
    this.#replyBytes = 0;
    await this.#options.wire.write(replies.length === 1 ? replies[0]! : concatBytes(replies));
  }

  async #answer(request: RpcRequest): Promise<RpcResponse> {
    const { id } = request;
    try {
      return { id, result: await this.#call(request) };
    } catch (error) {
      this.#context.signal.throwIfAborted();
      this.#sysinfo ??= (await this.#options.sysinfo?.()) ?? '';
      const exception = describeException(error, this.#sysinfo);
      this.#log('debug', exception.full.join('\n'));
      const isOld = !isNamed(request.args);
      if (isOld && needsLogLine(exception)) this.#log('error', exception.short.join('\n'));
      return { id, exception };
    }
  }

  async #call({ method: name, args }: RpcRequest): Promise<MsgpackValue> {
    const method = rpcMethod(name);
    if (method === undefined) throw new InvalidRPCMethod([name]);
    const named = isNamed(args) ? args : namedArguments(method, args);
    if (named === undefined) throw new RpcArgumentError(`${name}() needs more arguments`);
    const given = new RpcArguments(method, named);
    switch (name) {
      case 'negotiate':
        return this.#negotiate(given.raw('client_data'));
      case 'open':
        return this.#open(given);
      case 'inject_exception':
        return inject(toUtf8Lossy(given.bytes('kind')));
      default: {
        const result = await callRepository(this.#repository, name, given);
        if (name === 'destroy') this.#repository = undefined;
        if (name === 'commit') this.#isUnused = false;
        return result;
      }
    }
  }

  #negotiate(clientData: MsgpackValue): MsgpackValue {
    if (clientData === OLD_PROTOCOL_VERSION) return OLD_PROTOCOL_VERSION;
    if (clientData instanceof Map) {
      const version = decodeWireVersion(clientData.get('client_version'));
      if (version === undefined) throw new RpcArgumentError('negotiate() needs a client_version');
      this.#clientVersion = version;
      this.#options.onJsonClient?.();
      if (knowsChecksums(clientData)) {
        return { server_version: SPOKEN_VERSION, checksums: CHECKSUM_ALGORITHM };
      }
    } else {
      this.#clientVersion = SPOKEN_VERSION;
    }
    return { server_version: SPOKEN_VERSION };
  }

  async #open(args: RpcArguments): Promise<Uint8Array> {
    await this.#closeRepository();
    const path = this.#resolve(args.bytes('path'));
    const create = args.flag('create');
    const { appendOnly = false, storageQuotaBytes } = this.#options;
    const options = {
      lock: args.flag('lock'),
      lockWaitSeconds: args.optionalNumber('lock_wait') ?? Infinity,
      exclusive: args.optionalFlag('exclusive'),
      appendOnly: (appendOnly && !create) || args.flag('append_only'),
      storageQuotaBytes,
    };
    const makeParentDirs = args.flag('make_parent_dirs');
    const repositories = this.#options.repositories ?? LOCAL;
    this.#isUnused = create;
    this.#repository = create
      ? await repositories.create(this.#context, path, { ...options, makeParentDirs })
      : await repositories.open(this.#context, path, options);
    return this.#repository.id;
  }

  #resolve(given: Uint8Array): string {
    this.#log('debug', `Resolving repository path ${JSON.stringify(toUtf8Lossy(given))}`);
    const path = this.#options.paths.resolve(given);
    this.#log('debug', `Resolved repository path to ${JSON.stringify(path)}`);
    return path;
  }

  async #closeRepository(): Promise<void> {
    const repository = this.#repository;
    this.#repository = undefined;
    // Half an "init" is of no use, and in the way of the next one.
    if (this.#isUnused) await repository?.destroy().catch(() => {});
    this.#isUnused = false;
    await repository?.close();
  }

  /** A client that has gone need not be waited for, nor work be done for it. */
  #watch(): void {
    if (this.#options.wire.isAbandoned()) this.#abandoned.abort(new ConnectionClosed());
  }

  #log(level: 'debug' | 'error', message: string): void {
    this.#context.reporter.log(level, message, { logger: 'root' });
  }
}

function inject(kind: string): null {
  const error = injectedException(kind);
  if (error !== undefined) throw error;
  return null;
}
