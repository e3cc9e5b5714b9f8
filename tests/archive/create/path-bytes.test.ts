import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  childPath,
  joinPath,
  makePathSafe,
  slashdotPrefix,
  stripPrefix,
} from '../../../src/archive/create/path-bytes.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';

const text = (path: Uint8Array | undefined): string | undefined => path && toUtf8Lossy(path);

describe('makePathSafe()', () => {
  const cases: [given: string, safe: string][] = [
    ['/', '.'],
    ['/foo', 'foo'],
    ['//foo/bar', 'foo/bar'],
    ['../../foo', 'foo'],
    ['/../foo', 'foo'],
    ['..', '..'],
    ['.', '.'],
    ['.hidden', '.hidden'],
    ['foo/../bar', 'foo/../bar'],
  ];
  for (const [given, safe] of cases) {
    it(`makes ${safe} of ${given}`, () => {
      assert.equal(text(makePathSafe(fromUtf8(given))), safe);
    });
  }
});

describe('childPath() and joinPath()', () => {
  it('put one slash between, and none below "."', () => {
    assert.equal(text(childPath(fromUtf8('a'), fromUtf8('b'))), 'a/b');
    assert.equal(text(childPath(fromUtf8('/'), fromUtf8('b'))), '/b');
    assert.equal(text(childPath(fromUtf8('.'), fromUtf8('b'))), 'b');
    assert.equal(text(joinPath(fromUtf8('/a/'), fromUtf8('b'))), '/a/b');
    assert.equal(text(joinPath(fromUtf8('/a'), fromUtf8('/b'))), '/b');
  });

  it('make paths that stay as they are, however many and long', () => {
    const lengths = Array.from({ length: 3000 }, (_, n) => (n % 500 === 0 ? 70_000 : n % 97));
    const paths = lengths.map((length, n) => joinPath(fromUtf8(`/${n}`), fromUtf8('x'.repeat(length))));
    for (const [n, path] of paths.entries()) assert.equal(text(path), `/${n}/${'x'.repeat(lengths[n]!)}`);
  });
});

describe('stripPrefix()', () => {
  const prefix = slashdotPrefix(fromUtf8('/strip//this/./keep/it'))!;
  const cases: [path: string, kept: string | undefined][] = [
    ['/strip', undefined],
    ['/strip/this', '.'],
    ['/strip/this/keep', 'keep'],
    ['/strip/this/keep/it', 'keep/it'],
  ];
  for (const [path, kept] of cases) {
    it(`keeps ${kept ?? 'nothing'} of ${path}`, () => {
      assert.equal(text(stripPrefix(fromUtf8(path), prefix)), kept);
    });
  }

  it('has no prefix to strip where no directory is before /./', () => {
    assert.equal(slashdotPrefix(fromUtf8('/./a')), undefined);
    assert.equal(slashdotPrefix(fromUtf8('a/b')), undefined);
  });
});
