import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { RpcArgumentError, RpcArguments } from '../../src/remote/rpc-arguments.ts';
import {
  namedArguments,
  positionalArguments,
  rpcMethod,
  rpcMethodNames,
} from '../../src/remote/rpc-methods.ts';

const id = new Uint8Array(32);

function argumentsOf(name: string, given: Record<string, MsgpackValue>): RpcArguments {
  return new RpcArguments(rpcMethod(name)!, new Map(Object.entries(given)));
}

describe('the methods of the protocol', () => {
  it('are those of Borg 1.4.5', () => {
    const names =
      '__len__ break_lock check commit commit_nonce_reservation delete destroy get get_free_nonce inject_exception list ' +
      'load_key negotiate open put rollback save_key scan';
    assert.equal(rpcMethodNames().toSorted().join(' '), names);
    for (const name of ['close', 'serve', '__class__', 'constructor', 'toString', '']) {
      assert.equal(rpcMethod(name), undefined);
    }
  });

  it('take arguments in order from clients of Borg 1.0', () => {
    const open = rpcMethod('open')!;
    const six = ['/r', true, 1, true, false, true];
    assert.deepEqual(
      [...namedArguments(open, six)!.keys()],
      ['path', 'create', 'lock_wait', 'lock', 'exclusive', 'append_only'],
    );
    assert.deepEqual([...namedArguments(open, six.slice(0, 4))!.keys()].at(-1), 'lock');
    assert.equal(namedArguments(open, six.slice(0, 5)), undefined);
    assert.equal(namedArguments(open, six.slice(0, 3)), undefined);
    assert.deepEqual(
      namedArguments(rpcMethod('put')!, [id, id, 'more']),
      new Map([
        ['id', id],
        ['data', id],
      ]),
    );
    assert.equal(namedArguments(rpcMethod('scan')!, [1, null]), undefined);
  });

  it('give arguments in order to servers of Borg 1.0', () => {
    const commit = rpcMethod('commit')!;
    assert.deepEqual(positionalArguments(commit, new Map([['compact', false]])), [false]);
    const list = new Map<string, MsgpackValue>([['marker', id]]);
    assert.deepEqual(positionalArguments(rpcMethod('list')!, list), [null, id]);
  });
});

describe('RpcArguments', () => {
  it('gives what is absent its default, and leaves out what it does not know', () => {
    const open = argumentsOf('open', { path: new Uint8Array([47]), color: 'red' });
    assert.equal(open.flag('lock'), true);
    assert.equal(open.flag('create'), false);
    assert.equal(open.optionalFlag('exclusive'), undefined);
    assert.equal(open.optionalNumber('lock_wait'), undefined);
    assert.equal(open.raw('color'), undefined);
    const commit = argumentsOf('commit', {});
    assert.deepEqual([commit.flag('compact'), commit.number('threshold')], [true, 0.1]);
  });

  it('takes nil where Borg gives None', () => {
    const nonces = argumentsOf('commit_nonce_reservation', { next_unreserved: 5, start_nonce: null });
    assert.deepEqual(
      [nonces.bigint('next_unreserved'), nonces.optionalBigint('start_nonce')],
      [5n, undefined],
    );
    assert.equal(argumentsOf('list', { limit: null, marker: null }).optionalBytes('marker'), undefined);
    assert.equal(argumentsOf('open', { path: id, lock: null }).flag('lock'), false);
  });

  const wrong: [string, Record<string, MsgpackValue>][] = [
    ['get', {}],
    ['get', { id: null }],
    ['get', { id: 'short' }],
    ['get', { id: new Uint8Array(33) }],
    ['get', { id: 7 }],
    ['put', { id }],
    ['put', { id, data: [] }],
    ['put', { id, data: null }],
    ['list', { limit: -1 }],
    ['list', { limit: 1.5 }],
    ['list', { limit: 2n ** 63n }],
    ['list', { marker: new Uint8Array(31) }],
    ['open', { path: new Uint8Array(4097) }],
    ['open', { path: id, create: 1 }],
    ['open', { path: id, lock_wait: -1 }],
    ['open', { path: id, lock_wait: Infinity }],
    ['open', { path: id, lock_wait: NaN }],
    ['commit', { threshold: 2 }],
    ['commit', { threshold: null }],
    ['check', { max_duration: 'x' }],
    ['commit_nonce_reservation', { next_unreserved: -1, start_nonce: null }],
    ['commit_nonce_reservation', { next_unreserved: 1.5, start_nonce: null }],
    ['commit_nonce_reservation', { next_unreserved: null, start_nonce: null }],
    ['save_key', { keydata: new Uint8Array(1024 * 1024 + 1) }],
    ['inject_exception', {}],
  ];
  for (const [name, given] of wrong) {
    it(`refuses ${name}(${JSON.stringify(given, (_, value: unknown) => shown(value))})`, () => {
      assert.throws(() => argumentsOf(name, given), RpcArgumentError);
    });
  }
});

function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'bigint' ? `${value}` : value;
}
