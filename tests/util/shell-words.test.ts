import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { joinShellWords } from '../../src/util/shell-quote.ts';
import { ShellSyntaxError, splitShellWords } from '../../src/util/shell-words.ts';

describe('splitShellWords()', () => {
  // Each as Python's shlex.split() has it.
  for (const [text, words] of [
    ['', []],
    ['  \t\n ', []],
    ['a b  c', ['a', 'b', 'c']],
    ["a 'b c' d", ['a', 'b c', 'd']],
    ['a "b c"d', ['a', 'b cd']],
    ["'' \"\" x''", ['', '', 'x']],
    ['a\\ b', ['a b']],
    ['\\ ', [' ']],
    ['a\\\nb', ['a\nb']],
    ['"a\\"b" "a\\\\b" "a\\$b"', ['a"b', 'a\\b', 'a\\$b']],
    ["'a\\'b", ['a\\b']],
    ['"it\'s" \'say "x"\'', ["it's", 'say "x"']],
    ['# not a comment; | && $HOME *', ['#', 'not', 'a', 'comment;', '|', '&&', '$HOME', '*']],
    ['\\😀 ü', ['😀', 'ü']],
    ['"a\\\\" b', ['a\\', 'b']],
  ] as const) {
    it(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(splitShellWords(text), words));
  }

  for (const [text, message] of [
    ["'open", 'No closing quotation'],
    ['a "b', 'No closing quotation'],
    ['"a\\"', 'No closing quotation'],
    ['a\\', 'No escaped character'],
    ['"a\\', 'No escaped character'],
  ] as const) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => splitShellWords(text),
        (error) => error instanceof ShellSyntaxError && error.message === message,
      );
    });
  }

  it('gives back what joinShellWords() got', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(...Array.from('ab \'"\\$\n#ü')) })), (words) => {
        assert.deepEqual(splitShellWords(joinShellWords(words)), words);
      }),
    );
  });
});
