import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { fromHex, toHex } from '../../src/util/bytes.ts';
import {
  decodeSurrogateEscaped,
  encodeSurrogateEscaped,
  removeSurrogates,
} from '../../src/util/surrogate-escape.ts';

test('decodeSurrogateEscaped() keeps every byte, encodeSurrogateEscaped() gives it back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      assert.equal(toHex(encodeSurrogateEscaped(decodeSurrogateEscaped(bytes))), toHex(bytes));
    }),
  );
});

test('decodeSurrogateEscaped() maps each byte that is not UTF-8 as Python does', () => {
  const cases: [string, string][] = [
    ['61ff62', 'a\udcffb'],
    ['c3bc', 'ü'],
    ['c3', '\udcc3'],
    ['c0af', '\udcc0\udcaf'], // overlong
    ['eda080', '\udced\udca0\udc80'], // a surrogate in UTF-8
    ['f0908080', '\u{10000}'],
    ['f4908080', '\udcf4\udc90\udc80\udc80'], // beyond U+10FFFF
    ['e282ac80', '€\udc80'],
    ['e282', '\udce2\udc82'],
    ['efbbbf61', '\ufeffa'],
  ];
  for (const [hex, text] of cases) assert.equal(decodeSurrogateEscaped(fromHex(hex)), text, hex);
});

test('encodeSurrogateEscaped() refuses a surrogate that stands for no byte', () => {
  assert.throws(() => encodeSurrogateEscaped('\ud800'), RangeError);
  assert.throws(() => encodeSurrogateEscaped('\udc7f'), RangeError);
});

test('removeSurrogates() shows a question mark for each', () => {
  assert.equal(removeSurrogates('a\udcff\udcfeb\u{10000}'), 'a??b\u{10000}');
});
