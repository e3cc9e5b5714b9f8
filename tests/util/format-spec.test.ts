import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatInteger, FormatSpecError, formatString } from '../../src/util/format-spec.ts';

function format(value: string | number, spec: string): string {
  return typeof value === 'string' ? formatString(value, spec) : formatInteger(value, spec);
}

const cases: readonly (readonly [string | number, string, string])[] = [
  ['abc', '', 'abc'],
  ['abc', '6', 'abc   '],
  ['abc', '>6', '   abc'],
  ['abc', '^8', '  abc   '],
  ['abc', '*^8', '**abc***'],
  ['abc', '.2', 'ab'],
  ['abc', '<6.1s', 'a     '],
  ['\u00e9\ud83d\ude00', '4', '\u00e9\ud83d\ude00  '],
  ['x', '06', 'x00000'],
  [5, '', '5'],
  [5, '4', '   5'],
  [5, '<4', '5   '],
  [5, '04', '0005'],
  [-5, '05', '-0005'],
  [5, '+', '+5'],
  [5, ' ', ' 5'],
  [255, 'x', 'ff'],
  [255, '#X', '0XFF'],
  [255, 'o', '377'],
  [255, '#b', '0b11111111'],
  [1234567, ',', '1,234,567'],
  [1234567, '_d', '1_234_567'],
  [-1234567, '012,', '-001,234,567'],
  [65, 'c', 'A'],
  [5, '^5', '  5  '],
  [5, '=+5', '+   5'],
  [5, '.2f', '5.00'],
  [1500, '.1e', '1.5e+03'],
  [3, '%', '300.000000%'],
  [1000000000, 'g', '1e+09'],
];

for (const [value, spec, expected] of cases) {
  test(`${JSON.stringify(value)} by '${spec}' is ${JSON.stringify(expected)}`, () => {
    assert.equal(format(value, spec), expected);
  });
}

const refused: readonly (readonly [string | number, string, string])[] = [
  ['abc', 'd', "Unknown format code 'd' for object of type 'str'"],
  ['abc', '+', 'Sign not allowed in string format specifier'],
  ['abc', '=5', "'=' alignment not allowed in string format specifier"],
  ['abc', '#', 'Alternate form (#) not allowed in string format specifier'],
  ['abc', ',', "Cannot specify ',' with 's'."],
  [5, '.2', 'Precision not allowed in integer format specifier'],
  [5, 's', "Unknown format code 's' for object of type 'int'"],
  [5, 'q', "Unknown format code 'q' for object of type 'int'"],
  [5, '10q', "Unknown format code 'q' for object of type 'int'"],
  ['a', '>>>>', "Invalid format specifier '>>>>'"],
];

for (const [value, spec, message] of refused) {
  test(`${JSON.stringify(value)} has no format '${spec}'`, () => {
    assert.throws(() => format(value, spec), new FormatSpecError(message));
  });
}

test('formatInteger() refuses a width that would fill the memory', () => {
  assert.throws(() => formatInteger(1, '99999999999'), FormatSpecError);
});
