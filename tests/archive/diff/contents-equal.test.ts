import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, asyncProperty, string } from '../../properties.ts';

import { contentsEqual } from '../../../src/archive/diff/contents-equal.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield fromUtf8(text);
}

describe('contentsEqual()', () => {
  const cases: readonly (readonly [string, string[], string[], boolean])[] = [
    ['nothing and nothing', [], [], true],
    ['nothing and empty pieces', [], ['', ''], true],
    ['the same in other pieces', ['ab', 'c', 'def'], ['a', 'bcd', '', 'ef'], true],
    ['one that goes on', ['abc'], ['abc', 'd'], false],
    ['one that ends in a piece', ['abcd'], ['abc'], false],
    ['another last byte', ['abc', 'd'], ['ab', 'ce'], false],
    ['something and nothing', ['a'], [], false],
  ];
  for (const [title, a, b, expected] of cases) {
    it(`compares ${title}`, async () => {
      assert.equal(await contentsEqual(pieces(...a), pieces(...b)), expected);
      assert.equal(await contentsEqual(pieces(...b), pieces(...a)), expected);
    });
  }

  it('does not depend on where contents are cut', async () => {
    const texts = array(string({ maxLength: 4 }), { maxLength: 8 });
    await assertProperty(
      asyncProperty(texts, texts, async (a, b) => {
        assert.equal(await contentsEqual(pieces(...a), pieces(...b)), a.join('') === b.join(''));
        assert.ok(await contentsEqual(pieces(...a), pieces(a.join(''))));
      }),
      { numRuns: 100 },
    );
  });

  it('reads no further than the first difference, and closes both', async () => {
    const closed: string[] = [];
    async function* source(name: string): AsyncGenerator<Uint8Array> {
      try {
        yield fromUtf8(name);
        throw new Error('read too far');
      } finally {
        closed.push(name);
      }
    }
    assert.equal(await contentsEqual(source('a'), source('b')), false);
    assert.deepEqual(closed.toSorted(), ['a', 'b']);
  });
});
