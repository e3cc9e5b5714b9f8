import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ratioToBest, rotated, summarize } from '../../bench/statistics.ts';

describe('summarize()', () => {
  it('takes the value in the middle, whatever the order', () => {
    assert.deepEqual(summarize([5, 1, 9]), { median: 5, least: 1, most: 9 });
  });

  it('takes the mean of both in the middle', () => {
    assert.deepEqual(summarize([8, 1, 2, 4]), { median: 3, least: 1, most: 8 });
  });

  it('sorts by number, not by text', () => {
    assert.equal(summarize([10, 9, 100]).median, 10);
  });

  it('refuses to sum up nothing', () => {
    assert.throws(() => summarize([]), RangeError);
  });
});

describe('ratioToBest()', () => {
  it('compares with the smallest of the others', () => {
    assert.equal(ratioToBest(2, [9, 5, 7]), 2.5);
  });

  it('says nothing where there are no others', () => {
    assert.equal(ratioToBest(2, []), undefined);
  });
});

describe('rotated()', () => {
  it('begins with another one in each round', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join('')),
      ['abc', 'bca', 'cab', 'abc'],
    );
  });
});
