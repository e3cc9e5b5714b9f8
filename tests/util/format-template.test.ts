import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTemplate, Template, TemplateError, UnknownKeyError } from '../../src/util/format-template.ts';

const values = { a: 'xy', b: 7, c: "it's", w: 12 };

for (const [template, expected] of [
  ['{a}', 'xy'],
  ['{a:5}|', 'xy   |'],
  ['{{{a}}}', '{xy}'],
  ['{a!r}{b!r}{b!s:>3}', "'xy'7  7"],
  ['{c!r:>10}', '    "it\'s"'],
  ['{a:{w}}|{a:>{w}}|', 'xy          |          xy|'],
  ['{b:05d}{{}}', '00007{}'],
  ['', ''],
] as const) {
  test(`formatTemplate() makes ${JSON.stringify(expected)} of ${template}`, () => {
    assert.equal(formatTemplate(template, values), expected);
  });
}

for (const template of ['{', '}', 'a}b', '{a', '{a!x}', '{a!rr}', '{b:s}', '{a:{w:{b}}}', '{a{b}}']) {
  test(`formatTemplate() refuses ${template}`, () => {
    assert.throws(() => formatTemplate(template, values), TemplateError);
  });
}

test('format() names the key that there is none of', () => {
  assert.throws(() => formatTemplate('{nope}', values), new UnknownKeyError('nope'));
  assert.throws(() => formatTemplate('{toString}', values), UnknownKeyError);
});

test('keys gives also those within specifications', () => {
  assert.deepEqual([...Template.parse('{a:{w}} {b!r}').keys], ['a', 'w', 'b']);
  assert.deepEqual([...Template.parse('{a:{w}} {b!r}').convertedKeys], ['b']);
});
