import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { editDistance, nearestWord } from '../../src/util/edit-distance.ts';

describe('editDistance()', () => {
  for (const [a, b, distance] of [
    ['', '', 0],
    ['', 'list', 4],
    ['list', 'list', 0],
    ['lits', 'list', 1],
    ['lst', 'list', 1],
    ['liist', 'list', 1],
    ['lisp', 'list', 1],
    ['creaet', 'create', 1],
  ] as const) {
    it(`is ${distance} from "${a}" to "${b}"`, () => assert.equal(editDistance(a, b), distance));
  }

  it('is the same both ways, and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (a, b) => {
        assert.equal(editDistance(a, b), editDistance(b, a));
        assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
        assert.equal(editDistance(a, b) === 0, a === b);
      }),
    );
  });
});

describe('nearestWord()', () => {
  it('finds the nearest, whatever the case', () => {
    assert.equal(nearestWord('--compresion', ['--compression', '--comment']), '--compression');
    assert.equal(nearestWord('EXTRCAT', ['create', 'extract']), 'extract');
  });

  it('finds nothing in what is far off, or endless', () => {
    assert.equal(nearestWord('nonsense', ['create', 'extract', 'list']), undefined);
    assert.equal(nearestWord('x'.repeat(1000), ['x']), undefined);
  });
});
