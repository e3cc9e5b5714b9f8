import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizePosixPath } from '../../src/util/posix-path.ts';

for (const [path, expected] of [
  ['', '.'],
  ['a//b/./c/', 'a/b/c'],
  ['a/../b', 'b'],
  ['../../a/..', '../..'],
  ['/../a', '/a'],
  ['//a', '//a'],
  ['///a', '/a'],
  ['/', '/'],
  ['./.', '.'],
] as const) {
  test(`normalizePosixPath() makes ${expected} of '${path}'`, () => {
    assert.equal(normalizePosixPath(path), expected);
  });
}
