import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MsgpackError } from '../../src/msgpack/value.ts';
import {
  decodeLockName,
  decodeLockRoster,
  encodeLockName,
  encodeLockRoster,
} from '../../src/format/lock-roster.ts';
import { decodeNonce, encodeNonce } from '../../src/format/nonce.ts';
import {
  RepositoryIntegrityError,
  decodeRepositoryIntegrity,
  encodeRepositoryIntegrity,
} from '../../src/format/repository-integrity.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { fromUtf8, toHex } from '../../src/util/bytes.ts';

describe('the nonce file', () => {
  it('encodeNonce() gives 16 hex digits', () => {
    assert.equal(encodeNonce(0x1000001cn), '000000001000001c');
    assert.equal(encodeNonce(2n ** 64n - 1n), 'ffffffffffffffff');
    assert.throws(() => encodeNonce(2n ** 64n), RangeError);
    assert.throws(() => encodeNonce(-1n), RangeError);
  });

  it('decodeNonce() reads them, with white space around', () => {
    assert.equal(decodeNonce(' 000000001000001C\n'), 0x1000001cn);
  });

  for (const text of [
    '',
    '0',
    '000000001000001',
    '00000000100000010',
    '0x00000010000001',
    'zzzzzzzzzzzzzzzz',
  ]) {
    it(`decodeNonce() rejects ${JSON.stringify(text)}`, () => {
      assert.throws(() => decodeNonce(text), /invalid nonce file/);
    });
  }
});

describe("a lock's file name", () => {
  it('encodeLockName() and decodeLockName() agree, whatever the host is called', () => {
    for (const host of ['host.example.org@123456', 'a-b.c', 'x']) {
      const owner = { host, pid: 4711, thread: 0xabc };
      assert.equal(encodeLockName(owner), `${host}.4711-abc`);
      assert.deepEqual(decodeLockName(encodeLockName(owner)), owner);
    }
  });

  for (const name of ['', 'host', 'host.12', 'host-0', 'host.x-0', 'host.12-', 'host.12-g']) {
    it(`decodeLockName() does not know ${JSON.stringify(name)}`, () => {
      assert.equal(decodeLockName(name), undefined);
    });
  }
});

describe("a lock's roster", () => {
  const roster = {
    shared: [
      { host: 'hö@1', pid: 12, thread: 0 },
      { host: 'b', pid: 13, thread: 0 },
    ],
    exclusive: [],
  };

  it('encodeLockRoster() gives JSON as Python writes it', () => {
    const text = '{"shared": [["h\\u00f6@1", 12, 0], ["b", 13, 0]], "exclusive": []}';
    assert.equal(encodeLockRoster(roster), text);
  });

  it('decodeLockRoster() reads it, and one with a single key', () => {
    assert.deepEqual(decodeLockRoster(encodeLockRoster(roster)), roster);
    assert.deepEqual(decodeLockRoster('{"exclusive": [["b", 13, 0]]}'), {
      shared: [],
      exclusive: [{ host: 'b', pid: 13, thread: 0 }],
    });
  });

  for (const text of ['', '{', '[]', 'null', '{"shared": 1}', '{"shared": [1, ["a", "b", 0], ["a"]]}']) {
    it(`decodeLockRoster() takes ${JSON.stringify(text)} as empty`, () => {
      assert.deepEqual(decodeLockRoster(text), { shared: [], exclusive: [] });
    });
  }
});

describe('integrity.N', () => {
  it('encodeRepositoryIntegrity() gives the bytes that Borg packs', () => {
    const hex = '83a776657273696f6e02a568696e7473a2aabba5696e646578a0';
    const bytes = encodeRepositoryIntegrity({ hints: 'hi', index: '' });
    assert.equal(toHex(bytes), hex.replace('aabb', toHex(fromUtf8('hi'))));
  });

  it('decodeRepositoryIntegrity() reads them, and says when it does not know the version', () => {
    const integrity = { hints: '{"a": 1}', index: 'x'.repeat(98) };
    assert.deepEqual(decodeRepositoryIntegrity(encodeRepositoryIntegrity(integrity)), integrity);
    assert.deepEqual(decodeRepositoryIntegrity(encode({ version: 9 })), { unknownVersion: 9 });
  });

  it('decodeRepositoryIntegrity() rejects what is no such map', () => {
    assert.throws(() => decodeRepositoryIntegrity(encode([])), RepositoryIntegrityError);
    assert.throws(
      () => decodeRepositoryIntegrity(encode({ version: 2, hints: 'x' })),
      RepositoryIntegrityError,
    );
    assert.throws(() => decodeRepositoryIntegrity(new Uint8Array(0)), MsgpackError);
  });
});
