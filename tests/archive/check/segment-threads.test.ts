import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SegmentThreads } from '../../../src/archive/check/segment-threads.ts';
import { COMMIT_ENTRY, encodePut, SEGMENT_MAGIC } from '../../../src/format/segment.ts';
import { placesIn } from '../../../src/repository/check/indexed-places.ts';
import { SoundSegments } from '../../../src/repository/check/sound-segments.ts';
import { PosixStore } from '../../../src/store/posix-store.ts';
import { concatBytes } from '../../../src/util/bytes.ts';
import { HashIndex } from '../../../src/util/hash-index.ts';
import { noise } from '../../noise.ts';

const folder = mkdtempSync(join(tmpdir(), 'alcove-segment-threads-'));
after(() => rmSync(folder, { recursive: true }));
const store = new PosixStore(folder);

/** Larger than a piece; entries end within one, and at its end. */
const SEGMENT = concatBytes([
  SEGMENT_MAGIC,
  ...Array.from({ length: 200 }, (_, i) => encodePut(new Uint8Array(32).fill(i), noise(40 * i, i))),
  encodePut(new Uint8Array(32).fill(255), noise(700_000, 5)),
  COMMIT_ENTRY,
]);

function entriesOf(entries: Awaited<ReturnType<SegmentThreads['read']>>): unknown {
  return entries && Array.from(entries, ({ key, ...numbers }) => ({ key: key.toString(), ...numbers }));
}

test('SegmentThreads.read() gives what SoundSegments gives, and nothing where anything is wrong', async () => {
  await using threads = new SegmentThreads(1);
  const contents = [
    SEGMENT,
    SEGMENT.subarray(0, 8),
    new Uint8Array(0),
    SEGMENT.subarray(0, -1),
    SEGMENT.with(100, SEGMENT[100]! ^ 1),
    SEGMENT.with(SEGMENT.length - 1, 1),
    SEGMENT,
  ];
  for (const [number, bytes] of contents.entries()) writeFileSync(join(folder, `${number}`), bytes);
  const files = contents.map((_, number) => store.openFile(`${number}`));
  const found = await Promise.all(files.map((file) => threads.read(file)));
  const expected = await Array.fromAsync(files, (file) => new SoundSegments().read(file));
  assert.deepEqual(found.map(entriesOf), expected.map(entriesOf));
  assert.deepEqual(
    found.map((entries) => entries !== undefined),
    [true, true, false, false, false, false, true],
  );
  for (const file of files) file.close();
});

test('SegmentThreads.read() leaves out what lies where the index says', async () => {
  await using threads = new SegmentThreads(1);
  writeFileSync(join(folder, 'indexed'), SEGMENT);
  const file = store.openFile('indexed');
  const all = [...(await threads.read(file))!];
  for (const shared of [true, false]) {
    const index = new HashIndex({ valueWords: 2, shared });
    for (const { key, offset } of all.slice(0, 150)) index.set(key, 7, offset);
    const list = await threads.read(file, placesIn(index, 7));
    // Threads have no part in memory that is not shared.
    assert.equal(list!.indexedCount, shared ? 150 : 0);
    assert.equal([...list!].length, all.length - list!.indexedCount);
  }
  file.close();
});

test('SegmentThreads.read() gives nothing of what can not be read, and reads itself what has no number', async () => {
  await using threads = new SegmentThreads(1);
  const fd = openSync(folder, 'r');
  const unreadable = { ...handleOf(new Uint8Array(10)), fd };
  assert.equal(await threads.read(unreadable), undefined);
  closeSync(fd);
  assert.deepEqual(
    entriesOf(await threads.read(handleOf(SEGMENT))),
    entriesOf(await new SoundSegments().read(handleOf(SEGMENT))),
  );
});

test('SegmentThreads rejects what it has not read when it is ended', async () => {
  const threads = new SegmentThreads(1);
  writeFileSync(join(folder, 'segment'), SEGMENT);
  const file = store.openFile('segment');
  const reading = Array.from({ length: 50 }, () => threads.read(file));
  const ended = Promise.allSettled(reading);
  await threads[Symbol.asyncDispose]();
  const outcomes = (await ended).map(({ status }) => status);
  assert.equal(outcomes.at(-1), 'rejected');
  file.close();
});

function handleOf(bytes: Uint8Array) {
  const read = (into: Uint8Array, position: number): number => {
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  };
  return { read, sizeBytes: () => bytes.length, close: () => {} };
}
