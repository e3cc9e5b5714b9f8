import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pattern, parsePattern, PatternError } from '../../../src/archive/patterns/pattern.ts';

/** Pattern, paths that it matches, paths that it does not; as the reference has it. */
const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['fm:*.o', ['a.o', 'lib/b.o', 'a.o/c'], ['a.obj', 'o']],
  ['fm:home/*/cache', ['home/u/cache', 'home/u/v/cache', 'home/u/cache/x'], ['home/cache', 'x/home/u/cache']],
  ['fm:dir/', ['dir/a', 'dir/a/b'], ['dir']],
  ['fm:/etc/pass?d', ['etc/passwd', 'etc/pass/d'], ['etc/passd']],
  ['fm:[!a-c]x', ['dx', '-x'], ['ax']],
  ['fm:[]-]z', [']z', '-z'], ['az']],
  ['fm:[z-a]q', [], ['zq', 'q', '[z-a]q']],
  ['fm:a[b', ['a[b'], ['ab']],
  ['fm:../up/./x//y', ['../up/x/y'], ['up/x/y']],
  ['sh:**/node_modules', ['node_modules', 'a/node_modules', 'a/b/node_modules/c'], ['a/node_modulesx']],
  ['sh:home/*/cache', ['home/u/cache', 'home/u/cache/x/y'], ['home/u/v/cache']],
  ['sh:a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb']],
  ['sh:dir/', ['dir/a', 'dir/a/b'], ['dir']],
  ['sh:*.log', ['x.log', 'x.log/y'], ['d/x.log']],
  ['sh:x[^a]y', ['x^y', 'xay'], ['xby']],
  ['sh:x[!a]y', ['xby', 'x/y'], ['xay']],
  ['sh:a***/b', ['ax/b', 'a/b', 'ax/y/b'], []],
  ['pp:etc/ssl/', ['etc/ssl', 'etc/ssl/certs'], ['etc/sslx', 'ssl']],
  ['pp:/', ['', 'a', 'a/b'], []],
  ['pf:/etc//passwd', ['etc/passwd'], ['etc/passwd/x', 'etc']],
  ['re:^home/[^/]+/\\.cache', ['home/u/.cache/x'], ['home/u/v/.cache', 'xhome/u/.cache']],
  ['re:\\.tmp$', ['a.tmp', 'a.tmp\n'], ['a.tmpx']],
  ['re:\\.tmp\\Z', ['a.tmp'], ['a.tmp\n']],
  ['re:(?i)readme', ['x/README.md'], ['read me']],
  ['re:^\\w+$', ['\u00e9mil'], ['a b', 'a\u0301', '\udcff']],
  ['re:(?P<a>x)-(?P=a)', ['x-x'], ['x-y']],
  ['re:(?x) a b # note\n c', ['abc'], ['a b c']],
  ['re:a{,2}b$', ['aab', 'b'], ['c']],
  ['re:(?m:^two$)', ['one\ntwo\nthree'], ['one two']],
  ['re:^.$', ['\ud83d\ude00'], ['ab', '\n']],
  ['re:(?s)^a.b$', ['a\nb', 'a/b'], []],
  ['re:x\\u00e9|\\x41{2}', ['x\u00e9', 'AA'], ['A']],
  ['re:(?>a+)b', ['aab'], ['aa']],
  ['re:\\bcat\\b', ['a cat b'], ['concat', 'cat\u00e9cat']],
  ['re:[\\W\\d]+z', ['-z', '3z'], ['az']],
  ['fm:*\udcff*', ['a\udcffb'], ['ab']],
  ['fm:caf?', ['caf\u00e9', 'cafe'], ['cafe\u0301']],
];

for (const [text, matching, others] of cases) {
  test(`parsePattern() reads ${JSON.stringify(text)} as Borg does`, () => {
    const pattern = parsePattern(text);
    for (const path of matching) assert.equal(pattern.matches(path), true, path);
    for (const path of others) assert.equal(pattern.matches(path), false, path);
    assert.equal(pattern.matchCount, matching.length);
  });
}

test('parsePattern() takes the fallback style without a prefix of two letters or digits', () => {
  assert.equal(parsePattern('a:b', 'sh').style, 'sh');
  assert.equal(parsePattern('sh:b', 'pp').style, 'sh');
  assert.equal(parsePattern('-a:b').style, 'fm');
  assert.equal(parsePattern('re:').original, '');
});

for (const [text, message] of [
  ['xx:a', /Unknown pattern style: xx/],
  ['re:(', /missing \)/],
  ['re:a**', /multiple repeat/],
  ['re:*a', /nothing to repeat/],
  ['re:[b-a]', /bad character range/],
  ['re:\\q', /bad escape/],
  ['re:(a)?\\1', /may not have matched/],
  ['re:(?(1)a|b)', /conditional groups are not supported/],
  ['re:a(?i)b', /global flags not at the start/],
  ['re:(?P<1>a)', /bad character in group name/],
  ['re:(?P=x)', /invalid group reference/],
  ['re:a{3,2}', /min repeat greater than max repeat/],
  ['re:[a', /unterminated character set/],
  ['re:a)', /unbalanced parenthesis/],
  ['sh:[b-a]', /bad character range/],
] as const) {
  test(`parsePattern() refuses ${text}`, () => {
    assert.throws(
      () => parsePattern(text),
      (error) => error instanceof PatternError && message.test(error.message),
    );
  });
}

test('matches() does not backtrack without end', () => {
  const pattern = new Pattern('fm', '*a*a*a*a*a*a*a*a*b');
  assert.equal(pattern.matches('a'.repeat(2000)), false);
});
