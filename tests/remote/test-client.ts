/** A client of a server under test, in this process or another: sends requests, and gives each answer as it comes. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { RepositoryServer, type ServerOptions } from '../../src/remote/repository-server.ts';
import {
  decodeResponse,
  encodeRequest,
  RESPONSE_LIMITS,
  type RpcException,
  type RpcResponse,
} from '../../src/remote/rpc-message.ts';
import type { RpcWire } from '../../src/remote/rpc-wire.ts';
import { ServedPaths, type Restrictions } from '../../src/remote/served-paths.ts';
import { toUtf8Lossy } from '../../src/util/bytes.ts';
import type { Context } from '../../src/util/context.ts';
import { alcoveCommand } from '../workspace.ts';

export const VERSION = { client_version: [1, 4, 5, -1] };

type Args = Readonly<Record<string, MsgpackValue>>;

export class TestClient {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #unpacker = new Unpacker(RESPONSE_LIMITS);
  readonly #waiting = new Map<number, PromiseWithResolvers<RpcResponse>>();
  /** The numbers of the answers, in the order in which they came. */
  readonly answered: number[] = [];
  #lastId = 0;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  receive(bytes: Uint8Array): void {
    this.#unpacker.feed(bytes);
    for (const value of this.#unpacker) {
      const response = decodeResponse(value);
      this.answered.push(response.id);
      this.#waiting.get(response.id)?.resolve(response);
      this.#waiting.delete(response.id);
    }
  }

  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  /** Nothing more will come. */
  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the connection was closed'));
    this.#waiting.clear();
  }

  /** Arguments by name, or, as clients of Borg 1.0 have it, in order. */
  async ask(method: string, args: Args | readonly MsgpackValue[] = {}): Promise<RpcResponse> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<RpcResponse>();
    this.#waiting.set(id, answer);
    const given = Array.isArray(args)
      ? (args as readonly MsgpackValue[])
      : new Map(Object.entries(args as Args));
    this.#send(encodeRequest({ id, method, args: given }));
    return answer.promise;
  }

  async call(method: string, args?: Args | readonly MsgpackValue[]): Promise<MsgpackValue> {
    const response = await this.ask(method, args);
    if (response.exception === undefined) return response.result;
    throw new Error(`${method}: ${response.exception.className}: ${response.exception.short.join(' ')}`);
  }

  /** The error that a call ends in. */
  async fail(method: string, args?: Args | readonly MsgpackValue[]): Promise<RpcException> {
    const response = await this.ask(method, args);
    if (response.exception !== undefined) return response.exception;
    throw new Error(`${method} did not fail`);
  }

  sendRaw(bytes: Uint8Array): void {
    this.#send(bytes);
  }
}

/** The two ends of a connection within the process. */
export class MemoryWire implements RpcWire {
  readonly client: TestClient;
  /** All that came out. */
  readonly output: Uint8Array[] = [];
  abandoned = false;
  readonly #pieces: Uint8Array[] = [];
  #wake = Promise.withResolvers<void>();
  #hungUp = false;

  constructor() {
    this.client = new TestClient((bytes) => this.send(bytes));
  }

  send(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#wake.resolve();
  }

  hangUp(): void {
    this.#hungUp = true;
    this.#wake.resolve();
  }

  async *pieces(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    signal.addEventListener('abort', () => this.#wake.resolve());
    for (;;) {
      signal.throwIfAborted();
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#hungUp) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.output.push(bytes);
    if (this.client.waits) this.client.receive(bytes);
  }

  isAbandoned(): boolean {
    return this.abandoned;
  }

  close(): void {}

  get text(): string {
    return this.output.map(toUtf8Lossy).join('');
  }
}

export interface LocalServer {
  readonly wire: MemoryWire;
  readonly client: TestClient;
  readonly server: RepositoryServer;
  /** How serve() ended. */
  readonly ended: Promise<unknown>;
}

const EVERYTHING: Restrictions = { paths: [], repositories: [] };

export function serveHere(
  context: Context,
  options: Omit<ServerOptions, 'wire' | 'paths'> & { restrictions?: Restrictions } = {},
): LocalServer {
  const wire = new MemoryWire();
  const { restrictions = EVERYTHING, ...rest } = options;
  const paths = new ServedPaths(context, restrictions);
  const server = new RepositoryServer(context, { ...rest, wire, paths });
  const ended = server.serve().then(
    () => undefined,
    (error: unknown) => error,
  );
  void ended.then(() => wire.client.end());
  return { wire, client: wire.client, server, ended };
}

export interface ServerProcess extends AsyncDisposable {
  readonly client: TestClient;
  readonly child: ChildProcessWithoutNullStreams;
  /** Exit code or signal, when it has ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  stderr: string;
}

/** `alcove serve` as a process of its own. */
export function serveApart(args: readonly string[], env: Record<string, string>): ServerProcess {
  const child = spawn(process.execPath, [alcoveCommand, 'serve', ...args], { env });
  const client = new TestClient((bytes) => child.stdin.write(bytes));
  child.stdin.on('error', () => {});
  child.stdout.on('data', (bytes: Uint8Array) => {
    if (client.waits) client.receive(bytes);
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => {
      client.end();
      resolve(code ?? signal);
    });
  });
  const server: ServerProcess = {
    client,
    child,
    ended,
    stderr: '',
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (server.stderr += text));
  return server;
}
