import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { compareArchives } from '../../../src/archive/diff/compare-archives.ts';
import { formatDiffLine } from '../../../src/archive/diff/format-diff.ts';
import { parseExcludePattern } from '../../../src/archive/patterns/pattern-command.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { ArchiveCrafter, testContext } from '../crafted-archive.ts';

type Names = readonly (string | readonly [path: string, content: string | { source: string }])[];

/** An archive of files whose content is their path, unless it is given; `source` makes a hard link. */
async function archiveOf(names: Names) {
  const crafter = await ArchiveCrafter.create(testContext('/'));
  for (const entry of names) {
    const [path, content] = typeof entry === 'string' ? [entry, entry] : entry;
    if (typeof content !== 'string') crafter.add({ path, source: content.source });
    else crafter.add({ path, chunks: [await crafter.chunk(fromUtf8(content))], hardlinkMaster: true });
  }
  return (await crafter.finish()).archive;
}

async function compare(before: Names, after: Names, matcher = new PatternMatcher()) {
  const ctx = testContext('/');
  const options = { matcher, sameChunker: true, contentOnly: false, numericIds: false };
  const lines: string[] = [];
  for await (const diff of compareArchives(ctx, await archiveOf(before), await archiveOf(after), options)) {
    const text = formatDiffLine(diff).trim().replaceAll(/ +/g, ' ');
    lines.push(diff.equal ? `= ${text}` : text);
  }
  return { lines, warnings: ctx.reporter.warnings.map(({ message }) => message) };
}

describe('compareArchives()', () => {
  it('gives pairs as they meet, then what was added, then what was removed', async () => {
    const { lines } = await compare(['a', 'b', 'gone', 'c', 'd'], ['a', 'new', 'c', 'b', 'd']);
    assert.deepEqual(lines, ['= a', '= c', '= b', '= d', 'added 3 B new', 'removed 4 B gone']);
  });

  it('goes on where one archive ends', async () => {
    assert.deepEqual((await compare([], ['a', 'b'])).lines, ['added 1 B a', 'added 1 B b']);
    assert.deepEqual((await compare(['a', 'b'], ['b'])).lines, ['= b', 'removed 1 B a']);
  });

  it('compares only what the matcher selects', async () => {
    const matcher = PatternMatcher.build([parseExcludePattern('b')]);
    assert.deepEqual((await compare(['a', 'b'], ['a', ['b', 'else']], matcher)).lines, ['= a']);
  });

  it('compares a hard link by the contents of its first name', async () => {
    const link = ['z', { source: 'm' }] as const;
    const { lines } = await compare([['m', 'one'], link], [['m', 'three'], link]);
    assert.deepEqual(lines, ['+5 B -3 B m', '+5 B -3 B z']);
    // A file of its own with the same content is no change.
    assert.deepEqual(
      (
        await compare(
          [
            ['m', 'one'],
            ['z', 'one'],
          ],
          [['m', 'one'], link],
        )
      ).lines,
      ['= m', '= z'],
    );
  });

  it('puts off hard links until their first names were met', async () => {
    const link = ['a', { source: 'm' }] as const;
    const { lines, warnings } = await compare([['m', 'one'], link], [link, ['m', 'two']]);
    assert.deepEqual(lines, ['+3 B -3 B m', '+3 B -3 B a']);
    assert.deepEqual(warnings, []);
  });

  it('warns of a hard link without its first name', async () => {
    const { lines, warnings } = await compare(['a', ['b', { source: 'm' }]], ['a', ['b', { source: 'm' }]]);
    assert.deepEqual(lines, ['= a']);
    const text = 'cannot find hardlink source for b (m), skipping compare.';
    assert.deepEqual(warnings, [text, text]);
  });
});
