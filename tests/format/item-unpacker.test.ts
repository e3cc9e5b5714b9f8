import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { ItemReader } from '../../src/format/item-reader.ts';
import { ItemUnpacker } from '../../src/format/item-unpacker.ts';
import { decodeItem, encodeItem, type Item } from '../../src/format/item.ts';
import { MetadataError } from '../../src/format/metadata-fields.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { OBJECT_LIMITS, Unpacker } from '../../src/msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, fromUtf8 } from '../../src/util/bytes.ts';
import { anyItem, oddItem } from './any-item.ts';

interface ItemSource {
  readonly idle: boolean;
  feed(bytes: Uint8Array): void;
  next(): Item | undefined;
}

/** The way by generic values. */
class GenericUnpacker implements ItemSource {
  readonly #unpacker = new Unpacker(OBJECT_LIMITS);

  get idle(): boolean {
    return this.#unpacker.idle;
  }

  feed(bytes: Uint8Array): void {
    this.#unpacker.feed(bytes);
  }

  next(): Item | undefined {
    const value = this.#unpacker.next();
    return value === undefined ? undefined : decodeItem(value);
  }
}

/** Items, errors by their texts, and whether the stream ends between two items; each piece is overwritten behind it. */
function unpackAll(source: ItemSource, pieces: readonly Uint8Array[]): unknown[] {
  const found: unknown[] = [];
  for (const piece of pieces) {
    const fed = piece.slice();
    source.feed(fed);
    for (;;) {
      try {
        const item = source.next();
        if (item === undefined) break;
        found.push(item);
      } catch (error) {
        found.push(String(error));
        if (error instanceof MsgpackError) return found;
        if (!(error instanceof MetadataError)) throw error;
      }
    }
    found.push(source.idle);
    fed.fill(0xc1);
  }
  return found;
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const places = fc.array(fc.nat(), { maxLength: 6 });
const packed = fc.oneof(anyItem.map(encodeItem), oddItem);

test('ItemUnpacker gives the items and errors that generic values give, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(packed, { maxLength: 6 }), places, (items, at) => {
      const pieces = cut(concatBytes(items), at);
      assert.deepEqual(unpackAll(new ItemUnpacker(), pieces), unpackAll(new GenericUnpacker(), pieces));
    }),
    { numRuns: 400 },
  );
});

test('ItemUnpacker gives the items and errors that generic values give, whatever the bytes are', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(packed, { minLength: 1, maxLength: 3 }), places, changes, (items, at, changed) => {
      const bytes = concatBytes(items);
      for (const [place, value] of changed) bytes[place % bytes.length] = value;
      const pieces = cut(bytes, at);
      assert.deepEqual(unpackAll(new ItemUnpacker(), pieces), unpackAll(new GenericUnpacker(), pieces));
    }),
    { numRuns: 400 },
  );
});

test('ItemUnpacker takes pieces before it was asked for what is in those before', () => {
  fc.assert(
    fc.property(fc.array(packed, { maxLength: 4 }), places, (items, at) => {
      const [quick, generic] = [new ItemUnpacker(), new GenericUnpacker()];
      for (const piece of cut(concatBytes(items), at)) {
        quick.feed(piece);
        generic.feed(piece);
      }
      assert.deepEqual(unpackAll(quick, []), unpackAll(generic, []));
      assert.deepEqual(unpackAll(quick, [encode(1)]), unpackAll(generic, [encode(1)]));
    }),
    { numRuns: 200 },
  );
});

test('ItemUnpacker refuses more than an object may have', () => {
  const long = new Uint8Array(OBJECT_LIMITS.maxBufferBytes + 1);
  assert.throws(() => new ItemUnpacker().feed(long), MsgpackError);
  const unpacker = new ItemUnpacker();
  unpacker.feed(Uint8Array.of(0x81, 0xa4, 0x70, 0x61, 0x74, 0x68, 0xdb, 0x7f, 0xff, 0xff, 0xff));
  assert.throws(() => unpacker.next(), MsgpackError);
});

const USUAL: Item = {
  path: fromUtf8('a/path'.repeat(20)),
  mode: 0o100644,
  uid: 1000,
  gid: 70_000,
  user: fromUtf8('anna'),
  group: null,
  mtimeNs: 1_700_000_000_000_000_000n,
  atimeNs: -5_000_000_000n,
  size: 3_000_000_000,
  chunks: [{ id: new Uint8Array(32).fill(7), size: 70_000, csize: 300 }],
  xattrs: new Map([['user.x', new Uint8Array(300)]]),
};

