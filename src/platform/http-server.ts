/**
 * A small HTTP server for one purpose, with bounds on all that a client can make it do: size and time of a request,
 * connections, connections that stand still. What it answers is a function's business.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { unlessAborted } from '../util/abortable.ts';

/** By name in lower case; what may come more than once is joined by commas. */
export type HttpHeaders = Readonly<Record<string, string | undefined>>;

export interface HttpRequest {
  readonly method: string;
  /** What stands behind the method: a path with its query, or a whole URL. Each character is a byte. */
  readonly target: string;
  readonly headers: HttpHeaders;
  /** Who asks. */
  readonly remoteAddress: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** All of the body; undefined where it is longer than that. */
  readBody(limitBytes: number): Promise<Uint8Array | undefined>;
}

export type Write = (data: Uint8Array) => Promise<void>;

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Bytes, or what writes them: the memory given to `write` may be used again when it has returned. Where it throws, the
   * connection is cut off, so that nobody takes what was sent for the whole.
   */
  readonly body?: Uint8Array | ((write: Write) => Promise<void>) | undefined;
  /** Called at the end, whether or not the body was asked for. */
  readonly release?: (() => void) | undefined;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  handle(request: HttpRequest): Promise<HttpReply>;
  /** After each answer; `failure` is what cut it off. */
  answered?(request: HttpRequest, outcome: HttpOutcome): void;
}

export interface HttpOutcome {
  readonly status: number;
  readonly sentBytes: number;
  readonly failure: unknown;
}

export interface RunningHttpServer {
  readonly address: string;
  readonly port: number;
  /** Cuts all connections, and waits until nothing runs any more. */
  close(): Promise<void>;
}

const LIMITS = {
  connections: 100,
  headerBytes: 16 * 1024,
  headerFields: 100,
  /** For the header of a request, and for all of it. */
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 15_000,
  /** A reader that pauses, as players of films do, comes back with another range. */
  idleMs: 180_000,
} as const;

/** @throws an error of the system where it can't listen there */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const running = new Set<Promise<void>>();
  const serve = (message: IncomingMessage, response: ServerResponse): void => {
    const answer = new Exchange(options, message, response).run();
    running.add(answer);
    void answer.finally(() => running.delete(answer));
  };
  const server = createServer({
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: LIMITS.headersMs,
    requestTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.keepAliveMs,
    connectionsCheckingInterval: 5000,
  });
  server.maxConnections = LIMITS.connections;
  server.maxHeadersCount = LIMITS.headerFields;
  server.timeout = LIMITS.idleMs;
  server.on('request', serve);
  // A body is asked for only where it is read.
  server.on('checkContinue', serve);
  await listen(server, options);
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await Promise.all(running);
    },
  };
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, exclusive: true }, () => {
    server.off('error', reject);
    // Without a listener, what fails later (no descriptor is left for a connection) would end the process.
    server.on('error', () => {});
    resolve();
  });
  return promise;
}

class Exchange {
  readonly #options: HttpServerOptions;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #request: HttpRequest;
  readonly #gone = new AbortController();
  #sentBytes = 0;

  constructor(options: HttpServerOptions, message: IncomingMessage, response: ServerResponse) {
    this.#options = options;
    this.#message = message;
    this.#response = response;
    this.#request = {
      method: message.method ?? '',
      target: message.url ?? '',
      headers: message.headers as HttpHeaders,
      remoteAddress: message.socket.remoteAddress ?? '',
      signal: this.#gone.signal,
      readBody: (limitBytes) => this.#readBody(limitBytes),
    };
    response.once('close', () => this.#gone.abort(new ClientGone()));
    response.on('error', () => {});
  }

  async run(): Promise<void> {
    let failure: unknown;
    try {
      const reply = await this.#options.handle(this.#request);
      try {
        await this.#send(reply);
      } finally {
        reply.release?.();
      }
    } catch (error) {
      failure = error ?? new Error('nothing was thrown');
      this.#gone.abort(failure);
      this.#response.destroy();
    }
    const { statusCode: status } = this.#response;
    this.#options.answered?.(this.#request, { status, sentBytes: this.#sentBytes, failure });
  }

  async #send({ status, headers, body }: HttpReply): Promise<void> {
    const response = this.#response;
    response.writeHead(status, headers);
    const bodiless = this.#request.method === 'HEAD' || status === 204 || status === 304;
    if (body !== undefined && !bodiless) {
      if (body instanceof Uint8Array) await this.#write(body);
      else await body((data) => this.#write(data));
    }
    await this.#untilDone((done) => response.end(done));
  }

  async #write(data: Uint8Array): Promise<void> {
    if (data.length === 0) return;
    await this.#untilDone((done) => this.#response.write(data, done));
    this.#sentBytes += data.length;
  }

  async #untilDone(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    this.#gone.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    start((error) => (error ? reject(new ClientGone(error)) : resolve()));
    await unlessAborted(promise, this.#gone.signal);
  }

  /** Not by iteration, which would end the connection where it stops early. */
  #readBody(limitBytes: number): Promise<Uint8Array | undefined> {
    const message = this.#message;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
    if (Number(message.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve(undefined);
    if (message.headers.expect !== undefined) this.#response.writeContinue();
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    message.on('data', (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes > limitBytes) resolve(undefined);
      else parts.push(part);
    });
    message.once('end', () => resolve(Buffer.concat(parts)));
    message.once('error', reject);
    return unlessAborted(promise, this.#gone.signal);
  }
}

/** Why a request's signal aborted, and what a write throws where it can't arrive. */
export class ClientGone extends Error {
  override readonly name = 'AbortError';

  constructor(cause?: Error) {
    super('the client has gone', cause && { cause });
  }
}
