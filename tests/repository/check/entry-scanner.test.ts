import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  COMMIT_ENTRY,
  encodeDeleteInto,
  encodePut,
  MAGIC_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  SEGMENT_MAGIC,
  TAG_COMMIT,
  TAG_DELETE,
  TAG_PUT,
} from '../../../src/format/segment.ts';
import { EntryScanner } from '../../../src/repository/check/entry-scanner.ts';
import { SoundSegments } from '../../../src/repository/check/sound-segments.ts';
import type { ReadHandle } from '../../../src/store/store.ts';
import { concatBytes } from '../../../src/util/bytes.ts';
import { noise } from '../../noise.ts';

function keyOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

function encodeDelete(key: Uint8Array): Uint8Array {
  const entry = new Uint8Array(PUT_HEADER_SIZE_BYTES);
  encodeDeleteInto(entry, 0, key);
  return entry;
}

const PARTS = [
  SEGMENT_MAGIC,
  encodePut(keyOf(1), noise(70, 1)),
  encodeDelete(keyOf(2)),
  COMMIT_ENTRY,
  encodePut(keyOf(3), new Uint8Array(0)),
  encodePut(keyOf(4), noise(200, 4)),
  COMMIT_ENTRY,
];
const SEGMENT = concatBytes(PARTS);
const TAGS = [TAG_PUT, TAG_DELETE, TAG_COMMIT, TAG_PUT, TAG_PUT, TAG_COMMIT];

/** The entries; undefined where something is wrong. */
function scan(
  bytes: Uint8Array,
  pieceBytes: number,
): { tag: number; key: number | undefined; offset: number }[] | undefined {
  const scanner = new EntryScanner();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (!scanner.add(bytes.slice(at, at + pieceBytes))) return undefined;
  }
  if (!scanner.isWhole) return undefined;
  return Array.from(scanner.entries, ({ tag, key, offset }) => ({ tag, key: key[0], offset }));
}

test('EntryScanner finds all entries, wherever the segment is cut', () => {
  let offset = MAGIC_SIZE_BYTES;
  const expected = TAGS.map((tag, number) => {
    const entry = { tag, key: [1, 2, undefined, 3, 4, undefined][number], offset };
    offset += PARTS[number + 1]!.length;
    return entry;
  });
  for (let pieceBytes = 1; pieceBytes <= SEGMENT.length; pieceBytes++) {
    assert.deepEqual(scan(SEGMENT, pieceBytes), expected, `in pieces of ${pieceBytes}`);
  }
});

test('EntryScanner finds every changed bit, and every lost end', () => {
  for (const pieceBytes of [7, 64, SEGMENT.length]) {
    for (let bit = 0; bit < 8 * SEGMENT.length; bit++) {
      const changed = Uint8Array.from(SEGMENT);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(scan(changed, pieceBytes), undefined, `bit ${bit}, in pieces of ${pieceBytes}`);
    }
    const ends = new Set(PARTS.map((_, number) => concatBytes(PARTS.slice(0, number + 1)).length));
    for (let end = 1; end < SEGMENT.length; end++) {
      const found = scan(SEGMENT.subarray(0, end), pieceBytes);
      assert.equal(found !== undefined, ends.has(end), `${end} bytes, in pieces of ${pieceBytes}`);
    }
  }
});

/** A file that is read by another thread as far as it is asked to. */
function fileOf(bytes: Uint8Array, failsAt = Infinity): ReadHandle & { reading: number } {
  const read = (into: Uint8Array, position: number): number => {
    if (position >= failsAt) throw new Error('EIO');
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  };
  const file = {
    reading: 0,
    read,
    readLater: async (into: Uint8Array, position: number) => {
      file.reading++;
      await new Promise((resolve) => setImmediate(resolve));
      file.reading--;
      return read(into, position);
    },
    sizeBytes: () => bytes.length,
    close: () => assert.equal(file.reading, 0),
  };
  return file;
}

test('SoundSegments reads one segment after the other, large and small', async () => {
  const large = concatBytes([
    SEGMENT,
    ...Array.from({ length: 9 }, (_, i) => encodePut(keyOf(i), noise(400_000, i))),
  ]);
  const sound = new SoundSegments();
  for (const bytes of [SEGMENT, large, SEGMENT.subarray(0, 8), large]) {
    const file = fileOf(bytes);
    const entries = await sound.read(file);
    file.close();
    assert.equal([...entries!].length, bytes === large ? 15 : bytes === SEGMENT ? 6 : 0);
  }
  for (const bytes of [
    large.with(3_000_000, 1 ^ large[3_000_000]!),
    large.subarray(0, -1),
    SEGMENT.subarray(0, 7),
  ]) {
    const file = fileOf(bytes);
    assert.equal(await sound.read(file), undefined);
    file.close();
  }
  const failing = fileOf(large, 2 ** 21);
  await assert.rejects(sound.read(failing), /EIO/);
  failing.close();
  assert.equal(await sound.read(fileOf(new Uint8Array(0))), undefined);
});