test('ItemReader.read() reads the usual item itself, and nothing that ends within one', () => {
  const bytes = encodeItem(USUAL);
  const reader = new ItemReader();
  reader.wrap(concatBytes([bytes, bytes]));
  assert.deepEqual(reader.read(0), USUAL);
  assert.equal(reader.end, bytes.length);
  assert.deepEqual(reader.read(bytes.length), USUAL);
  for (let length = 0; length < bytes.length; length++) {
    reader.wrap(bytes.subarray(0, length));
    assert.equal(reader.read(0), undefined);
  }
});

test('ItemReader.read() reads most items itself', () => {
  let known = 0;
  const count = 300;
  fc.assert(
    fc.property(anyItem, (item) => {
      const bytes = encodeItem(item);
      const reader = new ItemReader();
      reader.wrap(bytes);
      const read = reader.read(0);
      if (read === undefined) return;
      known++;
      assert.deepEqual(read, decodeItem(decode(bytes)));
    }),
    { numRuns: count },
  );
  // Those with negative integers are left to others.
  assert.ok(known > count / 2, `${known}`);
});

const ID = new Uint8Array(32);
/** Fields of an item, one behind the other, that are refused, or taken though they are not usual. */
const ODD_FIELDS: Readonly<Record<string, readonly [string, MsgpackValue][]>> = {
  'no field': [],
  'no path': [['mode', 1]],
  'a path that is null': [['path', null]],
  'a key that comes twice': [
    ['path', ID],
    ['source', ID],
    ['source', null],
  ],
  'chunks that come twice': [
    ['path', ID],
    ['chunks', [[ID, 1, 1]]],
    ['chunks', null],
  ],
  'an id that is too short': field('chunks', [[ID.subarray(1), 1, 1]]),
  'a chunk without csize': field('chunks', [[ID, 1]]),
  'a chunk with more': field('chunks', [[ID, 1, 1, 1]]),
  'a negative size': field('chunks', [[ID, -1, 1]]),
  'a negative csize': field('chunks', [[ID, 1, -1]]),
  'a huge size': field('chunks', [[ID, 2n ** 53n, 1]]),
  'chunks in a map': field('chunks', new Map()),
  'chunks before repair that are null': field('chunks_healthy', null),
  'a huge mode': field('mode', 2n ** 53n),
  'a negative mode': field('mode', -1),
  'a raw mode': field('mode', ID),
  'a time of 32 bytes': field('mtime', ID),
  'a time of 33 bytes': field('mtime', new Uint8Array(33)),
  'a time of no bytes': field('mtime', new Uint8Array(0)),
  'a small time': field('mtime', 7),
  'a negative time': field('mtime', -7),
  'a time that is null': field('mtime', null),
  'a boolean that is null': field('hardlink_master', null),
  'a boolean that is a number': field('hardlink_master', 1),
  'a user that is a number': field('user', 1),
  'a group that is a boolean': field('group', false),
  'a source that is null': field('source', null),
  'xattrs that are null': field('xattrs', null),
  'an xattr that is null': field('xattrs', new Map([['a', null]])),
  'an xattr that is a number': field('xattrs', new Map([['a', 1]])),
  'an xattr by number': field('xattrs', new Map([[1, ID]])),
  'an xattr of many bytes': field('xattrs', new Map([['a', new Uint8Array(70_000)]])),
  'an unknown key': field('nope', [1]),
};

function field(key: string, value: MsgpackValue): readonly [string, MsgpackValue][] {
  return [
    [key, value],
    ['path', ID],
  ];
}

for (const [name, fields] of Object.entries(ODD_FIELDS)) {
  test(`ItemUnpacker does with ${name} what is done by way of generic values`, () => {
    const packedFields = fields.flatMap(([key, value]) => [encode(fromUtf8(key)), encode(value)]);
    const bytes = concatBytes([Uint8Array.of(0x80 | fields.length), ...packedFields, encodeItem(USUAL)]);
    assert.deepEqual(unpackAll(new ItemUnpacker(), [bytes]), unpackAll(new GenericUnpacker(), [bytes]));
  });
}

test('items keep what they have, though the bytes were those of a Buffer and are used again', () => {
  const item: Item = {
    path: fromUtf8('p'.repeat(3000)),
    mtimeNs: 1n,
    source: fromUtf8('s'.repeat(100)),
    user: fromUtf8('u'.repeat(2000)),
    xattrs: new Map([['user.x', fromUtf8('x'.repeat(1025))]]),
  };
  const bytes = Buffer.from(encodeItem(item));
  const unpacker = new ItemUnpacker();
  unpacker.feed(bytes);
  const found = unpacker.next();
  bytes.fill(0);
  assert.deepEqual(found, item);
});
