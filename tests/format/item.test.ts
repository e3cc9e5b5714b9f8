import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { decodeItem, encodeItem } from '../../src/format/item.ts';
import type { Item } from '../../src/format/item.ts';
import { MetadataError, decodeBigInteger, encodeBigInteger } from '../../src/format/metadata-fields.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackMap, MsgpackValue } from '../../src/msgpack/value.ts';
import { fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';

const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

const FULL: Item = {
  path: fromHex('6469722fffc3bc'),
  mode: 0o100644,
  uid: 1000,
  gid: 100,
  user: fromUtf8('root'),
  group: null,
  atimeNs: 1700000000123456789n,
  ctimeNs: -1n,
  mtimeNs: 2n ** 63n,
  birthtimeNs: 0n,
  size: 30,
  chunks: [
    { id: id(1), size: 10, csize: 20 },
    { id: id(2), size: 20, csize: 33 },
  ],
  chunksHealthy: [{ id: id(3), size: 10, csize: 20 }],
  hardlinkMaster: true,
  source: fromUtf8('other'),
  xattrs: new Map([
    ['user.b', fromUtf8('x')],
    ['user.a', new Uint8Array(0)],
    ['security.\xff', null],
  ]),
  aclAccess: fromUtf8('A'),
  aclDefault: fromUtf8('D'),
  aclExtended: fromUtf8('E'),
  aclNfs4: fromUtf8('N'),
  bsdflags: 64,
  rdev: 2049,
  part: 3,
};
// The same items, packed by Borg 1.4.5 (item.pyx Item, helpers/msgpack.py packb).
const FULL_HEX =
  'de0017aa61636c5f616363657373a141ab61636c5f64656661756c74a144ac61636c5f657874656e646564a145a86163' +
  '6c5f6e667334a14ea56174696d65cf17979cfe3d85cd15a9626972746874696d6500a8627364666c61677340a6636875' +
  '6e6b739293da002001010101010101010101010101010101010101010101010101010101010101010a1493da00200202' +
  '0202020202020202020202020202020202020202020202020202020202021421ae6368756e6b735f6865616c74687991' +
  '93da002003030303030303030303030303030303030303030303030303030303030303030a14a56374696d65ffa36769' +
  '6464a567726f7570c0af686172646c696e6b5f6d6173746572c3a46d6f6465cd81a4a56d74696d65a900000000000000' +
  '8000a47061727403a470617468a76469722fffc3bca472646576cd0801a473697a651ea6736f75726365a56f74686572' +
  'a3756964cd03e8a475736572a4726f6f74a678617474727383aa73656375726974792effc0a6757365722e61a0a67573' +
  '65722e62a178';
const SMALL_HEX = '82a56d74696d6505a470617468a161';

test('encodeItem() writes what the reference writes', () => {
  assert.equal(toHex(encodeItem(FULL)), FULL_HEX);
  assert.equal(toHex(encodeItem({ path: fromUtf8('a'), mtimeNs: 5n })), SMALL_HEX);
});

test('decodeItem() reads what the reference wrote', () => {
  assert.deepEqual(decodeItem(decode(fromHex(FULL_HEX))), FULL);
  assert.deepEqual(decodeItem(decode(fromHex(SMALL_HEX))), { path: fromUtf8('a'), mtimeNs: 5n });
});

test('decodeItem() keeps unknown keys, encodeItem() writes them back in order', () => {
  const packed = encode({ aaa: 1, mtime: 5, path: 'a', zzz: [true] });
  const item = decodeItem(decode(packed));
  assert.deepEqual(
    item.unknown,
    new Map<string, MsgpackValue>([
      ['aaa', 1],
      ['zzz', [true]],
    ]),
  );
  assert.equal(toHex(encodeItem(item)), toHex(packed));
});

test('decodeItem() takes a null chunk list for none', () => {
  assert.equal('chunks' in decodeItem(decode(encode({ chunks: null, path: 'a' }))), false);
});

test('decodeItem() rejects wrong types', () => {
  const cases: [string, MsgpackValue][] = [
    ['no map', [1]],
    ['no path', new Map()],
    ['a path that is no raw', { path: 1 }],
    ['a user that is an int', { path: 'a', user: 0 }],
    ['a mode that is raw', { path: 'a', mode: 'x' }],
    ['a uid beyond 2^53', { path: 'a', uid: 2n ** 60n }],
    ['a time that is a list', { path: 'a', mtime: [] }],
    ['a time that is a fraction', { path: 'a', mtime: 1.5 }],
    ['a time of 40 bytes', { path: 'a', mtime: new Uint8Array(40) }],
    ['chunks that are a map', { path: 'a', chunks: {} }],
    ['a chunk of two values', { path: 'a', chunks: [[id(1), 1]] }],
    ['a chunk with a short id', { path: 'a', chunks: [['x', 1, 1]] }],
    ['a chunk with a negative size', { path: 'a', chunks: [[id(1), -1, 1]] }],
    ['a chunk with a negative csize', { path: 'a', chunks: [[id(1), 1, -1]] }],
    ['hardlink_master 1', { path: 'a', hardlink_master: 1 }],
    ['xattrs that are a list', { path: 'a', xattrs: [] }],
    ['xattrs with int names', { path: 'a', xattrs: new Map([[1, 'x']]) }],
    ['xattrs with int values', { path: 'a', xattrs: { x: 1 } }],
  ];
  for (const [name, value] of cases) {
    assert.throws(() => decodeItem(decode(encode(value))), MetadataError, name);
  }
});

test('encodeBigInteger() has the forms of the reference', () => {
  const cases: [bigint, string | bigint][] = [
    [2n ** 62n, 2n ** 62n],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [2n ** 63n, '000000000000008000'],
    [2n ** 64n, '000000000000000001'],
    [-(2n ** 63n) + 1n, -(2n ** 63n) + 1n],
    [-(2n ** 63n), '0000000000000080ff'],
    [-(2n ** 63n) - 1n, 'ffffffffffffff7fff'],
    [2n ** 100n, '00000000000000000000000010'],
  ];
  for (const [value, expected] of cases) {
    const encoded = encodeBigInteger(value);
    assert.equal(typeof encoded === 'bigint' ? encoded : toHex(encoded), expected);
  }
});

test('decodeBigInteger() gives back what encodeBigInteger() was given', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
      assert.equal(decodeBigInteger(decode(encode(encodeBigInteger(value))), 'mtime'), value);
    }),
  );
  assert.equal(decodeBigInteger(new Uint8Array(0), 'mtime'), 0n);
});

test('encodeItem() writes keys in byte order', () => {
  const keys = [...(decode(encodeItem({ ...FULL, nlink: 2 })) as MsgpackMap).keys()];
  assert.deepEqual(
    keys,
    (keys as string[]).toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

test('encodeItem() packs items that end anywhere in the memory that it begins with', () => {
  // What is larger than it keeps makes it begin again with 4 KiB.
  const large = new Uint8Array(2 ** 20 + 1);
  for (let length = 3900; length < 4100; length++) {
    encode(large);
    const item: Item = { path: new Uint8Array(length), mtimeNs: 5n, size: 7, uid: 1000, user: null };
    const packed = encodeItem(item);
    assert.equal(toHex(packed.subarray(-20)), toHex(encodeItem(item).subarray(-20)), `${length} bytes`);
    assert.deepEqual(decodeItem(decode(packed)).uid, 1000);
  }
});
