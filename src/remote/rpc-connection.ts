/**
 * The client's end of a connection: requests go out without waiting for the answers to earlier ones, so that the time
 * that a message takes to the server and back is spent once, not for each. Answers come in the order of the requests;
 * another order, or one that nobody asked for, ends the connection.
 *
 * Memory is bounded in both directions: who sends waits while more than `bufferBytes` have not gone out, and answers
 * that were asked for ahead wait at the server while more than MAX_HELD_BYTES are not taken.
 *
 * Source: Borg 1.4.5 remote.py, RemoteRepository.call_many().
 */
import { ConnectionBrokenWithHint, ConnectionClosed, UnexpectedRPCDataFormatFromServer } from '../errors.ts';
import { Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../msgpack/value.ts';
import { concatBytes } from '../util/bytes.ts';
import {
  decodeResponse,
  encodeRequest,
  RESPONSE_LIMITS,
  RpcFormatError,
  type RpcException,
  type RpcForm,
  type RpcResponse,
} from './rpc-message.ts';
import { positionalArguments, type RpcMethod } from './rpc-methods.ts';
import type { ServerProcess } from './server-process.ts';
import type { UploadLimiter } from './upload-limiter.ts';
import { describeBytes } from './unexpected-data.ts';

/** A server's answer that is an error. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
  readonly exception: RpcException;

  constructor(exception: RpcException) {
    super(exception.className);
    this.exception = exception;
  }
}

export interface ConnectionOptions {
  /** What may wait to be sent. */
  readonly bufferBytes: number;
  readonly limiter?: UploadLimiter | undefined;
}

export type NamedArguments = ReadonlyMap<string, MsgpackValue>;

/** An answer that was asked for ahead. */
export interface Prefetched {
  /** Undefined where there was no room to keep it: ask again. Rejects with RpcFailure and what ends connections. */
  take(): Promise<MsgpackValue | undefined>;
  /** It is not wanted after all. */
  abandon(): void;
}

interface Pending {
  readonly id: number;
  accept(response: RpcResponse, sizeBytes: number): void;
  fail(error: Error): void;
}

/** Small requests go out together, up to this. */
const BATCH_BYTES = 256 * 1024;
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** How long the server's last words may take after it has closed the connection. */
const LAST_WORDS_MS = 2000;

export class RpcConnection {
  /** Of the requests. The first one of a client is always positional. */
  form: RpcForm = 'positional';
  readonly #server: ServerProcess;
  readonly #options: ConnectionOptions;
  readonly #unpacker = new Unpacker(RESPONSE_LIMITS);
  /** By number, in the order of asking. */
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #pumping = false;
  #roomWaiters: (() => void)[] = [];
  /** Calls that somebody waits for. While there is one, all that comes is read. */
  #urgent = 0;
  #heldBytes = 0;
  #failure: Error | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;
  #closing = false;

