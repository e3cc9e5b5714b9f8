import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../../src/msgpack/value.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  isNamed,
  REQUEST_LIMITS,
  RESPONSE_LIMITS,
  RpcFormatError,
  type RpcForm,
  type RpcRequest,
} from '../../src/remote/rpc-message.ts';
import { fromHex, toHex } from '../../src/util/bytes.ts';

const number = fc.nat();
const scalar: fc.Arbitrary<MsgpackValue> = fc.oneof(
  fc.constantFrom(null, true, false),
  number,
  fc.uint8Array({ maxLength: 40 }),
);
const name = fc.stringMatching(/^[a-z_]{1,20}$/);

describe('a request', () => {
  it('comes back from its bytes, in either form', () => {
    const args = fc.oneof(
      fc.array(scalar, { maxLength: 8 }),
      fc.array(fc.tuple(name, scalar), { maxLength: 8 }).map((pairs) => new Map(pairs)),
    );
    const requests: fc.Arbitrary<RpcRequest> = fc.record(
      { id: number, method: name, args },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(requests, (request) => {
        assert.deepEqual(decodeRequest(decode(encodeRequest(request))), request);
        assert.equal(isNamed(request.args), request.args instanceof Map);
      }),
      { numRuns: 300 },
    );
  });

  it('has the bytes of Borg', () => {
    const args = new Map([['id', new Uint8Array([1, 2])]]);
    const named = encodeRequest({ id: 7, method: 'get', args });
    assert.equal(toHex(named), '83a16907a16da3676574a16181a26964a20102');
    const positional = encodeRequest({ id: 7, method: 'get', args: [new Uint8Array([1, 2])] });
    assert.equal(toHex(positional), '940107a367657491a20102');
  });

  const wrong: [string, MsgpackValue][] = [
    ['no container', 1],
    ['too short an array', [1, 2, 'get']],
    ['no number', { m: 'get', a: {} }],
    ['a number that is a text', { i: 'x', m: 'get', a: {} }],
    ['a number beyond 2^53', { i: 2n ** 60n, m: 'get', a: {} }],
    ['no method', { i: 1, a: {} }],
    ['a method that is a number', [1, 1, 2, []]],
    ['a long method', [1, 1, 'x'.repeat(65), []]],
    ['no arguments', { i: 1, m: 'get' }],
    ['arguments in order where names are due', { i: 1, m: 'get', a: [] }],
    ['arguments by name where order is due', [1, 1, 'get', {}]],
    ['an argument whose name is a number', { i: 1, m: 'get', a: new Map([[1, 1]]) }],
  ];
  for (const [what, value] of wrong) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => decodeRequest(decode(encode(value))), RpcFormatError);
    });
  }

  const large: [string, string][] = [
    ['an object of 20 MiB and a byte', '83a16907a16da3707574a16182a46461746193db01400001'],
    ['17 elements', 'dc0011'],
    ['33 names', 'de0021'],
    ['seven containers that hold each other', '91919191919191'],
    ['nine maps', '99808080808080808080'],
    ['201 values', `9e${`9f${'c0'.repeat(15)}`.repeat(13)}`],
  ];
  for (const [what, hex] of large) {
    it(`is refused before ${what} are stored`, () => {
      const unpacker = new Unpacker(REQUEST_LIMITS);
      unpacker.feed(fromHex(hex));
      assert.throws(() => [...unpacker], MsgpackError);
    });
  }

  it('may hold an object of 20 MiB', () => {
    const data = new Uint8Array(20 * 1024 * 1024);
    const bytes = encodeRequest({ id: 1, method: 'put', args: new Map([['data', data]]) });
    const unpacker = new Unpacker(REQUEST_LIMITS);
    for (let at = 0; at < bytes.length; at += 65536) {
      assert.equal(unpacker.next(), undefined);
      unpacker.feed(bytes.subarray(at, at + 65536));
    }
    assert.deepEqual(decodeRequest(unpacker.next()!).args, new Map([['data', data]]));
  });

  it('is refused where its parts together are longer', () => {
    const unpacker = new Unpacker(REQUEST_LIMITS);
    const half = encode(new Uint8Array(11 * 1024 * 1024));
    unpacker.feed(fromHex('92'));
    unpacker.feed(half);
    assert.equal(unpacker.next(), undefined);
    unpacker.feed(half);
    assert.throws(() => unpacker.next(), MsgpackError);
  });
});

describe('a response', () => {
  const exception = {
    className: 'ObjectNotFound',
    args: ['00', 'repo', 3, null],
    full: ['line 1', 'line 2'],
    short: ['it is gone'],
    trace: true,
    sysinfo: 'a machine',
  };

  for (const form of ['named', 'positional'] as const satisfies RpcForm[]) {
    it(`comes back from its bytes in the ${form} form`, () => {
      for (const result of [null, 0, false, new Uint8Array(40), [new Uint8Array(32)], 2n ** 63n]) {
        const bytes = encodeResponse(form, { id: 3, result });
        assert.deepEqual(decodeResponse(decode(bytes)), { id: 3, result });
      }
    });
  }

  it('with an error comes back whole, or as its class alone', () => {
    const named = decodeResponse(decode(encodeResponse('named', { id: 3, exception })));
    assert.deepEqual(named, { id: 3, exception });
    const { exception: old } = decodeResponse(decode(encodeResponse('positional', { id: 3, exception })));
    assert.deepEqual([old?.className, old?.args, old?.trace], ['ObjectNotFound', undefined, true]);
  });

  it('is refused where it is none', () => {
    const wrong: MsgpackValue[] = [
      7,
      [1, 2],
      { i: 1 },
      { r: 1 },
      { i: 1, exception_class: 7 },
      [1, 1, 7, ''],
    ];
    for (const value of wrong) assert.throws(() => decodeResponse(decode(encode(value))), RpcFormatError);
  });

  it('may list a hundred thousand ids', () => {
    const ids = Array.from({ length: 100_000 }, () => new Uint8Array(32));
    const unpacker = new Unpacker(RESPONSE_LIMITS);
    unpacker.feed(encodeResponse('named', { id: 1, result: ids }));
    assert.deepEqual(decodeResponse(unpacker.next()!), { id: 1, result: ids });
  });
});
