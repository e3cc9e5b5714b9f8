import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { decodeIndexFile, encodeIndexFile } from '../../src/format/index-file.ts';
import { concatBytes, fromHex, toHex } from '../../src/util/bytes.ts';
import { HashIndex, MAX_VALUE, capacityFor } from '../../src/util/hash-index.ts';
import { probe } from '../../src/util/hash-probe.ts';

function id(number: number): Uint8Array {
  return createHash('sha256').update(String(number)).digest();
}

function fileOf(index: HashIndex): Uint8Array {
  return concatBytes(encodeIndexFile(index).map((part) => part.bytes));
}

function assertFile(index: HashIndex, name: string, size: number, fileBytes: number, sha256: string): void {
  const file = fileOf(index);
  assert.equal(index.size, size, name);
  assert.equal(file.length, fileBytes, name);
  assert.equal(createHash('sha256').update(file).digest('hex'), sha256, name);
}

// Each step and each digest below was made by the same calls of Borg 1.4.5's hashindex.NSIndex and ChunkIndex.
test('HashIndex has the same bytes as the reference through growing, deleting, lookups and rebuilding', () => {
  const index = new HashIndex({ valueWords: 2 });
  assertFile(index, 'empty ns', 0, 41258, '20de5b5bef84f9636d1039ecebdb23608ef69980e9a7af2f18b8f327aa1aa469');
  for (let i = 0; i < 700; i++) index.set(id(i), i, 2 * i);
  assertFile(index, '700', 700, 41258, 'c49b375ebd6ea1adcbb9c63ac29e018b7affbd969649d276d1a29927d761749a');
  for (let i = 0; i < 700; i += 3) index.delete(id(i));
  assertFile(
    index,
    'every third deleted',
    466,
    41258,
    '0eb974d0b73a1d321ffc7ddc58d75cacbdf7b2db181bb22dce0fdf4aeff095c8',
  );
  for (let i = 699; i > 0; i -= 7) index.find(id(i));
  assertFile(
    index,
    'looked up',
    466,
    41258,
    '3d0a82d6602f1095062a4871f1364c61eee2a20d2d7437c6734b1f811b80b286',
  );
  for (let i = 1000; i < 1400; i++) index.set(id(i), 1, 2);
  assertFile(
    index,
    '400 more',
    866,
    82138,
    '7ffa3add9c937dde26c4fd333bbf4214866cb61c6cff559329e766dac866b9b4',
  );
  for (let i = 2000; i < 9000; i++) index.set(id(i), i, 7);
  assertFile(
    index,
    'grown',
    7866,
    656458,
    '54e0e03e73a11ece3edaa93d45043c58d73e899954a0e53ca3d3d1da7118e653',
  );
  for (let i = 2000; i < 8800; i++) index.delete(id(i));
  assertFile(
    index,
    'shrunk',
    1066,
    163978,
    '8b80c489b7b703c5d0cf0f6decd4d2a7a7d95e3af8de683ef26bb01bface58d7',
  );
  for (let i = 20000; i < 26000; i++) {
    index.set(id(i), i, 1);
    if (i >= 20300) index.delete(id(i - 300));
  }
  assertFile(
    index,
    'churned',
    1366,
    163978,
    '6a747a6d87da2d2aaa69946ac4b4ce7af1adc99725bc20deda308add78509207',
  );
  const roomy = new HashIndex({ valueWords: 2, capacity: capacityFor(5000) });
  assertFile(
    roomy,
    'usable 5000',
    0,
    328378,
    'd0eace47eb5aa06b2c92a1c41c9cbc0a37d2afd2f68e4774ea14f65ada620df1',
  );
});

