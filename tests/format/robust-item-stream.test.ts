import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtherValue } from '../../src/format/item-unpacker.ts';
import { type Item, ITEM_KEYS, decodeItem, encodeItem } from '../../src/format/item.ts';
import {
  RobustItemStream,
  itemProblem,
  looksLikeMap,
  packKeys,
} from '../../src/format/robust-item-stream.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { MsgpackError } from '../../src/msgpack/value.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, fromHex, fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';

function packedItem(name: string): Uint8Array {
  return encodeItem({ path: fromUtf8(name), mode: 0o100644, mtimeNs: 1n, user: null, chunks: [] });
}

function pathOf(next: Item | OtherValue): string {
  return toUtf8Lossy((next instanceof OtherValue ? decodeItem(next.value) : next).path);
}

function paths(stream: RobustItemStream): string[] {
  const found: string[] = [];
  for (let value = stream.next(); value !== undefined; value = stream.next()) {
    found.push(pathOf(value));
  }
  return found;
}

test('RobustItemStream reads an undamaged stream', () => {
  const stream = new RobustItemStream();
  const bytes = concatBytes(['a', 'b', 'c'].map(packedItem));
  stream.feed(bytes.subarray(0, 50));
  const first = paths(stream);
  stream.feed(bytes.subarray(50));
  assert.deepEqual([...first, ...paths(stream)], ['a', 'b', 'c']);
});

test('RobustItemStream leaves to itemProblem() what has not the keys of an item', () => {
  const item = { path: fromUtf8('a'), mtimeNs: 1n, mode: 0o40755 };
  for (const [keys, packed, problem] of [
    [ITEM_KEYS, { path: fromUtf8('a'), mode: 0 }, 'missing required keys: mtime'],
    [ITEM_KEYS, { ...item, nlink: 2 }, 'invalid keys: nlink'],
    [[...ITEM_KEYS, 'nlink'], { ...item, nlink: 2 }, undefined],
    [ITEM_KEYS, item, undefined],
  ] as const) {
    const stream = new RobustItemStream(keys);
    stream.feed(encodeItem(packed));
    const next = stream.next();
    if (problem === undefined) assert.ok(next !== undefined && !(next instanceof OtherValue));
    else assert.equal(itemProblem((next as OtherValue).value, new Set(keys)), problem);
  }
});

test('RobustItemStream finds the next item wherever the stream was cut', () => {
  const lost = packedItem('lost');
  const following = concatBytes(['x', 'y'].map(packedItem));
  for (let cut = 1; cut < lost.length; cut++) {
    const stream = new RobustItemStream();
    stream.feed(concatBytes([packedItem('a'), lost.subarray(0, 5)]));
    assert.deepEqual(paths(stream), ['a']);
    stream.resync();
    stream.feed(lost.subarray(cut));
    assert.deepEqual(paths(stream), [], `cut at ${cut}`);
    stream.feed(following.subarray(0, 10));
    stream.feed(following.subarray(10));
    assert.deepEqual(paths(stream), ['x', 'y'], `cut at ${cut}`);
  }
});

test('RobustItemStream goes on after damage when told to', () => {
  const stream = new RobustItemStream();
  stream.feed(concatBytes([packedItem('a'), fromHex('c1c1')]));
  assert.equal(pathOf(stream.next()!), 'a');
  assert.throws(() => stream.next(), MsgpackError);
  stream.resync();
  stream.feed(packedItem('b'));
  assert.deepEqual(paths(stream), ['b']);
});

test('looksLikeMap() wants a known key first', () => {
  const keys = packKeys(ITEM_KEYS);
  assert.ok(looksLikeMap(packedItem('a'), keys));
  assert.ok(looksLikeMap(concatBytes([fromHex('de0011'), encode('chunks')]), keys));
  for (const value of [[], {}, { later: 1 }, 'mode']) assert.ok(!looksLikeMap(encode(value), keys));
  assert.ok(!looksLikeMap(new Uint8Array(0), keys));
  assert.ok(!looksLikeMap(encode({ mode: 1 }).subarray(0, 3), keys));
});

test('itemProblem() says what is wrong', () => {
  const known = new Set(ITEM_KEYS);
  const cases: [MsgpackValue, string | undefined][] = [
    [{ path: 'a', mtime: 1 }, undefined],
    [{ acl: 1, path: 'a', mtime: 1 }, undefined],
    [[], 'not a dictionary'],
    [{ mtime: 1 }, 'missing required keys: path'],
    [{}, 'missing required keys: mtime, path'],
    [{ path: 'a', mtime: 1, what: 1 }, 'invalid keys: what'],
  ];
  for (const [value, problem] of cases) assert.equal(itemProblem(decode(encode(value)), known), problem);
});

test('RobustItemStream passes over half a megabyte of beginnings of items in seconds', () => {
  const stream = new RobustItemStream();
  stream.resync();
  stream.feed(fromHex('81a470617468'.repeat(85_000)));
  const started = performance.now();
  assert.equal(stream.next(), undefined);
  const elapsedMs = performance.now() - started;
  assert.ok(elapsedMs < 10_000, `${elapsedMs} ms`);
});

test('RobustItemStream takes no end of an item for an item', () => {
  // The time's last byte says "a map of 8 entries", and there are 8 behind it; or of 5, and then more of the item.
  for (const [last, mode] of [
    [0x88n, 0o100644],
    [0x85n, 0o100644],
    [0x85n, 0o40755],
  ] as const) {
    const stream = new RobustItemStream();
    stream.resync();
    const lost = encodeItem({
      path: fromUtf8('lost'),
      mode,
      ctimeNs: 0x1122334455667700n + last,
      mtimeNs: 1n,
      chunks: [],
      gid: 0,
      group: fromUtf8('root'),
      size: 0,
      uid: 0,
      user: fromUtf8('root'),
    });
    stream.feed(concatBytes([lost.subarray(10), packedItem('found')]));
    assert.deepEqual(paths(stream), ['found']);
  }
});
