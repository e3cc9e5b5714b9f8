import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import {
  ClientGone,
  type HttpOutcome,
  type HttpReply,
  type HttpRequest,
  type RunningHttpServer,
  startHttpServer,
} from '../../src/platform/http-server.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';

class TestServer implements AsyncDisposable {
  readonly outcomes: HttpOutcome[] = [];
  readonly #waiting: ((outcome: HttpOutcome) => void)[] = [];
  #server!: RunningHttpServer;

  static async start(handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>): Promise<TestServer> {
    const test = new TestServer();
    test.#server = await startHttpServer({
      host: '127.0.0.1',
      port: 0,
      handle: async (request) => handle(request),
      answered: (_request, outcome) => {
        test.outcomes.push(outcome);
        test.#waiting.shift()?.(outcome);
      },
    });
    return test;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** A connection on which these bytes were sent. */
  async connect(text: string): Promise<Socket> {
    const socket = connect(this.#server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => {});
    socket.write(text);
    return socket;
  }

  answered(): Promise<HttpOutcome> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function readAll(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

const plain = (text: string): HttpReply => ({
  status: 200,
  headers: { 'content-length': String(text.length) },
  body: fromUtf8(text),
});

const noAnswer = () => Promise.reject(new Error('nobody is asked'));

describe('startHttpServer()', () => {
  it('hands on what was asked, byte by byte', async () => {
    let seen: HttpRequest | undefined;
    await using server = await TestServer.start((request) => {
      seen = request;
      return plain('ok');
    });
    const socket = await server.connect(
      'GET /a%FFb?c=d HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\nConnection: close\r\n\r\n',
    );
    assert.match(await readAll(socket), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
    assert.equal(seen!.method, 'GET');
    assert.equal(seen!.target, '/a%FFb?c=d');
    assert.deepEqual([seen!.headers.host, seen!.headers['range']], ['x', 'bytes=0-']);
    assert.equal(seen!.remoteAddress, '127.0.0.1');
  });

  it('writes piece by piece, and may have each back at once', async () => {
    const piece = new Uint8Array(300_000);
    await using server = await TestServer.start(() => ({
      status: 200,
      headers: {},
      async body(write) {
        for (let n = 1; n <= 20; n++) await write(piece.fill(n));
      },
    }));
    const got = Buffer.from(await (await fetch(server.url)).arrayBuffer());
    assert.equal(got.length, 20 * piece.length);
    for (let n = 1; n <= 20; n++)
      assert.ok(got.subarray((n - 1) * piece.length, n * piece.length).every((b) => b === n));
  });

  it('waits for its reader, and stops when that has gone', async () => {
    let pieces = 0;
    let signal: AbortSignal | undefined;
    await using server = await TestServer.start((request) => {
      signal = request.signal;
      return {
        status: 200,
        headers: {},
        async body(write) {
          for (;;) {
            await write(new Uint8Array(2 ** 20));
            pieces += 1;
          }
        },
      };
    });
    const answered = server.answered();
    const socket = await server.connect('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    // What is sent by now is in buffers of the system, and is no more for all the time in the world.
    let before = -1;
    while (before !== pieces) {
      before = pieces;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(pieces < 64, `${pieces} MiB are under way`);
    socket.destroy();
    const { failure } = await answered;
    assert.ok(failure instanceof ClientGone);
    assert.ok(signal!.aborted);
  });

  it('cuts the connection where a body fails, whatever was announced', async () => {
    for (const headers of [{}, { 'content-length': '100' }]) {
      let released = 0;
      await using server = await TestServer.start(() => ({
        status: 200,
        headers,
        release: () => void (released += 1),
        async body(write) {
          await write(fromUtf8('half'));
          throw new Error('damaged');
        },
      }));
      const answered = server.answered();
      const response = await fetch(server.url);
      await assert.rejects(response.text());
      const { failure, sentBytes } = await answered;
      assert.equal((failure as Error).message, 'damaged');
      assert.deepEqual([sentBytes, released], [4, 1]);
    }
  });

  it('sends no body to HEAD, but gives back what it had for it', async () => {
    let released = 0;
    await using server = await TestServer.start(() => ({
      ...plain('text'),
      release: () => void (released += 1),
    }));
    const response = await fetch(server.url, { method: 'HEAD' });
    assert.deepEqual([response.headers.get('content-length'), await response.text(), released], ['4', '', 1]);
  });

  it('reads a body up to its limit', async () => {
    await using server = await TestServer.start(async (request) => {
      const body = await request.readBody(10);
      return plain(body === undefined ? 'too long' : `${body.length}`);
    });
    const send = async (body: string | ReadableStream) =>
      (await fetch(server.url, { method: 'POST', body, duplex: 'half' })).text();
    assert.equal(await send('0123456789'), '10');
    assert.equal(await send('0123456789a'), 'too long');
    assert.equal(await send(new Blob(['x'.repeat(100_000)]).stream()), 'too long');
  });

  it('asks for a body that waits only where it is read', async () => {
    await using server = await TestServer.start(async (request) => {
      if (request.method === 'PUT')
        return { status: 405, headers: { connection: 'close', 'content-length': '0' } };
      return plain(`${(await request.readBody(10))!.length}`);
    });
    const head = 'HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n';
    const refused = await server.connect(`PUT / ${head}\r\n`);
    assert.match(await readAll(refused), /^HTTP\/1\.1 405 /);
    const taken = await server.connect(`PROPFIND / ${head}Connection: close\r\n\r\n`);
    await new Promise((resolve) => taken.once('readable', resolve));
    taken.write('12345');
    assert.match(await readAll(taken), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n5$/);
  });

  it('refuses headers without end', async () => {
    await using server = await TestServer.start(() => plain('ok'));
    const socket = await server.connect(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.match(await readAll(socket), /^HTTP\/1\.1 431 /);
    assert.deepEqual(server.outcomes, []);
  });

  it('ends with answers under way, and only when these have ended', async () => {
    const server = await TestServer.start((request) => ({
      status: 200,
      headers: {},
      async body(write) {
        await write(fromUtf8('begun'));
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        throw request.signal.reason;
      },
    }));
    const response = await fetch(server.url);
    await server.close();
    assert.equal(server.outcomes.length, 1);
    await assert.rejects(response.text());
    await assert.rejects(fetch(server.url));
  });

  it('says where it can not listen', async () => {
    await using server = await TestServer.start(() => plain('ok'));
    const port = Number(new URL(server.url).port);
    await assert.rejects(startHttpServer({ host: '127.0.0.1', port, handle: noAnswer }), {
      code: 'EADDRINUSE',
    });
  });
});