test('HashIndex compacts and reads compact tables as the reference does', () => {
  const index = new HashIndex({ valueWords: 3 });
  for (let i = 0; i < 3000; i++) index.set(id(i), i < 500 ? 2 : 1, i, i >> 1);
  for (let i = 0; i < 3000; i += 2) index.delete(id(i));
  assertFile(
    index,
    'chunk',
    1500,
    180374,
    'c2bbb3e2da209d4a493ba5e44fa0a98d3cf033b74e2a3f770ee4c45b741e9bdf',
  );
  index.compact();
  assertFile(
    index,
    'compacted',
    1500,
    66018,
    '7b59ffa6a5b04155144f58346f27c54496166dd5d5de0d2f1dd04c1d2761b0e6',
  );
  const compact = decodeIndexFile(fileOf(index), { valueWords: 3, compact: true });
  for (let i = 4000; i < 4010; i++) compact.set(id(i), 1, 1, 1);
  assertFile(
    compact,
    'compact grown',
    1510,
    180374,
    '84ca334cf7e387c0eb86192c67913e09109eedde2ae50f3ac5e16eded84755a7',
  );
  const usual = decodeIndexFile(fileOf(index), { valueWords: 3 });
  assertFile(
    usual,
    'compact read as usual',
    1500,
    90350,
    '385976818d15ed7e777c7e1290d90d093f5a65d00d9f889c10c3dfd4993464dc',
  );
  const empty = new HashIndex({ valueWords: 3 });
  empty.compact();
  assertFile(
    empty,
    'empty compacted',
    0,
    62,
    '1b79dec7f6c870317c822a4d668544e752e1cfc415dee15e5a16d95aca200474',
  );
  empty.set(id(1), 1, 2, 3);
  assertFile(
    empty,
    'empty compacted then set',
    1,
    45382,
    'ffd795005288ae13e92648046b10a0e398e3689f5121e7511171f5f421180d0a',
  );
  const full = new HashIndex({ valueWords: 3 });
  for (let i = 0; i < 1031; i++) full.set(id(i), 1, 2, 3);
  full.compact();
  const read = decodeIndexFile(fileOf(full), { valueWords: 3 });
  assertFile(
    read,
    '1031 compact read as usual',
    1031,
    90350,
    '2e2133e61a15ac450a17b91ab6d6c2cce113df56e8d034c1339003eb70a2df1b',
  );
});

test('HashIndex behaves as a Map does', () => {
  const key = fc.integer({ min: 0, max: 60 });
  const operation = fc.tuple(fc.constantFrom('set', 'delete', 'find', 'reload'), key);
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      let index = new HashIndex({ valueWords: 2 });
      const model = new Map<string, number>();
      operations.forEach(([kind, number], turn) => {
        const at = id(number % 40);
        if (number % 3 === 0) at.fill(0, 0, 4); // Collisions.
        const name = toHex(at);
        if (kind === 'set') {
          index.set(at, turn, 1);
          model.set(name, turn);
        } else if (kind === 'delete') assert.equal(index.delete(at), model.delete(name));
        else if (kind === 'reload') index = decodeIndexFile(fileOf(index), { valueWords: 2 });
        else {
          assert.equal(probe(index.buckets, index.bucketCount, 2, at), model.has(name));
          assert.equal(index.peek(at) >= 0, model.has(name));
          const bucket = index.find(at);
          assert.equal(bucket < 0 ? undefined : index.valueAt(bucket, 0), model.get(name));
        }
      });
      const entries = [...index.entries()].map(([entryKey, bucket]) => [
        toHex(entryKey),
        index.valueAt(bucket, 0),
      ]);
      assert.deepEqual(new Map(entries as [string, number][]), model);
      assert.equal(index.size, model.size);
    }),
  );
});

test('HashIndex.find() works with unaligned keys and shared buckets', () => {
  const index = new HashIndex({ valueWords: 3, shared: true });
  for (let i = 0; i < 100; i++) index.set(id(i), 1, i, 2 * i);
  assert.ok(index.buckets.buffer instanceof SharedArrayBuffer);
  const unaligned = new Uint8Array(40);
  unaligned.set(id(7), 3);
  const bucket = index.find(unaligned.subarray(3, 35));
  assert.deepEqual([index.valueAt(bucket, 1), index.valueAt(bucket, 2)], [7, 14]);
  index.setValueAt(bucket, 0, MAX_VALUE);
  assert.equal(index.valueAt(index.find(id(7)), 0), MAX_VALUE);
  assert.equal(index.find(id(100)), -1);
  assert.deepEqual(index.keyAt(bucket), new Uint8Array(id(7)));
});

