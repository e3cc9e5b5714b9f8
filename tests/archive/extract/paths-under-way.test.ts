import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathsUnderWay } from '../../../src/archive/extract/paths-under-way.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

function underWay(files: readonly string[], folders: readonly string[] = []): PathsUnderWay {
  const paths = new PathsUnderWay();
  for (const file of files) paths.addFile(fromUtf8(file));
  for (const folder of folders) paths.addFolder(fromUtf8(folder));
  return paths;
}

for (const [path, touched] of [
  ['d/e/f', true],
  ['d/e/f/g', true],
  ['d/e/f/g/h', true],
  ['d/e', true],
  ['./d//e/f/', true],
  ['d/e/other', false],
  ['d/e/f2', false],
  ['e/f', false],
  // Not empty, so that nothing can take its place.
  ['d', false],
] as const) {
  test(`touches() ${touched ? 'finds' : 'does not mind'} ${path} while the file d/e/f is under way`, () => {
    assert.equal(underWay(['d/e/f']).touches(fromUtf8(path)), touched);
  });
}

test('touches() finds a folder again, but not what is in it', () => {
  const paths = underWay([], ['d', 'd/e']);
  for (const path of ['d', 'd/e', 'd/./e']) assert.ok(paths.touches(fromUtf8(path)), path);
  for (const path of ['d/f', 'd/e/f', 'e']) assert.ok(!paths.touches(fromUtf8(path)), path);
  paths.deleteFolder(fromUtf8('d/e'));
  assert.ok(!paths.touches(fromUtf8('d/e')));
});

test('touches() forgets what is done, as often as it was begun', () => {
  const paths = underWay(['d/a', 'd/b', 'd/a', 'top']);
  paths.deleteFile(fromUtf8('d/a'));
  paths.deleteFile(fromUtf8('d/a'));
  assert.ok(!paths.touches(fromUtf8('d/a')));
  assert.ok(paths.touches(fromUtf8('d')), 'b is still in it');
  paths.deleteFile(fromUtf8('d/b'));
  assert.ok(!paths.touches(fromUtf8('d')));
  paths.deleteFile(fromUtf8('top'));
  assert.ok(!paths.touches(fromUtf8('top')));
});
