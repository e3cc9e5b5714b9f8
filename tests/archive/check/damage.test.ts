import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamageCollector } from '../../../src/archive/check/damage.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

function id(number: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

test('DamageCollector folds the archives that have a damaged file', () => {
  const damage = new DamageCollector();
  for (let archive = 0; archive < 6; archive++) {
    damage.beginArchive(`a${archive}`);
    if (archive !== 3) damage.beginFile(fromUtf8('f')).add(id(1), 10, 'missing');
  }
  const [file] = [...damage.files];
  assert.deepEqual(file!.archiveRanges, [
    [0, 2],
    [4, 5],
  ]);
  assert.equal(file!.lostBytes, 10);
  assert.equal(damage.affectedArchiveCount, 5);
  assert.deepEqual(damage.newlyNeeded, { count: 1, sizeBytes: 10 });
});

test('DamageCollector keeps apart what zeros stand for already', () => {
  const damage = new DamageCollector();
  damage.beginArchive('a');
  damage.beginFile(fromUtf8('old')).add(id(1), 10, 'replaced');
  assert.deepEqual(
    [...damage.files].map(({ onlyReplaced }) => onlyReplaced),
    [true],
  );
  assert.equal(damage.affectedArchiveCount, 0);
  assert.deepEqual(damage.newlyNeeded, { count: 0, sizeBytes: 0 });
});

test('DamageCollector counts damaged objects that nothing needs', () => {
  const damage = new DamageCollector();
  for (let number = 0; number < 4; number++) damage.addDamagedChunk(id(number));
  damage.beginArchive('a');
  damage.beginFile(fromUtf8('f')).add(id(0), 1, 'damaged');
  damage.addMetadata(id(1));
  damage.removeDamagedChunk(id(2));
  assert.equal(damage.unneededCount, 1);
});

test('DamageCollector takes bounded memory, and counts the rest', () => {
  const damage = new DamageCollector();
  damage.beginArchive('a');
  for (let number = 0; number < 12_000; number++) {
    const file = damage.beginFile(fromUtf8(`f${number}`));
    for (let chunk = 0; chunk < 20; chunk++) file.add(id(chunk), 1, 'missing');
  }
  const files = [...damage.files];
  assert.equal(files.length + damage.uncountedFiles, 12_000);
  assert.ok(files.length <= 10_000);
  assert.ok(files.every(({ chunkIds, moreChunks }) => chunkIds.size === 16 && moreChunks));
  assert.equal([...damage.chunks(5)].length, 5);
});