test('HashIndex.generation changes when the buckets move', () => {
  const index = new HashIndex({ valueWords: 2 });
  const { generation, buckets } = index;
  for (let i = 0; i < 774; i++) index.set(id(i), i, 0);
  assert.equal(index.generation, generation);
  assert.equal(index.buckets.buffer, buckets.buffer);
  index.set(id(774), 1, 1);
  assert.notEqual(index.generation, generation);
  assert.notEqual(index.buckets.buffer, buckets.buffer);
});

test('HashIndex.keys() starts after the given key', () => {
  const index = new HashIndex({ valueWords: 2 });
  for (let i = 0; i < 50; i++) index.set(id(i), i, 0);
  const all = [...index.keys()].map(toHex);
  assert.equal(new Set(all).size, 50);
  assert.deepEqual([...index.keys(fromHex(all[19]!))].map(toHex), all.slice(20));
  assert.deepEqual([...index.keys(fromHex(all[49]!))], []);
  assert.throws(() => [...index.keys(id(1000))], RangeError);
});

test('HashIndex.addKeysOf() adds the keys of another table in its order, and leaves those that are there', () => {
  const other = new HashIndex({ valueWords: 2 });
  for (let i = 0; i < 2000; i++) other.set(id(i), i, 2 * i);
  for (let i = 0; i < 2000; i += 3) other.delete(id(i));
  const index = new HashIndex({ valueWords: 3 });
  const expected = new HashIndex({ valueWords: 3 });
  for (const table of [index, expected]) table.set(id(1), 7, 8, 9);
  index.addKeysOf(other, 4, 5, 6);
  for (const key of other.keys()) if (!expected.has(key)) expected.set(key, 4, 5, 6);
  assert.deepEqual(fileOf(index), fileOf(expected));
  assert.equal(index.valueAt(index.find(id(1)), 0), 7);
  assert.equal(index.valueAt(index.find(id(1999)), 2), 6);
  assert.throws(() => index.addKeysOf(other, 1), RangeError);
  assert.throws(() => index.addKeysOf(other, MAX_VALUE + 1, 0, 0), RangeError);
});

test('HashIndex.findKeyOf() finds a key by its bucket in another table', () => {
  const one = new HashIndex({ valueWords: 2 });
  const other = new HashIndex({ valueWords: 3, capacity: 5000 });
  for (let i = 0; i < 50; i++) one.set(id(i), i, 0);
  for (let i = 25; i < 75; i++) other.set(id(i), 1, i, 0);
  assert.equal([...one.usedBuckets()].length, 50);
  for (const bucket of one.usedBuckets()) {
    const found = other.findKeyOf(one, bucket);
    const number = one.valueAt(bucket, 0);
    assert.equal(found < 0 ? undefined : other.valueAt(found, 1), number < 25 ? undefined : number);
  }
});

test('HashIndex.peekKeyOf() finds a key behind deleted ones, and moves nothing; a copy moves on its own', () => {
  const index = new HashIndex({ valueWords: 2 });
  for (let i = 0; i < 700; i++) index.set(id(i), i, 2 * i);
  assert.equal(index.hasDeleted, false);
  for (let i = 0; i < 700; i += 3) index.delete(id(i));
  assert.equal(index.hasDeleted, true);
  const before = fileOf(index);
  const copy = index.copy();
  for (const bucket of index.usedBuckets()) {
    const found = index.peekKeyOf(copy, bucket);
    assert.deepEqual([index.valueAt(found, 0), found], [copy.valueAt(bucket, 0), bucket]);
  }
  const gone = new HashIndex({ valueWords: 2 });
  gone.set(id(0), 1, 1);
  assert.equal(index.peekKeyOf(gone, gone.find(id(0))), -1);
  assert.deepEqual(fileOf(index), before);
  assert.deepEqual(fileOf(copy), before);
  for (let i = 699; i > 0; i -= 7) copy.find(id(i));
  assert.notDeepEqual(fileOf(copy), before);
  assert.deepEqual(fileOf(index), before);
  for (let i = 699; i > 0; i -= 7) index.find(id(i));
  assert.deepEqual(fileOf(copy), fileOf(index));
});

