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

/** Whether each of the objects is read as what it is. */
function areRead(objects: readonly Placed[], numbers: readonly number[]): boolean[] {
  const puts = new PlacedPuts();
  return objects.map(({ sealed }, index) => {
    const bytes = puts.read(objects, index, sealed);
    const isSame = bytes !== undefined && Buffer.compare(bytes, contents[numbers[index]!]!) === 0;
    // As those do who decrypt in place.
    bytes?.fill(0xaa);
    return isSame;
  });
}

function readEach(
  numbers: readonly number[],
  sizeOf = (number: number): number => SIZES[number]!,
): boolean[] {
  return areRead(
    numbers.map((number) => placed(number, sizeOf(number))),
    numbers,
  );
}

const all = (numbers: readonly number[]): boolean[] => numbers.map(() => true);

test('PlacedPuts reads objects in any order, and again, though what it gave was written to', () => {
  for (const numbers of [
    [0, 1, 2, 3, 4, 5, 6],
    [6, 5, 4, 3, 2, 1, 0],
    [0, 0, 1, 1, 0, 3, 3, 4],
    [0, 2, 6],
  ]) {
    assert.deepEqual(readEach(numbers), all(numbers));
  }
});

test('PlacedPuts reads objects whatever is expected of their size', () => {
  const numbers = [0, 1, 2, 3, 4, 5, 6];
  for (const size of [0, 1, 60, 100_000, 2 ** 40, -1000]) {
    assert.deepEqual(
      readEach(numbers, () => size),
      all(numbers),
    );
  }
});

test('PlacedPuts gives nothing of an object that is another one, or damaged, and the others', () => {
  const numbers = [0, 1, 2];
  const other = { ...placed(1), id: ids[4]! };
  assert.deepEqual(areRead([placed(0), other, placed(2)], numbers), [true, false, true]);
  const within = { id: ids[1]!, sealed: { fd, offsetBytes: offsets[1]! + 1, sizeBytes: 5000 } };
  assert.deepEqual(areRead([placed(0), within, placed(2)], numbers), [true, false, true]);
  const deleted = { id: ids[0]!, sealed: { fd, offsetBytes: offsets[1]! - 41, sizeBytes: 0 } };
  assert.deepEqual(areRead([placed(0), deleted, placed(2)], numbers), [true, false, true]);
  const behind = { id: ids[0]!, sealed: { fd, offsetBytes: offsets[6]! + 1000, sizeBytes: 10 } };
  assert.deepEqual(areRead([placed(0), behind, placed(2)], numbers), [true, false, true]);
});

test('PlacedPuts does not take what it read of a file for another that is open by the same number', () => {
  const puts = new PlacedPuts();
  const first = [placed(0), placed(1)];
  assert.ok(puts.read(first, 0, first[0]!.sealed) !== undefined);
  const path = join(folder, 'other');
  writeFileSync(path, encodePut(ids[5]!, contents[5]!));
  const other = openSync(path, 'r');
  try {
    const again = [{ id: ids[5]!, sealed: { fd: other, offsetBytes: 0, sizeBytes: 70_000 } }];
    assert.ok(puts.read(again, 0, again[0]!.sealed) !== undefined);
    writeFileSync(path, encodePut(ids[0]!, contents[0]!));
    const later = [{ id: ids[0]!, sealed: { fd: other, offsetBytes: 0, sizeBytes: 100 } }];
    assert.ok(puts.read(later, 0, later[0]!.sealed) !== undefined);
  } finally {
    closeSync(other);
  }
});

test('PlacedPuts gives nothing of an object that can not be read', () => {
  assert.deepEqual(areRead([placed(0, 100, 999_999), placed(1)], [0, 1]), [false, true]);
});
