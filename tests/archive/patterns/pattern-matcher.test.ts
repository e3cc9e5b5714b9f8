import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addExcludeFile,
  addPatternFile,
  addPatternOption,
  parseExcludePattern,
  parsePatternCommand,
  type PatternRules,
} from '../../../src/archive/patterns/pattern-command.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { PatternError } from '../../../src/archive/patterns/pattern.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

function rulesOf(...lines: string[]): PatternRules {
  const rules: PatternRules = { rules: [], roots: [] };
  for (const line of lines) addPatternOption(rules, line);
  return rules;
}

test('match() goes by the first rule that matches', () => {
  const { rules } = rulesOf('+ home/*/keep', '- home/*/k*', '! tmp');
  const matcher = PatternMatcher.build(rules);
  assert.equal(matcher.match('home/u/keep/x'), true);
  assert.equal(matcher.match('/home/u/kill'), false);
  assert.equal(matcher.recurseDir, true);
  assert.equal(matcher.match('tmp/x'), false);
  assert.equal(matcher.recurseDir, false);
  assert.equal(matcher.match(fromUtf8('other')), true);
  assert.equal(matcher.recurseDir, true);
});

test('match() asks full paths before all other rules', () => {
  const matcher = PatternMatcher.build(rulesOf('- sh:a/**', '+ pf:a/b').rules);
  assert.equal(matcher.match('a/b'), true);
  assert.equal(matcher.match('a/b/c'), false);
});

test('match() includes only the paths of the command line where there are any', () => {
  const matcher = PatternMatcher.build(rulesOf('- sh:**/*.o').rules, ['src', 'sh:doc/*.md', 'pf:x', 'none']);
  assert.equal(matcher.match('src/a.c'), true);
  assert.equal(matcher.match('src/a.o'), false);
  assert.equal(matcher.match('doc/a.md'), true);
  assert.equal(matcher.match('doc/a.txt'), false);
  assert.deepEqual(matcher.unmatchedIncludePatterns(), ['none']);
});

test('empty says whether there is anything to match with', () => {
  assert.equal(PatternMatcher.build([]).empty, true);
  assert.equal(PatternMatcher.build([], ['pf:a']).empty, false);
  assert.equal(PatternMatcher.build([parseExcludePattern('a')]).empty, false);
});

test('addPatternFile() reads roots, styles and rules in their order', () => {
  const rules = rulesOf();
  const file = ['# comment', '', '  R /home', 'r /srv ', '- *.a', 'P fm', '-*.b', 'p re', '!c$', '+ sh:d'];
  addPatternFile(rules, fromUtf8(file.join('\r\n')));
  assert.deepEqual(rules.roots, ['/home', '/srv']);
  assert.deepEqual(
    rules.rules.map(({ command, pattern }) => [command, pattern.style, pattern.original]),
    [
      ['exclude', 'sh', '*.a'],
      ['exclude', 'fm', '*.b'],
      ['exclude-no-recurse', 're', 'c$'],
      ['include', 'sh', 'd'],
    ],
  );
});

test('addExcludeFile() reads each line as an fm: pattern that is not recursed into', () => {
  const rules = rulesOf();
  addExcludeFile(rules, Buffer.from('*.o\n#x\n  sh:**/tmp\t\n\xff\n', 'latin1'));
  assert.deepEqual(
    rules.rules.map(({ command, pattern }) => [command, pattern.style, pattern.original, pattern.recurseDir]),
    [
      ['exclude-no-recurse', 'fm', '*.o', false],
      ['exclude-no-recurse', 'sh', '**/tmp', false],
      ['exclude-no-recurse', 'fm', '\udcff', false],
    ],
  );
});

for (const [line, message] of [
  ['', 'A pattern/command must not be empty.'],
  ['x a', 'A pattern/command must start with any of: -, !, +, R, r, P, p'],
  ['-  ', 'A pattern/command must have a value part.'],
  ['P zz', 'Invalid pattern style: zz'],
] as const) {
  test(`parsePatternCommand() refuses ${JSON.stringify(line)}`, () => {
    assert.throws(() => parsePatternCommand(line), new PatternError(message));
  });
}
