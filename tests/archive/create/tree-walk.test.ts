import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { dryRun } from '../../../src/archive/create/backup-source.ts';
import { parsePatternCommand, type PatternRule } from '../../../src/archive/patterns/pattern-command.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { CACHE_TAG_CONTENTS } from '../../../src/platform/home.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { defaults, Scratch } from '../scratch.ts';

const byPath = (a: string, b: string): number => (a.slice(2) < b.slice(2) ? -1 : 1);

/** What a dry run says, sorted by path. */
async function walked(
  build: (scratch: Scratch) => void,
  options: Partial<typeof defaults> & { patterns?: string[] } = {},
): Promise<string[]> {
  using scratch = new Scratch();
  build(scratch);
  const ctx = scratch.context();
  const rules: PatternRule[] = [];
  for (const line of options.patterns ?? []) {
    const command = parsePatternCommand(line);
    if (command.kind === 'rule') rules.push(command.rule);
  }
  await dryRun(ctx, { ...defaults, matcher: PatternMatcher.build(rules), ...options });
  return [...ctx.reporter.statuses.toSorted(byPath), ...ctx.reporter.warnings.map(({ message }) => message)];
}

function plain(scratch: Scratch): void {
  scratch.write('source/a', '');
  scratch.write('source/sub/b', '');
  scratch.write('source/sub/deep/c', '');
  symlinkSync('sub', scratch.join('source/link'));
}

function tagged(scratch: Scratch): void {
  scratch.write('source/cache/CACHEDIR.TAG', `${CACHE_TAG_CONTENTS}\n# a cache`);
  scratch.write('source/cache/big', '');
  scratch.write('source/no-cache/CACHEDIR.TAG', 'something else');
  scratch.write('source/marked/.nobackup', '');
  scratch.write('source/marked/file', '');
  mkdirSync(scratch.join('source/empty'));
}

describe('TreeWalk', () => {
  it('visits all that is below the root, and follows no symlinks', async () => {
    assert.deepEqual(await walked(plain), [
      '- source',
      '- source/a',
      '- source/link',
      '- source/sub',
      '- source/sub/b',
      '- source/sub/deep',
      '- source/sub/deep/c',
    ]);
  });

  it('looks inside an excluded directory for what is included', async () => {
    const patterns = ['+ source/sub/deep', '- source/sub'];
    assert.deepEqual(await walked(plain, { patterns }), [
      '- source',
      '- source/a',
      '- source/link',
      'x source/sub',
      'x source/sub/b',
      '- source/sub/deep',
      '- source/sub/deep/c',
    ]);
  });

  it('does not look inside a directory that is excluded for good', async () => {
    const patterns = ['! source/sub'];
    assert.deepEqual(await walked(plain, { patterns }), [
      '- source',
      '- source/a',
      '- source/link',
      'x source/sub',
    ]);
  });

  it('leaves out a path that is given twice, the second time', async () => {
    const paths = [fromUtf8('source/sub'), fromUtf8('source')];
    const lines = await walked(plain, { source: { kind: 'paths', paths } });
    assert.equal(lines.filter((line) => line.endsWith('source/sub/b')).length, 1);
  });

  it('normalizes the paths that it is given', async () => {
    const paths = [fromUtf8('./source//sub/../a')];
    assert.deepEqual(await walked(plain, { source: { kind: 'paths', paths } }), ['- source/a']);
  });

  it('leaves out directories that are tagged as caches', async () => {
    assert.deepEqual(await walked(tagged, { excludeCaches: true }), [
      '- source',
      'x source/cache',
      '- source/empty',
      '- source/marked',
      '- source/marked/.nobackup',
      '- source/marked/file',
      '- source/no-cache',
      '- source/no-cache/CACHEDIR.TAG',
    ]);
  });

  it('leaves out directories that have a file of the given name', async () => {
    const lines = await walked(tagged, { excludeIfPresent: [fromUtf8('.nobackup')] });
    assert.ok(lines.includes('x source/marked'));
    assert.ok(!lines.some((line) => line.includes('source/marked/')));
    assert.ok(lines.includes('- source/cache/big'));
  });

  it('keeps the tags of directories that it leaves out, where asked to', async () => {
    const lines = await walked(tagged, {
      excludeCaches: true,
      excludeIfPresent: [fromUtf8('.nobackup')],
      keepExcludeTags: true,
    });
    assert.ok(lines.includes('- source/cache/CACHEDIR.TAG'));
    assert.ok(lines.includes('- source/marked/.nobackup'));
    assert.ok(!lines.some((line) => /big|marked\/file/.test(line)));
  });

  it('warns of a root that is not there', async () => {
    const paths = [fromUtf8('nowhere')];
    assert.deepEqual(await walked(() => {}, { source: { kind: 'paths', paths } }), [
      "nowhere: stat: [Errno 2] No such file or directory: 'nowhere'",
    ]);
  });
});
