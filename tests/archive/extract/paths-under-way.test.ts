import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathsUnderWay } from '../../../src/archive/extract/paths-under-way.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

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
    const paths = new PathsUnderWay();
    paths.addFile(fromUtf8('d/e/f'));
    assert.equal(paths.touches(fromUtf8(path)), touched);
  });
}

test('touches() finds a folder again, but not what is in it', () => {
  const paths = new PathsUnderWay();
  paths.addFolder(fromUtf8('d'));
  const inner = paths.addFolder(fromUtf8('d/e'));
  for (const path of ['d', 'd/e', 'd/./e']) assert.ok(paths.touches(fromUtf8(path)), path);
  for (const path of ['d/f', 'd/e/f', 'e']) assert.ok(!paths.touches(fromUtf8(path)), path);
  inner.end();
  assert.ok(!paths.touches(fromUtf8('d/e')));
});

test('touches() forgets what is done, as often as it was begun', () => {
  const paths = new PathsUnderWay();
  const [one, two, again, top] = ['d/a', 'd/b', 'd/a', 'top'].map((path) => paths.addFile(fromUtf8(path)));
  one!.end();
  assert.ok(paths.touches(fromUtf8('d/a')));
  again!.end();
  assert.ok(!paths.touches(fromUtf8('d/a')));
  assert.ok(paths.touches(fromUtf8('d')), 'b is still in it');
  two!.end();
  assert.ok(!paths.touches(fromUtf8('d')));
  top!.end();
  assert.ok(!paths.touches(fromUtf8('top')));
});

test('touches() finds a file in the place of a folder that was looked at before', () => {
  const paths = new PathsUnderWay();
  for (const file of ['d', 'd/e']) {
    assert.ok(!paths.touches(fromUtf8('d/e/f')));
    const one = paths.addFile(fromUtf8(file));
    assert.ok(paths.touches(fromUtf8('d/e/f')), file);
    one.end();
  }
});
