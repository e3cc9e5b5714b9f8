/** Opening a repository on another machine. Source: Borg 1.4.5 remote.py, RemoteRepository.__init__(). */
import { ConnectionClosed, ConnectionClosedWithHint, GeneralError } from '../errors.ts';
import type { Location } from '../format/location.ts';
import type { MsgpackValue } from '../msgpack/value.ts';
import { unlessAborted } from '../util/abortable.ts';
import type { Context } from '../util/context.ts';
import { encodeSurrogateEscaped } from '../util/surrogate-escape.ts';
import { describeAnswer, idAnswer } from './answers.ts';
import { assertSpoken, RemoteRepository } from './remote-repository.ts';
import { type NamedArguments, RpcConnection, RpcFailure } from './rpc-connection.ts';
import { errorOf } from './rpc-error.ts';
import { CHECKSUM_ALGORITHM, knowsChecksums, rpcMethod } from './rpc-methods.ts';
import { serverCommand, type ServerOptions } from './server-command.ts';
import { ServerProcess } from './server-process.ts';
import { UploadLimiter } from './upload-limiter.ts';
import {
  decodeWireVersion,
  parseWireVersion,
  SILENT_VERSION,
  SPOKEN_VERSION,
  type WireVersion,
} from './wire-version.ts';

export interface RemoteOptions extends ServerOptions {
  /** 0: no limit, which is the default. */
  readonly uploadBytesPerSecond?: number | undefined;
  /** What may wait to be sent. Default, and at least, 4 MiB. */
  readonly uploadBufferBytes?: number | undefined;
  /** Makes the repository. */
  readonly create?: boolean | undefined;
  readonly makeParentDirs?: boolean | undefined;
  readonly appendOnly?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly lock?: boolean | undefined;
  /** Infinity for ever. Default 1. */
  readonly lockWaitSeconds?: number | undefined;
}

/** What servers of Borg 1.0 give in place of their version. */
const OLD_PROTOCOL_VERSION = 2;
const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024;
/** Of a connection that failed while it was being made. */
const CLOSE_MS = 3000;
const LOGGER = { logger: 'borg.remote' };
const BEFORE_APPEND_ONLY = parseWireVersion('1.0.6');

/**
 * @throws ConnectionClosedWithHint where nothing answers; UnexpectedRPCDataFormatFromServer where something else does;
 *   PathNotAllowed, ServerError, and what opening and making a repository of this machine throws
 */
export async function openRemoteRepository(
  ctx: Context,
  location: Location,
  options: RemoteOptions = {},
): Promise<RemoteRepository> {
  const shown = location.omitArchive().processed;
  const argv = serverCommand(location, options, ctx.env);
  ctx.reporter.log('debug', `SSH command line: [${argv.map((word) => `'${word}'`).join(', ')}]`, LOGGER);
  const server = new ServerProcess(ctx, argv);
  const { uploadBytesPerSecond = 0, uploadBufferBytes = DEFAULT_BUFFER_BYTES } = options;
  const connection = new RpcConnection(server, {
    bufferBytes: Math.max(uploadBufferBytes, DEFAULT_BUFFER_BYTES),
    limiter: uploadBytesPerSecond > 0 ? new UploadLimiter(uploadBytesPerSecond) : undefined,
  });
  const opening = new Opening(ctx, connection, location);
  try {
    const { version: serverVersion, checksums } = await opening.negotiate();
    const { id, version } = await opening.open(options, serverVersion);
    return new RemoteRepository({
      ctx,
      server,
      connection,
      serverVersion: version,
      checksums,
      id,
      location: location.canonicalPath(),
      shownLocation: shown,
    });
  } catch (error) {
    connection.finish();
    await server.end(CLOSE_MS);
    throw error instanceof RpcFailure ? errorOf(error.exception, shown) : error;
  }
}

class Opening {
  readonly #ctx: Context;
  readonly #connection: RpcConnection;
  readonly #location: Location;

  constructor(ctx: Context, connection: RpcConnection, location: Location) {
    this.#ctx = ctx;
    this.#connection = connection;
    this.#location = location;
  }

  async negotiate(): Promise<{ readonly version: WireVersion; readonly checksums: boolean }> {
    const clientData = { client_version: SPOKEN_VERSION, checksums: CHECKSUM_ALGORITHM };
    let answer: MsgpackValue;
    try {
      answer = await this.#call('negotiate', { client_data: clientData });
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
      throw new ConnectionClosedWithHint(['Is borg working on the server?'], error);
    }
    if (answer === OLD_PROTOCOL_VERSION) return { version: SILENT_VERSION, checksums: false };
    const version = answer instanceof Map ? decodeWireVersion(answer.get('server_version')) : undefined;
    if (!(answer instanceof Map) || version === undefined) {
      throw new GeneralError([`the server speaks another protocol, of version ${describeAnswer(answer)}`]);
    }
    this.#connection.form = 'named';
    return { version, checksums: knowsChecksums(answer) };
  }

  async open(
    options: RemoteOptions,
    serverVersion: WireVersion,
  ): Promise<{ readonly id: Uint8Array; readonly version: WireVersion }> {
    const {
      create = false,
      exclusive = false,
      lock = true,
      appendOnly = false,
      makeParentDirs = false,
    } = options;
    const { lockWaitSeconds = 1 } = options;
    const args = {
      path: encodeSurrogateEscaped(this.#location.path),
      create,
      lock_wait: Number.isFinite(lockWaitSeconds) ? lockWaitSeconds : null,
      lock,
      exclusive,
      append_only: appendOnly,
      make_parent_dirs: makeParentDirs,
    };
    const method = rpcMethod('open')!;
    assertSpoken(method, new Map(Object.entries(args)), serverVersion);
    try {
      return { id: idAnswer('open', await this.#call('open', args)), version: serverVersion };
    } catch (error) {
      const isTooOld = error instanceof RpcFailure && error.exception.className === 'TypeError';
      if (this.#connection.form === 'named' || !isTooOld) throw error;
    }
    // Servers before 1.0.7 know no append_only, which shows only when they are asked.
    assertSpoken(method, new Map(Object.entries(args)), BEFORE_APPEND_ONLY);
    const known = { ...method, positional: 4 };
    const answer = await this.#interruptible(this.#connection.call(known, new Map(Object.entries(args))));
    return { id: idAnswer('open', answer), version: BEFORE_APPEND_ONLY };
  }

  #call(name: string, args: Readonly<Record<string, MsgpackValue>>): Promise<MsgpackValue> {
    const named: NamedArguments = new Map(Object.entries(args));
    return this.#interruptible(this.#connection.call(rpcMethod(name)!, named));
  }

  /** Locks, hosts and passwords may have us wait for long. */
  #interruptible<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#ctx.signal);
  }
}
