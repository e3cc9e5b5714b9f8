import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { parseExcludePattern } from '../../../src/archive/patterns/pattern-command.ts';
import { taggedDirectoryRules } from '../../../src/archive/recreate/tagged-directories.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { ArchiveCrafter, testContext } from '../crafted-archive.ts';

const SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55';
const FOLDER = 0o040755;

interface Given {
  readonly excludeCaches?: boolean;
  readonly names?: readonly string[];
  readonly keepExcludeTags?: boolean;
  readonly matcher?: PatternMatcher;
}

async function craft(build: (crafter: ArchiveCrafter) => Promise<void>) {
  const crafter = await ArchiveCrafter.create(testContext('/'));
  await build(crafter);
  return (await crafter.finish()).archive;
}

/** Paths that are left, after the rules for tags were added. */
async function left(build: (crafter: ArchiveCrafter) => Promise<void>, given: Given): Promise<string[]> {
  const archive = await craft(build);
  const matcher = given.matcher ?? new PatternMatcher();
  const rules = await taggedDirectoryRules(archive, matcher, {
    excludeCaches: given.excludeCaches ?? false,
    excludeIfPresent: (given.names ?? []).map(fromUtf8),
    keepExcludeTags: given.keepExcludeTags ?? false,
  });
  matcher.addRules(rules);
  const paths = await Array.fromAsync(archive.items(), ({ path }) => toUtf8Lossy(path));
  return paths.filter((path) => matcher.match(path));
}

async function caches(crafter: ArchiveCrafter): Promise<void> {
  crafter.add({ path: 'a', mode: FOLDER });
  // The signature in pieces, with more behind it.
  await crafter.addFile('a/CACHEDIR.TAG', SIGNATURE.slice(0, 10), `${SIGNATURE.slice(10)}\n# comment`);
  await crafter.addFile('a/data', 'data');
  crafter.add({ path: 'b', mode: FOLDER });
  await crafter.addFile('b/CACHEDIR.TAG', SIGNATURE.slice(0, -1));
  crafter.add({ path: 'c', mode: FOLDER }).add({ path: 'c/CACHEDIR.TAG', mode: FOLDER });
  await crafter.addFile('ab', 'not in a');
}

async function linked(crafter: ArchiveCrafter): Promise<void> {
  await crafter.addFile('x/other-name', SIGNATURE);
  crafter.add({ path: 'y/CACHEDIR.TAG', source: 'x/other-name' }).add({ path: 'y/data' });
  crafter.add({ path: 'z/CACHEDIR.TAG', source: 'nowhere' });
}

async function tagged(crafter: ArchiveCrafter): Promise<void> {
  crafter.add({ path: 'd', mode: FOLDER }).add({ path: 'd/.no', mode: FOLDER }).add({ path: 'd/e/f' });
  crafter.add({ path: 'g/.nope' }).add({ path: 'g/.never' });
}

describe('taggedDirectoryRules()', () => {
  it('leave out directories with the signature of caches', async () => {
    const rest = ['b', 'b/CACHEDIR.TAG', 'c', 'c/CACHEDIR.TAG', 'ab'];
    assert.deepEqual(await left(caches, { excludeCaches: true }), rest);
  });

  it('leave nothing out where caches are wanted', async () => {
    assert.equal((await left(caches, {})).length, 8);
  });

  it('keep the directory and its tag, where asked', async () => {
    const rest = ['a', 'a/CACHEDIR.TAG', 'b', 'b/CACHEDIR.TAG', 'c', 'c/CACHEDIR.TAG', 'ab'];
    assert.deepEqual(await left(caches, { excludeCaches: true, keepExcludeTags: true }), rest);
  });

  it('find a signature whose file has another first name', async () => {
    // Also where the first name itself is left out.
    const matcher = PatternMatcher.build([parseExcludePattern('x')]);
    assert.deepEqual(await left(linked, { excludeCaches: true, matcher }), ['z/CACHEDIR.TAG']);
  });

  it('leave out directories that have something of a name', async () => {
    assert.deepEqual(await left(tagged, { names: ['.no'] }), ['g/.nope', 'g/.never']);
    assert.deepEqual(await left(tagged, { names: ['.no', '.never'] }), []);
  });

  it('do not count tags that are left out themselves', async () => {
    const matcher = PatternMatcher.build([parseExcludePattern('*/.no')]);
    assert.deepEqual(await left(tagged, { names: ['.no'], matcher }), ['d', 'd/e/f', 'g/.nope', 'g/.never']);
  });
});
