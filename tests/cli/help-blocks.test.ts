import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBlocks } from '../../src/cli/help/blocks.ts';
import { formatBlocks } from '../../src/cli/help/wrap.ts';
import { textWidth } from '../../src/cli/output/width.ts';
import { topics } from '../../src/cli/help/topic-list.ts';

describe('readBlocks()', () => {
  it('tells paragraphs, headings, definitions and what is kept as it is', () => {
    const text = `
Two lines
of a paragraph.

# A heading

  one       the first
  a second  goes on
            below

- KEY: what it is
- OTHER

    if so
      then
`;
    assert.deepEqual(readBlocks(text), [
      { kind: 'paragraph', text: 'Two lines of a paragraph.' },
      { kind: 'heading', text: 'A heading' },
      {
        kind: 'definitions',
        entries: [
          ['one', 'the first'],
          ['a second', 'goes on below'],
        ],
      },
      {
        kind: 'definitions',
        entries: [
          ['KEY', 'what it is'],
          ['OTHER', ''],
        ],
      },
      { kind: 'literal', lines: ['if so', '  then'] },
    ]);
  });
});

describe('formatBlocks()', () => {
  it('fits the width, except for what is kept as it is', () => {
    for (const { name, text } of topics) {
      const literal = readBlocks(text).flatMap((block) => (block.kind === 'literal' ? block.lines : []));
      for (const line of formatBlocks(text, 60).split('\n')) {
        assert.ok(textWidth(line) <= 60 || literal.includes(line.slice(2)), `${name}: ${line}`);
      }
    }
  });
});
