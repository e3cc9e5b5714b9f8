import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deprecationsIn } from '../../src/cli/options/deprecations.ts';

describe('deprecationsIn()', () => {
  it('warns about spellings that are no longer used, in their order', () => {
    assert.deepEqual(deprecationsIn(['list', '--prefix', 'x', '--remote-ratelimit=3', 'repo']), [
      'Warning: "--prefix" has been deprecated. Use "--glob-archives \'yourprefix*\'" (-a) instead.',
      'Warning: "--remote-ratelimit" has been deprecated. Use --upload-ratelimit instead.',
    ]);
  });

  it('says nothing about other spellings, and about what is no option', () => {
    assert.deepEqual(
      deprecationsIn(['list', '-P', 'x', '--prefi', 'y', '--sort-by', 'name', '--', '--sort']),
      [],
    );
  });
});
