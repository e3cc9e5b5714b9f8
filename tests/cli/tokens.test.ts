import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OptionSpec } from '../../src/cli/options/option.ts';
import { readTokens } from '../../src/cli/options/tokens.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const options: readonly OptionSpec[] = [
  { flags: ['-s', '--stats'], dest: 'stats', help: '' },
  { flags: ['--stdin-name'], dest: 'stdinName', metavar: 'NAME', help: '' },
  { flags: ['--no-cache-sync'], dest: 'noCacheSync', help: '' },
  { flags: ['-e', '--exclude'], dest: 'patterns', metavar: 'PATTERN', help: '' },
  { flags: ['--exclude-from'], dest: 'patterns', metavar: 'FILE', help: '' },
  { flags: ['--mode'], dest: 'mode', metavar: 'MODE', impliedText: 'usual', help: '' },
  { flags: ['--info', '-v', '--verbose'], dest: 'level', help: '' },
];

function read(argv: string[], operandCount?: number): [string, string | undefined][] {
  const { occurrences } = readTokens('create', options, argv, operandCount);
  return occurrences.map(({ flag, text }) => [flag, text]);
}

describe('readTokens()', () => {
  it('keeps the order of options of different names', () => {
    assert.deepEqual(read(['-e', 'a', '--exclude-from', 'f', 'REPO', '--exclude=b', '-ec']), [
      ['-e', 'a'],
      ['--exclude-from', 'f'],
      ['--exclude', 'b'],
      ['-e', 'c'],
    ]);
  });

  const accepted: [title: string, argv: string[], occurrences: [string, string | undefined][]][] = [
    ['an abbreviation that only one option has', ['--stat'], [['--stats', undefined]]],
    ['an abbreviation with a value', ['--stdin=x'], [['--stdin-name', 'x']]],
    ['a name that begins others', ['--exclude', 'x'], [['--exclude', 'x']]],
    ['an option that begins with --no', ['--no-cache-sync'], [['--no-cache-sync', undefined]]],
    [
      'one-letter options in one word',
      ['-vsex'],
      [
        ['-v', undefined],
        ['-s', undefined],
        ['-e', 'x'],
      ],
    ],
    ['a value that begins with a dash and has a space', ['-e', '- x'], [['-e', '- x']]],
    ['a value behind an equals sign and one letter', ['-ve=x'], read(['-v', '-e', 'x'])],
    ['a value that is a negative number', ['-e', '-5'], [['-e', '-5']]],
    ['an implied value at the end', ['REPO', '--mode'], [['--mode', 'usual']]],
    [
      'an implied value before another option',
      ['--mode', '-s'],
      [
        ['--mode', 'usual'],
        ['-s', undefined],
      ],
    ],
    ['a value in place of the implied one', ['--mode', 'other'], [['--mode', 'other']]],
    ['a value joined in place of the implied one', ['--mo=other', 'x'], [['--mode', 'other']]],
    ['a lone dash as a value', ['--exclude-from', '-'], [['--exclude-from', '-']]],
    [
      'an empty value',
      ['--exclude=', '--stdin-name', ''],
      [
        ['--exclude', ''],
        ['--stdin-name', ''],
      ],
    ],
    ['a value with an equals sign', ['--exclude=a=b'], [['--exclude', 'a=b']]],
    [
      'all spellings',
      ['--info', '-v', '--verbose'],
      [
        ['--info', undefined],
        ['-v', undefined],
        ['--verbose', undefined],
      ],
    ],
  ];
  for (const [title, argv, occurrences] of accepted) {
    it(`takes ${title}`, () => assert.deepEqual(read(argv), occurrences));
  }

  const refused: [title: string, argv: string[], message: string][] = [
    [
      'an abbreviation that several options have',
      ['--st'],
      'ambiguous option: --st could match --stats, --stdin-name',
    ],
    ['a missing value', ['--exclude'], 'argument -e/--exclude: expected one argument'],
    [
      'an option in place of a value',
      ['--exclude', '--stats'],
      'argument -e/--exclude: expected one argument',
    ],
    ['an unknown option in place of a value', ['-e', '-x'], 'argument -e/--exclude: expected one argument'],
    ['a value that nobody wants', ['--stats=1'], "argument -s/--stats: ignored explicit argument '1'"],
    ['one behind a letter', ['-vs=1'], "argument -s/--stats: ignored explicit argument '1'"],
    [
      'an option and a space in place of a value',
      ['-e', '-s x'],
      'argument -e/--exclude: expected one argument',
    ],
  ];
  for (const [title, argv, message] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => read(argv),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.equal(error.message, message);
          assert.equal(error.command, 'create');
          return true;
        },
      );
    });
  }

  it('gives operands in order, and options between them', () => {
    const { operands, occurrences } = readTokens('x', options, ['a', '-s', 'b', '-', '--', '-v']);
    assert.deepEqual(operands, ['a', 'b', '-', '-v']);
    assert.equal(occurrences.length, 1);
  });

  it('names all unknown options', () => {
    const { unknown } = readTokens('x', options, ['a', '--foo', '-s', '--bar=1', 'b', '-s9x']);
    assert.deepEqual(unknown, ['--foo', '--bar=1', '-9x']);
  });

  it('leaves all behind a number of operands alone where asked', () => {
    const argv = ['-v', 'repo', '-s', 'cmd', '--', '-s', '--what'];
    const { operands, occurrences } = readTokens('x', options, argv, 2);
    assert.deepEqual(operands, ['repo', 'cmd', '--', '-s', '--what']);
    assert.deepEqual(
      occurrences.map(({ flag }) => flag),
      ['-v', '-s'],
    );
  });
});