test('HashIndex refuses keys that are not 32 bytes', () => {
  const index = new HashIndex({ valueWords: 2 });
  assert.throws(() => index.find(new Uint8Array(31)), RangeError);
  assert.throws(() => index.set(new Uint8Array(64), 1, 2), RangeError);
});

test('HashIndex refuses reserved values and a wrong number of values', () => {
  const index = new HashIndex({ valueWords: 2 });
  assert.throws(() => index.set(id(1), MAX_VALUE + 1, 0), RangeError);
  assert.throws(() => index.set(id(1), 1), RangeError);
  index.set(id(1), 1, 0xffffffff);
  assert.throws(() => index.setValueAt(index.find(id(1)), 0, 0xfffffffe), RangeError);
});

test('HashIndex.clear() empties the table', () => {
  const index = new HashIndex({ valueWords: 2 });
  for (let i = 0; i < 2000; i++) index.set(id(i), i, 0);
  index.clear();
  assert.deepEqual([index.size, index.bucketCount, index.find(id(1))], [0, 1031, -1]);
});

const MANY = 240_000;

/** Keys as good as hashes, in no time. */
function scattered(number: number): Uint8Array {
  const words = new Uint32Array(8);
  for (let i = 0; i < 8; i++) words[i] = Math.imul(number * 8 + i + 1, 0x9e3779b1);
  return new Uint8Array(words.buffer);
}

test('HashIndex keeps a large shared table in one buffer while it grows, shrinks and is rebuilt', () => {
  const index = new HashIndex({ valueWords: 2, shared: true, capacity: capacityFor(210_000) });
  const { generation, buckets } = index;
  assert.ok(buckets.buffer instanceof SharedArrayBuffer);
  for (let i = 0; i < MANY; i++) index.set(scattered(i), i, 7);
  assert.notEqual(index.generation, generation);
  const grown = index.bucketCount;
  for (let i = 0; i < MANY; i++) if (i % 3 > 0) index.delete(scattered(i));
  assert.ok(index.bucketCount < grown);
  for (let i = MANY; i < MANY + 40_000; i++) index.set(scattered(i), i, 7);
  assert.ok(index.buckets.buffer === buckets.buffer);
  assert.equal(index.size, MANY / 3 + 40_000);
  const read = decodeIndexFile(fileOf(index), { valueWords: 2 });
  for (let i = 0; i < MANY + 40_000; i++) {
    const bucket = read.find(scattered(i));
    if ((i % 3 === 0 || i >= MANY) !== bucket >= 0) assert.fail(`key ${i} in bucket ${bucket}`);
    if (bucket >= 0) assert.equal(read.valueAt(bucket, 0), i);
  }
  assert.equal(probe(index.buckets, index.bucketCount, 2, scattered(0)), true);
  assert.equal(probe(index.buckets, index.bucketCount, 2, scattered(1)), false);
});

test('HashIndex lets a table that was read from a file grow where it was read to', () => {
  const index = new HashIndex({ valueWords: 2, capacity: capacityFor(200_000) });
  for (let i = 0; i < 200_000; i++) index.set(scattered(i), i, 0);
  const buckets = HashIndex.allocate(index.bucketCount, { valueWords: 2 });
  buckets.set(index.buckets);
  const read = HashIndex.fromBuckets({ buckets, valueWords: 2, size: index.size });
  for (let i = 200_000; i < 230_000; i++) read.set(scattered(i), i, 0);
  assert.ok(read.bucketCount > index.bucketCount);
  assert.ok(read.buckets.buffer === buckets.buffer);
  for (let i = 0; i < 230_000; i++) if (read.find(scattered(i)) < 0) assert.fail(`key ${i} is lost`);
});
