import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidValue } from '../../src/cli/options/option.ts';
import { parseDiffSortKeys } from '../../src/cli/options/diff-sort-keys.ts';
import { fakeIo } from './fake-io.ts';

const parse = (text: string) => parseDiffSortKeys(text, fakeIo([]));

describe('parseDiffSortKeys()', () => {
  it('reads fields with their directions, and skips what is empty', () => {
    assert.deepEqual(parse(' >size_added,, <path , mtime_diff,'), [
      { field: 'size_added', descending: true },
      { field: 'path', descending: false },
      { field: 'mtime_diff', descending: false },
    ]);
  });

  for (const [text, message] of [
    ['', 'unsupported sort field: empty spec'],
    [' , ', 'unsupported sort field: empty spec'],
    ['path,>mode', 'unsupported sort field: mode'],
    ['>>path', 'unsupported sort field: >path'],
    ['>', 'unsupported sort field: '],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parse(text),
        (error) => error instanceof InvalidValue && error.message === message,
      );
    });
  }
});
