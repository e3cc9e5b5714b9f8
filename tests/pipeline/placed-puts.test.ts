import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeDelete, encodePut } from '../../src/format/segment.ts';
import { PlacedPuts } from '../../src/pipeline/placed-puts.ts';
import type { PlacedObject } from '../../src/pipeline/open-batch.ts';
import { noise } from '../noise.ts';

interface Placed {
  readonly id: Uint8Array;
  readonly sealed: PlacedObject;
}

const SIZES = [100, 5000, 0, 1_200_000, 40, 70_000, 1];
const contents = SIZES.map((size, number) => noise(size, number + 1));
const ids = SIZES.map((_, number) => noise(32, number + 100));

let folder: string;
let fd: number;
let offsets: number[];

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'alcove-puts-'));
  const entries: Uint8Array[] = [];
  let end = 0;
  offsets = contents.map((data, number) => {
    const offset = end;
    entries.push(encodePut(ids[number]!, data));
    // What is void lies between them.
    if (number % 2 === 0) entries.push(encodeDelete(ids[number]!));
    end = entries.reduce((sum, { length }) => sum + length, 0);
    return offset;
  });
  writeFileSync(join(folder, '0'), Buffer.concat(entries));
  fd = openSync(join(folder, '0'), 'r');
});

after(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const placed = (number: number, sizeBytes = SIZES[number]!, from = fd): Placed => ({
  id: ids[number]!,
  sealed: { fd: from, offsetBytes: offsets[number]!, sizeBytes },
});

/** Whether each of the objects is read as what it is, in groups of so many. */
function areRead(objects: readonly Placed[], numbers: readonly number[], groupSize: number): boolean[] {
  const puts = new PlacedPuts();
  const found: boolean[] = [];
  while (found.length < objects.length) {
    const group = puts.readGroup(objects, found.length, Math.min(found.length + groupSize, objects.length));
    assert.ok(group.length > 0);
    for (const { sealed } of group) {
      const expected = contents[numbers[found.length]!]!;
      found.push(sealed !== undefined && Buffer.compare(sealed, expected) === 0);
    }
    // As those do who decrypt in place.
    for (const { sealed } of group) sealed?.fill(0xaa);
  }
  return found;
}

function readEach(
  numbers: readonly number[],
  groupSize: number,
  sizeOf = (number: number): number => SIZES[number]!,
): boolean[] {
  const objects = numbers.map((number) => placed(number, sizeOf(number)));
  return areRead(objects, numbers, groupSize);
}

const all = (numbers: readonly number[]): boolean[] => numbers.map(() => true);

test('PlacedPuts reads objects in any order, and again, though what it gave was written to', () => {
  for (const numbers of [
    [0, 1, 2, 3, 4, 5, 6],
    [6, 5, 4, 3, 2, 1, 0],
    [0, 0, 1, 1, 0, 3, 3, 4],
    [0, 2, 6],
  ]) {
    for (const groupSize of [1, 2, 3, 8]) assert.deepEqual(readEach(numbers, groupSize), all(numbers));
  }
});

test('PlacedPuts reads objects whatever is expected of their size', () => {
  const numbers = [0, 1, 2, 3, 4, 5, 6];
  for (const size of [0, 1, 60, 100_000, 2 ** 40, -1000]) {
    for (const groupSize of [1, 7]) {
      assert.deepEqual(
        readEach(numbers, groupSize, () => size),
        all(numbers),
      );
    }
  }
});

test('PlacedPuts gives nothing of an object that is another one, or damaged, and the others', () => {
  const read = (wrong: Placed) => areRead([placed(0), wrong, placed(2)], [0, 1, 2], 3);
  const other = { ...placed(1), id: ids[4]! };
  assert.deepEqual(read(other), [true, false, true]);
  const within = { id: ids[1]!, sealed: { fd, offsetBytes: offsets[1]! + 1, sizeBytes: 5000 } };
  assert.deepEqual(read(within), [true, false, true]);
  const deleted = { id: ids[0]!, sealed: { fd, offsetBytes: offsets[1]! - 41, sizeBytes: 0 } };
  assert.deepEqual(read(deleted), [true, false, true]);
  const behind = { id: ids[0]!, sealed: { fd, offsetBytes: offsets[6]! + 1000, sizeBytes: 10 } };
  assert.deepEqual(read(behind), [true, false, true]);
});

test('PlacedPuts does not take what it read of a file for another that is open by the same number', () => {
  const puts = new PlacedPuts();
  const path = join(folder, 'other');
  writeFileSync(path, encodePut(ids[5]!, contents[5]!));
  const other = openSync(path, 'r');
  try {
    const first = [{ id: ids[5]!, sealed: { fd: other, offsetBytes: 0, sizeBytes: 70_000 } }];
    assert.ok(puts.readGroup(first, 0, 1)[0]?.sealed !== undefined);
    writeFileSync(path, encodePut(ids[0]!, contents[0]!));
    const later = [{ id: ids[0]!, sealed: { fd: other, offsetBytes: 0, sizeBytes: 100 } }];
    assert.ok(puts.readGroup(later, 0, 1)[0]?.sealed !== undefined);
  } finally {
    closeSync(other);
  }
});

test('PlacedPuts reads fewer objects at a time where they are larger than was expected', () => {
  const large = [noise(5_000_000, 1), noise(5_000_000, 2), noise(10, 3)];
  const path = join(folder, 'large');
  const entries = large.map((data, number) => encodePut(ids[number]!, data));
  writeFileSync(path, Buffer.concat(entries));
  const other = openSync(path, 'r');
  try {
    const offsets = [0, entries[0]!.length, entries[0]!.length + entries[1]!.length];
    const objects = offsets.map((offsetBytes, number) => ({
      id: ids[number]!,
      sealed: { fd: other, offsetBytes, sizeBytes: 0 },
    }));
    const group = new PlacedPuts().readGroup(objects, 0, 3);
    assert.deepEqual(
      group.map(({ sealed }, number) => sealed !== undefined && Buffer.compare(sealed, large[number]!)),
      [0, 0],
    );
  } finally {
    closeSync(other);
  }
});

test('PlacedPuts gives nothing of an object that can not be read', () => {
  assert.deepEqual(areRead([placed(0, 100, 999_999), placed(1)], [0, 1], 2), [false, true]);
});
