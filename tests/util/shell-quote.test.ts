import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinShellWords } from '../../src/util/shell-quote.ts';

test('joinShellWords() quotes what a shell would not take as it is', () => {
  const words = ['borg', '', 'a b', "it's", '--x=1', 'é', '$HOME'];
  assert.equal(joinShellWords(words), `borg '' 'a b' 'it'"'"'s' --x=1 'é' '$HOME'`);
});
