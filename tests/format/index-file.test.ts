import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IndexFileError, decodeIndexFile, encodeIndexFile } from '../../src/format/index-file.ts';
import { concatBytes } from '../../src/util/bytes.ts';
import { HashIndex, KEY_BYTES } from '../../src/util/hash-index.ts';

const BUCKET_BYTES = KEY_BYTES + 8;

function twoEntries(): Uint8Array {
  const index = new HashIndex({ valueWords: 2 });
  index.set(new Uint8Array(32).fill(1), 1, 2);
  index.set(new Uint8Array(32).fill(2), 3, 4);
  return concatBytes(encodeIndexFile(index).map((part) => part.bytes));
}

function altered(change: (view: DataView, file: Uint8Array) => void): Uint8Array {
  const file = twoEntries();
  change(new DataView(file.buffer), file);
  return file;
}

/** Offset of bucket `number` and of its first value. */
const valueOffset = (number: number): number => 18 + number * BUCKET_BYTES + KEY_BYTES;

test('decodeIndexFile() reads what encodeIndexFile() wrote', () => {
  const index = decodeIndexFile(twoEntries(), { valueWords: 2 });
  assert.equal(index.size, 2);
  const bucket = index.find(new Uint8Array(32).fill(2));
  assert.deepEqual([index.valueAt(bucket, 0), index.valueAt(bucket, 1)], [3, 4]);
});

test('decodeIndexFile() rejects damaged files', () => {
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a header cut short', twoEntries().subarray(0, 17)],
    ['another magic', altered((_, file) => file.set([0x41], 0))],
    ['a file cut short', twoEntries().subarray(0, -1)],
    ['a file too long', concatBytes([twoEntries(), new Uint8Array(1)])],
    ['too few entries', altered((view) => view.setInt32(8, 1, true))],
    ['too many entries', altered((view) => view.setInt32(8, 3, true))],
    ['more entries than buckets', altered((view) => view.setInt32(8, 1032, true))],
    ['a negative number of entries', altered((view) => view.setInt32(8, -1, true))],
    ['no buckets', altered((view) => view.setInt32(12, 0, true))],
    ['a negative number of buckets', altered((view) => view.setInt32(12, -1031, true))],
    ['two thousand million buckets', altered((view) => view.setInt32(12, 0x7fffffff, true))],
    ['another key size', altered((view) => view.setInt8(16, 16))],
    ['another value size', altered((view) => view.setInt8(17, 12))],
    ['a reserved value', altered((view) => view.setUint32(valueOffset(0), 0xfffffd00, true))],
  ];
  for (const [name, file] of cases) {
    assert.throws(() => decodeIndexFile(file, { valueWords: 2 }), IndexFileError, name);
  }
});

test('decodeIndexFile() rejects a key that is there twice, where it rebuilds the table', () => {
  // All 4 buckets used, two of them with one key.
  const index = new HashIndex({ valueWords: 2 });
  for (const byte of [1, 2, 3, 4]) index.set(new Uint8Array(32).fill(byte), byte, 0);
  index.compact();
  const file = concatBytes(encodeIndexFile(index).map((part) => part.bytes));
  assert.equal(decodeIndexFile(file, { valueWords: 2 }).size, 4);
  file.copyWithin(18, 18 + BUCKET_BYTES, 18 + 2 * BUCKET_BYTES);
  assert.throws(() => decodeIndexFile(file, { valueWords: 2 }), IndexFileError);
});
