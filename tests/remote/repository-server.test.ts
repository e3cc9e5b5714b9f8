import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConnectionClosed, UnexpectedRPCDataFormatFromClient } from '../../src/errors.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { OsError } from '../../src/platform/os-error.ts';
import { fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';
import { dataOf, idOf, testContext } from '../repository/fakes.ts';
import { serveHere, VERSION, type LocalServer } from './test-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-server-'));
let count = 0;
after(() => rmSync(scratch, { recursive: true }));

interface Place {
  readonly path: string;
  readonly serve: (options?: Parameters<typeof serveHere>[1]) => LocalServer;
}

function newPlace(): Place {
  const path = join(scratch, String(count++));
  return { path, serve: (options) => serveHere(testContext(scratch), options) };
}

function openArgs(path: string, more: Record<string, MsgpackValue> = {}): Record<string, MsgpackValue> {
  return { path, create: false, lock_wait: 1, lock: true, exclusive: true, append_only: false, ...more };
}

/** A repository with one object, `first`. */
async function stocked(): Promise<Place> {
  const place = newPlace();
  const { client, wire, ended } = place.serve();
  await client.call('negotiate', { client_data: VERSION });
  await client.call('open', openArgs(place.path, { create: true }));
  await client.call('put', { id: idOf('first'), data: dataOf('first') });
  await client.call('commit', { save_space: false });
  wire.hangUp();
  assert.equal(await ended, undefined);
  return place;
}

async function open(
  place: Place,
  more?: Record<string, MsgpackValue>,
  options?: Parameters<Place['serve']>[0],
) {
  const server = place.serve(options);
  await server.client.call('negotiate', { client_data: VERSION });
  await server.client.call('open', openArgs(place.path, more));
  return server;
}

const isLocked = ({ path }: Place) => existsSync(join(path, 'lock.exclusive'));