  constructor(server: ServerProcess, options: ConnectionOptions) {
    this.#server = server;
    this.#options = options;
    server.output.on('data', (piece: Uint8Array) => this.#receive(piece));
    server.output.once('error', (error) => this.#closeAfterLastWords(error));
    server.output.once('close', () => this.#closeAfterLastWords());
    // Where the other side has gone, its output ends, too, and says so better.
    server.input.once('error', (error) => this.#breakSoon(error));
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  get statistics(): {
    readonly sentBytes: number;
    readonly receivedBytes: number;
    readonly messages: number;
  } {
    const receivedBytes = this.#receivedBytes + this.#server.receivedLogBytes;
    return { sentBytes: this.#sentBytes, receivedBytes, messages: this.#lastId };
  }

  /** What the method gives. Rejects with RpcFailure, ConnectionClosed and others that end the connection. */
  call(method: RpcMethod, args: NamedArguments): Promise<MsgpackValue> {
    this.#raiseUrgency();
    return new Promise<MsgpackValue>((resolve, reject) => {
      this.#send(method, args, {
        accept: (response) => {
          if (response.exception === undefined) resolve(response.result);
          else reject(new RpcFailure(response.exception));
        },
        fail: reject,
      });
    }).finally(() => {
      this.#urgent--;
    });
  }

  /** As call(), for an answer that may take its time. `settle` is told of what became of it. */
  callLater(
    method: RpcMethod,
    args: NamedArguments,
    settle: (error: Error | undefined, result?: MsgpackValue) => void,
  ): void {
    this.#send(method, args, {
      accept: ({ exception, ...rest }) => {
        if (exception !== undefined) settle(new RpcFailure(exception));
        else settle(undefined, 'result' in rest ? rest.result : null);
      },
      fail: settle,
    });
  }

  prefetch(method: RpcMethod, args: NamedArguments): Prefetched {
    const answer = Promise.withResolvers<MsgpackValue | undefined>();
    // It may never be asked for.
    answer.promise.catch(() => {});
    let state: 'waiting' | 'wanted' | 'abandoned' | 'done' = 'waiting';
    let heldBytes = 0;
    const release = () => {
      this.#heldBytes -= heldBytes;
      heldBytes = 0;
      this.#regulate();
    };
    this.#send(method, args, {
      accept: (response, sizeBytes) => {
        const isHeld = state === 'waiting';
        if (state === 'wanted') this.#urgent--;
        if (state === 'abandoned') return;
        state = 'done';
        if (response.exception !== undefined) return answer.reject(new RpcFailure(response.exception));
        // Somebody waits for what comes behind it.
        if (isHeld && this.#urgent > 0 && this.#heldBytes > MAX_HELD_BYTES) return answer.resolve(undefined);
        if (isHeld) this.#heldBytes += heldBytes = sizeBytes;
        answer.resolve(response.result);
      },
      fail: (error) => {
        if (state === 'wanted') this.#urgent--;
        state = 'done';
        answer.reject(error);
      },
    });
    return {
      take: () => {
        if (state === 'waiting') {
          state = 'wanted';
          this.#raiseUrgency();
        }
        release();
        return answer.promise;
      },
      abandon: () => {
        if (state === 'wanted') this.#urgent--;
        if (state !== 'done') state = 'abandoned';
        release();
      },
    };
  }

  /** Waits until what is to be sent has shrunk below the bound. */
  async room(): Promise<void> {
    while (this.#queuedBytes > this.#options.bufferBytes && this.#failure === undefined) {
      // The server may wait for us to read before it reads.
      this.#raiseUrgency();
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
      this.#urgent--;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Nothing more is sent; what still comes is passed over. */
  finish(): void {
    this.#closing = true;
    this.#fail(new ConnectionClosed());
    this.#server.input.end();
    this.#server.output.resume();
  }

  /** Ends the connection because of what was found out about the server. */
  abort(error: Error): void {
    this.#fail(error);
  }

  #send(method: RpcMethod, args: NamedArguments, pending: Omit<Pending, 'id'>): void {
    if (this.#failure !== undefined) return pending.fail(this.#failure);
    const id = ++this.#lastId;
    const given = this.form === 'named' ? args : positionalArguments(method, args);
    const bytes = encodeRequest({ id, method: method.name, args: given });
    this.#pending.set(id, { id, ...pending });
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#pumping) return;
    this.#pumping = true;
    // What is asked for in one go goes out in one piece.
    queueMicrotask(() => void this.#pump());
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0 && this.#failure === undefined) {
      let bytes = this.#takeBatch();
      while (bytes.length > 0) {
        const limited = await this.#options.limiter?.take(bytes.length);
        const part = limited === undefined ? bytes : bytes.subarray(0, limited);
        if (!(await this.#write(part))) break;
        this.#sentBytes += part.length;
        this.#queuedBytes -= part.length;
        bytes = bytes.subarray(part.length);
        this.#wakeWaiters();
      }
    }
    this.#pumping = false;
  }

  #takeBatch(): Uint8Array {
    let count = 0;
    for (let sizeBytes = 0; count < this.#queue.length && sizeBytes < BATCH_BYTES; count++) {
      sizeBytes += this.#queue[count]!.length;
    }
    const parts = this.#queue.splice(0, count);
    return parts.length === 1 ? parts[0]! : concatBytes(parts);
  }

  /** False where the connection has come to its end. */
  #write(bytes: Uint8Array): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => this.#server.input.write(bytes, (error) => resolve(!error)));
  }

  #receive(piece: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#receivedBytes += piece.length;
    try {
      this.#unpacker.feed(piece);
      for (const value of this.#unpacker) this.#accept(decodeResponse(value), sizeOf(value));
    } catch (error) {
      if (!(error instanceof MsgpackError || error instanceof RpcFormatError)) throw error;
      this.#fail(new UnexpectedRPCDataFormatFromServer([describeBytes(piece)], error));
    }
    this.#regulate();
  }

  #accept(response: RpcResponse, sizeBytes: number): void {
    const [pending] = this.#pending.values();
    if (pending?.id !== response.id) {
      const expected = pending === undefined ? 'none is expected' : `${pending.id} is expected`;
      throw new RpcFormatError(`an answer to request ${response.id} where ${expected}`);
    }
    this.#pending.delete(response.id);
    pending.accept(response, sizeBytes);
  }

  #raiseUrgency(): void {
    this.#urgent++;
    this.#regulate();
  }

  /** Lets the server wait while nobody takes what it sends. */
  #regulate(): void {
    const { output } = this.#server;
    const waits = this.#heldBytes > MAX_HELD_BYTES && this.#urgent === 0 && this.#failure === undefined;
    if (waits) output.pause();
    else if (output.isPaused()) output.resume();
  }

  #breakSoon(error: Error): void {
    const timer = setTimeout(
      () => this.#fail(new ConnectionBrokenWithHint(['Broken Pipe'], error)),
      LAST_WORDS_MS,
    );
    timer.unref();
  }

  #closeAfterLastWords(error?: Error): void {
    if (this.#failure !== undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_WORDS_MS)));
    void Promise.race([this.#server.logEnded, late]).then(() => {
      clearTimeout(timer);
      this.#fail(new ConnectionClosed([], error));
    });
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#wakeWaiters();
    for (const waiting of pending) waiting.fail(error);
    if (this.#closing) return;
    // A server that does not keep to the protocol has nothing more to say.
    this.#server.input.destroy();
    this.#server.output.resume();
  }

  #wakeWaiters(): void {
    if (this.#queuedBytes > this.#options.bufferBytes) return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const wake of waiters) wake();
  }
}

function sizeOf(value: MsgpackValue): number {
  const result = value instanceof Map ? value.get('r') : Array.isArray(value) ? value[3] : undefined;
  return result instanceof Uint8Array ? result.length : 0;
}
