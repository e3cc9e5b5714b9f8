import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeJson, JsonFloat, jsonIndent, type JsonValue } from '../../src/util/json-text.ts';

const cases: readonly (readonly [JsonValue, string])[] = [
  [new JsonFloat(0), '0.0'],
  [new JsonFloat(1e-5), '1e-05'],
  [new JsonFloat(1e16), '1e+16'],
  [new JsonFloat(123456.789), '123456.789'],
  [new JsonFloat(5e-324), '5e-324'],
  [new JsonFloat(-0), '-0.0'],
  [0.1, '0.1'],
  [2 ** 53, '9007199254740992'],
  [1e21, '1000000000000000000000'],
  [-0, '0'],
  [2n ** 64n, '18446744073709551616'],
  ['é\u{1f600}\udcff\x7f"\\\n\u0001', '"\\u00e9\\ud83d\\ude00\\udcff\\u007f\\"\\\\\\n\\u0001"'],
  [' !#[]~', '" !#[]~"'],
  ['a\n', '"a\\n"'],
  [[], '[]'],
  [{}, '{}'],
  [[1, [null, true]], '[1, [null, true]]'],
  [{ b: 1, a: undefined, c: 'x' }, '{"b": 1, "c": "x"}'],
  [
    new Map<string, JsonValue>([
      ['10', 1],
      ['2', new Map()],
    ]),
    '{"10": 1, "2": {}}',
  ],
];

for (const [value, expected] of cases) {
  test(`encodeJson() writes ${expected}`, () => {
    assert.equal(encodeJson(value), expected);
  });
}

test('encodeJson() indents and sorts', () => {
  const text = encodeJson({ b: [1, {}], a: { c: [] } }, { indent: '  ', sortKeys: true });
  assert.equal(text, '{\n  "a": {\n    "c": []\n  },\n  "b": [\n    1,\n    {}\n  ]\n}');
});

for (const [value, expected] of [
  [undefined, '    '],
  ['none', undefined],
  ['None', undefined],
  ['', ''],
  ['2', '  '],
  ['0', ''],
  ['--', '--'],
] as const) {
  test(`jsonIndent() takes BORG_JSON_INDENT=${value}`, () => {
    assert.equal(jsonIndent({ BORG_JSON_INDENT: value }), expected);
  });
}