describe('RepositoryServer', () => {
  it('tells its version to clients since 1.1, and the number of the protocol to older ones', async () => {
    let json = 0;
    const { client, server, wire, ended } = newPlace().serve({ onJsonClient: () => json++ });
    assert.deepEqual(server.clientVersion, [1, 0, 8, -1]);
    assert.equal(await client.call('negotiate', [2]), 2);
    assert.equal(json, 0);
    const answer = new Map([['server_version', [1, 4, 5, -1]]]);
    assert.deepEqual(await client.call('negotiate', [VERSION]), answer);
    assert.deepEqual(
      await client.call('negotiate', { client_data: { client_version: [1, 1, 0, -1] } }),
      answer,
    );
    assert.deepEqual(server.clientVersion, [1, 1, 0, -1]);
    assert.equal(json, 2);
    assert.equal((await client.fail('negotiate', { client_data: {} })).className, 'TypeError');
    assert.deepEqual(await client.call('negotiate', { client_data: 3 }), answer);
    wire.hangUp();
    assert.equal(await ended, undefined);
    assert.match(wire.text, /Borg 1\.4\.5: Got connection close before repository was opened\.\n$/);
  });

  it('does with a repository what each method says', async () => {
    const place = await stocked();
    const { client, wire, ended } = await open(place);
    assert.equal(await client.call('__len__'), 1);
    assert.deepEqual(await client.call('get', { id: idOf('first') }), dataOf('first'));
    assert.equal(await client.call('put', { id: idOf(2), data: dataOf(2), wait: false }), null);
    assert.deepEqual(await client.call('scan', { limit: 5 }), [idOf('first'), idOf(2)]);
    assert.equal(((await client.call('list', { limit: 1, marker: null })) as unknown[]).length, 1);
    assert.equal(await client.call('rollback'), null);
    assert.equal(await client.call('__len__'), 1);
    assert.equal(await client.call('delete', { id: idOf('first'), wait: true }), null);
    assert.equal(await client.call('commit', { compact: true, threshold: 0.5 }), null);
    assert.equal(await client.call('__len__'), 0);
    assert.equal(await client.call('save_key', { keydata: 'YWJj\nZGVm' }), null);
    assert.deepEqual(await client.call('load_key'), fromUtf8('YWJj\nZGVm'));
    assert.equal(await client.call('get_free_nonce'), null);
    const nonces = { next_unreserved: 2n ** 63n, start_nonce: null };
    assert.equal(await client.call('commit_nonce_reservation', nonces), null);
    assert.equal(await client.call('get_free_nonce'), 2n ** 63n);
    assert.equal(await client.call('check', { repair: false, save_space: false }), true);
    const other = await open(place, { lock: false });
    assert.equal(await other.client.call('break_lock'), null);
    assert.ok(!isLocked(place));
    other.wire.hangUp();
    assert.equal((await client.fail('open', openArgs(place.path))).className, 'NotLocked');
    await client.call('open', openArgs(place.path));
    assert.equal(await client.call('destroy'), null);
    assert.ok(!existsSync(place.path));
    wire.hangUp();
    assert.equal(await ended, undefined);
  });

  it('serves clients of Borg 1.0, who learn of the log what the class of an error does not say', async () => {
    const place = newPlace();
    const context = testContext(scratch);
    const { client, wire, ended } = serveHere(context);
    await client.call('negotiate', [2]);
    const id = await client.call('open', [place.path, true, 1, true]);
    assert.equal((id as Uint8Array).length, 32);
    await client.call('put', [idOf(1), dataOf(1)]);
    await client.call('commit', [false]);
    assert.deepEqual(await client.call('get', [idOf(1)]), dataOf(1));
    const gone = await client.fail('get', [idOf(2)]);
    assert.deepEqual([gone.className, gone.args], ['ObjectNotFound', undefined]);
    assert.equal((await client.fail('get', [])).className, 'TypeError');
    assert.equal(
      (await client.fail('open', [join(scratch, 'none'), false, 1, true])).className,
      'DoesNotExist',
    );
    const errors = context.reporter.lines.filter((line) => line.startsWith('error'));
    assert.deepEqual(errors, [
      `error: Object with key ${toHex(idOf(2))} not found in repository ${place.path}.`,
      'error: TypeError: get() needs more arguments',
    ]);
    wire.hangUp();
    assert.equal(await ended, undefined);
  });

  it('answers requests in the order in which they came, however they are cut up', async () => {
    const place = await stocked();
    const { client, wire, ended } = await open(place);
    const send = wire.send.bind(wire);
    wire.send = (bytes) => {
      for (const byte of bytes) send(Uint8Array.of(byte));
    };
    const asked = [0, 1, 2, 3, 4].map((n) => client.ask('get', { id: idOf(n % 2 === 0 ? 'first' : n) }));
    const answers = await Promise.all(asked);
    assert.deepEqual(
      answers.map(({ exception }) => exception?.className),
      [undefined, 'ObjectNotFound', undefined, 'ObjectNotFound', undefined],
    );
    assert.deepEqual(
      client.answered,
      client.answered.toSorted((a, b) => a - b),
    );
    wire.hangUp();
    assert.equal(await ended, undefined);
  });

  it('tells errors with what a client needs to make them again', async () => {
    const place = await stocked();
    const { client, wire } = await open(place, {}, { sysinfo: async () => 'a machine' });
    const gone = await client.fail('get', { id: idOf('none') });
    assert.equal(gone.className, 'ObjectNotFound');
    assert.deepEqual(gone.args, [Buffer.from(idOf('none')).toString('hex'), place.path]);
    assert.deepEqual([gone.trace, gone.sysinfo], [true, 'a machine']);
    assert.match(gone.short[0]!, /^Object with key .* not found in repository/);
    assert.match(gone.full.join('\n'), /at .*segment-repository/);
    const invalid = await client.fail('shutdown');
    assert.deepEqual(
      [invalid.className, invalid.args, invalid.trace],
      ['InvalidRPCMethod', ['shutdown'], false],
    );
    for (const [kind, args] of [
      ['DoesNotExist', ['test string']],
      ['AlreadyExists', ['test string']],
      ['CheckNeeded', ['test string']],
      ['IntegrityError', ['test string']],
      ['PathNotAllowed', ['foo']],
      ['ObjectNotFound', ['test string', 'test string2']],
      ['InvalidRPCMethod', ['test string']],
    ] as const) {
      const error = await client.fail('inject_exception', { kind });
      assert.deepEqual([error.className, error.args], [kind, args]);
    }
    assert.equal((await client.fail('inject_exception', { kind: 'divide' })).className, 'ZeroDivisionError');
    assert.equal(await client.call('inject_exception', { kind: 'toString' }), null);
    const missing = await client.fail('open', openArgs(join(scratch, 'nowhere')));
    assert.deepEqual([missing.className, missing.args], ['DoesNotExist', [join(scratch, 'nowhere')]]);
    const early = await client.fail('get', { id: idOf(1) });
    assert.match(early.short[0]!, /no repository is open/);
    wire.hangUp();
  });

  it('forgets what was not committed, and gives the lock back, when the client is gone', async () => {
    const place = await stocked();
    const { client, wire, ended } = await open(place);
    await client.call('put', { id: idOf(2), data: dataOf(2) });
    assert.ok(isLocked(place));
    wire.send(encode([1, 99]).subarray(0, 2));
    wire.hangUp();
    assert.equal(await ended, undefined);
    assert.ok(!isLocked(place));
    const again = await open(place);
    assert.equal(await again.client.call('__len__'), 1);
    again.wire.hangUp();
  });

  it('gives the lock back when it is told to stop, and when nobody reads its answers', async () => {
    const place = await stocked();
    const stop = new AbortController();
    const context = { ...testContext(scratch), signal: stop.signal };
    const first = serveHere(context);
    await first.client.call('open', openArgs(place.path));
    stop.abort(new Error('stopped'));
    assert.match(String(await first.ended), /stopped/);
    assert.ok(!isLocked(place));
    const second = await open(place);
    second.wire.write = async () => {
      throw new OsError(32, 'write');
    };
    second.client.ask('__len__').catch(() => {});
    assert.ok((await second.ended) instanceof ConnectionClosed);
    assert.ok(!isLocked(place));
  });

  it('notices that the client is gone while it does something else', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const place = await stocked();
    const { wire, ended } = await open(place);
    t.mock.timers.tick(10_000);
    assert.ok(isLocked(place));
    wire.abandoned = true;
    t.mock.timers.tick(10_000);
    assert.ok((await ended) instanceof ConnectionClosed);
    assert.ok(!isLocked(place));
  });

  const damage: [string, Uint8Array][] = [
    ['a number', encode(7)],
    ['an array of three', encode([1, 2, 3])],
    ['a request without arguments', encode({ i: 1, m: 'get' })],
    ['a type that is no type', fromHex('c1')],
    ['an extension', fromHex('d4007f')],
    ['an object of 4 GiB', fromHex('83a16901a16da3707574a16181a46461746ddbffffffff')],
    ['an array of 4 Gi', fromHex('ddffffffff')],
    ['a map of 4 Gi', fromHex('dfffffffff')],
    ['a deep nest', new Uint8Array(5000).fill(0x91)],
    ['HTTP', fromUtf8('GET / HTTP/1.1\r\n\r\n')],
  ];
  for (const [what, bytes] of damage) {
    it(`ends the connection that sends ${what}`, async () => {
      const place = await stocked();
      const { client, wire, ended } = await open(place);
      await client.call('put', { id: idOf(2), data: dataOf(2) });
      wire.send(bytes);
      const error = await ended;
      assert.ok(error instanceof UnexpectedRPCDataFormatFromClient, String(error));
      assert.equal(error.message, 'Borg 1.4.5: Got unexpected RPC data format from client.');
      assert.ok(!isLocked(place));
    });
  }

  it('serves what it is restricted to, and tells nobody what else there is', async () => {
    const place = await stocked();
    const restrictions = { paths: [join(scratch, 'none')], repositories: [] };
    const { client, wire } = place.serve({ restrictions });
    for (const create of [false, true]) {
      const error = await client.fail('open', openArgs(place.path, { create }));
      assert.deepEqual([error.className, error.args], ['PathNotAllowed', [place.path]]);
    }
    wire.hangUp();
  });

  it('keeps everything in append-only mode, but for a repository that it has just made', async () => {
    const place = newPlace();
    const { client, wire, ended } = place.serve({ appendOnly: true });
    await client.call('open', openArgs(place.path, { create: true }));
    await client.call('put', { id: idOf(1), data: dataOf(1) });
    await client.call('commit');
    assert.match(readFileSync(join(place.path, 'config'), 'utf8'), /^append_only = 0$/m);
    await client.call('open', openArgs(place.path));
    await client.call('delete', { id: idOf(1) });
    await client.call('commit', { compact: true, threshold: 0, cleanup_commits: true });
    for (const [method, args] of [
      ['destroy', {}],
      ['check', { repair: true }],
    ] as const) {
      const error = await client.fail(method, args);
      assert.match(error.short[0]!, /append-only mode/);
    }
    const config = await client.fail('save_key', { keydata: 'YQ==\rappend_only = 0' });
    assert.match(config.short[0]!, /base64/);
    wire.hangUp();
    assert.equal(await ended, undefined);
    const segments = globSync(join(place.path, 'data/0/*')).map((path) => readFileSync(path));
    assert.ok(segments.some((segment) => segment.includes(Buffer.from(dataOf(1)))));
  });

  it('holds repositories to the quota, and writes it into the config of a new one', async () => {
    const place = newPlace();
    const options = { storageQuotaBytes: 1000 };
    const { client, wire } = place.serve(options);
    await client.call('open', openArgs(place.path, { create: true }));
    assert.match(readFileSync(join(place.path, 'config'), 'utf8'), /^storage_quota = 1000$/m);
    const error = await client.fail('put', { id: idOf(1), data: new Uint8Array(1000) });
    assert.deepEqual([error.className, error.args?.length], ['StorageQuotaExceeded', 2]);
    wire.hangUp();
  });

  it('lets nobody write who took no lock', async () => {
    const place = await stocked();
    const { client, wire } = await open(place, { lock: false });
    assert.deepEqual(await client.call('get', { id: idOf('first') }), dataOf('first'));
    assert.match((await client.fail('put', { id: idOf(2), data: dataOf(2) })).short[0]!, /without a lock/);
    wire.hangUp();
  });

  it('refuses a second client while the first is there', async () => {
    const place = await stocked();
    const first = await open(place);
    const second = serveHere({ ...testContext(scratch), env: { BORG_HOST_ID: 'another-host' } });
    const refused = await second.client.fail('open', openArgs(place.path, { lock_wait: 0 }));
    assert.deepEqual(
      [refused.className, refused.args],
      ['LockTimeout', [join(place.path, 'lock.exclusive')]],
    );
    first.wire.hangUp();
    await first.ended;
    await second.client.call('open', openArgs(place.path));
    second.wire.hangUp();
    await second.ended;
    assert.ok(!isLocked(place));
  });
});
