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

test('bind() makes a function that formats many things as format() does', () => {
  interface Row {
    readonly name: string;
    readonly width: number;
  }
  const source = '{name:<{width}}|{width:03}|{name!r}{{}}';
  const line = Template.parse(source).bind<Row>(
    (key) => ({ name: ({ name }: Row) => name, width: ({ width }: Row) => width })[key],
  );
  for (const row of [
    { name: 'a', width: 3 },
    { name: 'ü', width: 0 },
  ]) {
    assert.equal(line(row), formatTemplate(source, row));
  }
});

test('bind() finds out that there is no such key when there is something to format', () => {
  const line = Template.parse('{a}{nope}').bind<number>((key) => (key === 'a' ? (from) => from : undefined));
  assert.throws(() => line(1), { name: 'UnknownKeyError', key: 'nope' });
});
