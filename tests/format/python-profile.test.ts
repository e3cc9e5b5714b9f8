import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { convertProfile, ProfileError } from '../../src/format/python-profile.ts';

const converted: readonly (readonly [title: string, msgpack: string, marshal: string])[] = [
  ['None', 'c0', '4e'],
  ['booleans', '92c2c3', '28 02000000 46 54'],
  ['small integers', '927fe0', '28 02000000 69 7f000000 69 e0ffffff'],
  ['uint8', 'ccff', '69 ff000000'],
  ['the largest int32', 'ce7fffffff', '69 ffffff7f'],
  ['the smallest int32', 'd280000000', '69 00000080'],
  ['an integer beyond', 'ce80000000', '6c 03000000 0000 0000 0200'],
  ['a negative integer beyond', 'd3ffffffff7fffffff', '6c fdffffff 0100 0000 0200'],
  ['the largest integer', 'cfffffffffffffffff', '6c 05000000 ff7f ff7f ff7f ff7f 0f00'],
  ['int8 and int16', '92d0ffd1ff00', '28 02000000 69 ffffffff 69 00ffffff'],
  ['a double', 'cb3ff8000000000000', '67 000000000000f83f'],
  ['a float', 'ca3fc00000', '67 000000000000f83f'],
  ['text', '92a2c3a9d90162', '28 02000000 75 02000000 c3a9 75 01000000 62'],
  ['bytes', 'c40161', '73 01000000 61'],
  ['a dict whose key is a tuple', '8192a16101c0', '7b 28 02000000 75 01000000 61 69 01000000 4e 30'],
  ['an empty dict and an empty tuple', '928090', '28 02000000 7b 30 28 00000000'],
  ['a long tuple', `dc0010${'00'.repeat(16)}`, `28 10000000 ${'6900000000'.repeat(16)}`],
  ['a long dict', 'de0001c0c0', '7b 4e 4e 30'],
];

const refused: readonly (readonly [title: string, msgpack: string])[] = [
  ['nothing', ''],
  ['a text that is cut short', 'a361'],
  ['a tuple that is cut short', '92c0'],
  ['a huge length', 'dbffffffff61'],
  ['a huge tuple', 'ddffffffff'],
  ['text that is not UTF-8', 'a1ff'],
  ['what has no place in a profile', 'c1'],
  ['extensions', 'd40100'],
  ['bytes behind it', 'c0c0'],
  ['a dict as a key', '8180c0'],
  ['a dict in a key', '819180c0'],
  ['deep nesting', '91'.repeat(200)],
];

describe('convertProfile()', () => {
  for (const [title, msgpack, marshal] of converted) {
    it(`converts ${title}`, () => {
      assert.equal(convert(msgpack), marshal.replaceAll(' ', ''));
    });
  }

  it('converts more than fits into one piece of memory', () => {
    const text = '61'.repeat(70_000);
    assert.equal(convert(`92db00011170${text}c0`), `28020000007570110100${text}4e`);
  });

  for (const [title, msgpack] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(() => convert(msgpack), ProfileError);
    });
  }
});

function convert(msgpack: string): string {
  return Buffer.from(convertProfile(Buffer.from(msgpack, 'hex'))).toString('hex');
}
