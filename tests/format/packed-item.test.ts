import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { type ChunkRef, decodeItem, encodeItem, type Item } from '../../src/format/item.ts';
import { MetadataError } from '../../src/format/metadata-fields.ts';
import { PackedItem } from '../../src/format/packed-item.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, fromUtf8, toHex } from '../../src/util/bytes.ts';
import { anyItem } from './any-item.ts';

function wrapped(bytes: Uint8Array): PackedItem {
  const packed = new PackedItem();
  packed.wrap(bytes);
  return packed;
}

test('PackedItem reads what decodeItem() reads, wherever the item begins', () => {
  fc.assert(
    fc.property(anyItem, fc.nat(5), (made: Item, before) => {
      const encoded = encodeItem(made);
      const packed = wrapped(concatBytes([new Uint8Array(before), encoded, encoded]));
      assert.equal(packed.read(before), before + encoded.length);
      assert.equal(packed.read(before + encoded.length), before + 2 * encoded.length);
      const wanted = decodeItem(decode(encoded));
      for (const key of ['mode', 'uid', 'gid', 'rdev', 'nlink', 'part', 'size'] as const) {
        assert.equal(packed.integer(key), wanted[key]);
      }
      assert.equal(packed.timeNs('atime'), wanted.atimeNs);
      assert.equal(packed.timeNs('ctime'), wanted.ctimeNs);
      assert.equal(packed.timeNs('mtime'), wanted.mtimeNs);
      assert.equal(packed.timeNs('birthtime'), wanted.birthtimeNs);
      assert.equal(packed.boolean('hardlink_master'), wanted.hardlinkMaster);
      assert.deepEqual(hexOf(packed.raw('path')), hexOf(wanted.path));
      assert.deepEqual(hexOf(packed.raw('user')), hexOf(wanted.user));
      assert.deepEqual(hexOf(packed.raw('source')), hexOf(wanted.source));
      assert.deepEqual(hexOf(packed.raw('acl_access')), hexOf(wanted.aclAccess));
      assert.equal(packed.has('chunks_healthy'), wanted.chunksHealthy !== undefined);
      const pairs = [...(wanted.xattrs ?? [])].map(([name, value]) => [name, hexOf(value) ?? '']);
      assert.deepEqual(
        [...packed.rawMap('xattrs')].map(([name, value]) => [name, hexOf(value)]),
        pairs,
      );
      assert.equal(packed.pairs('xattrs'), pairs.length);
      assert.deepEqual(tableOf(packed), wanted.chunks?.map(idAndSize));
      assert.equal(
        packed.chunksBytes(),
        (wanted.chunks ?? []).reduce((sum, one) => sum + one.size, 0),
      );
    }),
  );
});

test('PackedItem.read() says so where the bytes end within the item, wherever that is', () => {
  const encoded = encodeItem({
    path: fromUtf8('a/b'),
    mode: 0o100644,
    mtimeNs: 1_700_000_000_000_000_000n,
    chunks: [{ id: new Uint8Array(32), size: 70_000, csize: 300 }],
    xattrs: new Map([['user.x', new Uint8Array(300)]]),
    user: new Uint8Array(70_000),
  });
  for (let length = 0; length < encoded.length; length += length < 500 ? 1 : 997) {
    assert.equal(wrapped(encoded.slice(0, length)).read(0), -1);
  }
  assert.equal(wrapped(encoded).read(0), encoded.length);
});

test('PackedItem refuses what is no item', () => {
  const bad: Uint8Array[] = [
    Uint8Array.of(0x93, 1, 2, 3),
    encode(new Map()),
    Uint8Array.of(0x81, 0xa4, 0x70, 0x61, 0x74, 0x68, 0xc1),
    Uint8Array.of(0x81, 0xa4, 0x70, 0x61, 0x74, 0x68, 0xd4, 0, 0),
  ];
  for (const bytes of bad) assert.throws(() => wrapped(bytes).read(0), MetadataError, toHex(bytes));
});

test('PackedItem refuses values of another kind when they are asked for', () => {
  const path = fromUtf8('p');
  const with_ = (key: string, value: MsgpackValue): PackedItem => {
    const packed = wrapped(
      encode(
        new Map<string, MsgpackValue>([
          ['path', path],
          [key, value],
        ]),
      ),
    );
    assert.ok(packed.read(0) > 0);
    return packed;
  };
  const id = new Uint8Array(32);
  const rows: [string, MsgpackValue, (packed: PackedItem) => unknown][] = [
    ['mode', path, (packed) => packed.integer('mode')],
    ['mode', 2n ** 63n, (packed) => packed.integer('mode')],
    ['mtime', [], (packed) => packed.timeNs('mtime')],
    ['mtime', new Uint8Array(33), (packed) => packed.timeNs('mtime')],
    ['hardlink_master', 1, (packed) => packed.boolean('hardlink_master')],
    ['source', 1, (packed) => packed.raw('source')],
    ['xattrs', [], (packed) => packed.rawMap('xattrs')],
    ['xattrs', new Map([['a', 1]]), (packed) => packed.rawMap('xattrs')],
    ['xattrs', new Map([[1, path]]), (packed) => packed.rawMap('xattrs')],
    ['chunks', new Map(), (packed) => packed.chunks()],
    ['chunks', [1], (packed) => packed.chunks()],
    ['chunks', [[id, 1]], (packed) => packed.chunks()],
    ['chunks', [[path, 1, 1]], (packed) => packed.chunks()],
    ['chunks', [[id, -1, 1]], (packed) => packed.chunks()],
    ['chunks', [[id, id, 1]], (packed) => packed.chunksBytes()],
    ['chunks', [[1, 1, 1]], (packed) => packed.chunksBytes()],
  ];
  for (const [key, value, ask] of rows) assert.throws(() => ask(with_(key, value)), MetadataError, key);
  assert.equal(with_('chunks', null).chunks(), undefined);
});

function hexOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes === null || bytes === undefined ? undefined : toHex(bytes);
}

function idAndSize({ id, size: bytes }: ChunkRef): [string, number] {
  return [toHex(id), bytes];
}

function tableOf(packed: PackedItem): [string, number][] | undefined {
  const table = packed.chunks();
  if (table === undefined) return undefined;
  return Array.from(table.ends, (end, index): [string, number] => [
    toHex(table.ids.subarray(32 * index, 32 * index + 32)),
    end - (table.ends[index - 1] ?? 0),
  ]);
}

test('PackedItem throws a MetadataError, or nothing, whatever the bytes are', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(anyItem, flips, (made: Item, changes) => {
      const bytes = encodeItem(made);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      try {
        const packed = wrapped(bytes);
        const end = packed.read(0);
        if (end < 0) return;
        assert.ok(end <= bytes.length);
        for (const ask of ASKED) tolerate(() => ask(packed));
      } catch (error) {
        assert.ok(error instanceof MetadataError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

const ASKED: ((packed: PackedItem) => unknown)[] = [
  (packed) => packed.raw('path'),
  (packed) => packed.raw('source'),
  (packed) => packed.integer('mode'),
  (packed) => packed.timeNs('mtime'),
  (packed) => packed.boolean('hardlink_master'),
  (packed) => packed.rawMap('xattrs'),
  (packed) => packed.chunks(),
  (packed) => packed.chunksBytes(),
];

function tolerate(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
  }
}
