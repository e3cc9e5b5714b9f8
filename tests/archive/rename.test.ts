import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Archive } from '../../src/archive/archive.ts';
import { renameArchive } from '../../src/archive/rename.ts';
import { ArchiveAlreadyExists, ArchiveDoesNotExist } from '../../src/errors.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;

beforeEach(async () => {
  scratch = new Scratch();
  scratch.write('source/file', 'content');
  await scratch.init();
  for (const name of ['one', 'two']) await scratch.create(name, undefined, { cmdline: ['a', '\udcff'] });
});
afterEach(() => scratch[Symbol.dispose]());

describe('renameArchive()', () => {
  it('changes the name and the id, and nothing else', async () => {
    await using session = await scratch.open();
    const before = await Archive.open(session, 'one');
    const count = await session.repository.count();
    await renameArchive(session, 'one', 'eins');
    await session.close();
    await using later = await scratch.open();
    const after = await Archive.open(later, 'eins');
    assert.deepEqual(after.metadata, { ...before.metadata, name: 'eins' });
    assert.notDeepEqual(after.id, before.id);
    assert.ok(after.verified);
    assert.deepEqual([...later.manifest.archives.keys()], ['eins', 'two']);
    assert.equal(await later.repository.count(), count);
    await using cache = await later.openCache();
    assert.equal(cache.refcount(after.id), 1);
    assert.equal(cache.refcount(before.id), 0);
  });

  it('refuses a name that is taken, also its own, and an archive that is not there', async () => {
    await using session = await scratch.open();
    for (const taken of ['one', 'two']) {
      await assert.rejects(renameArchive(session, 'one', taken), ArchiveAlreadyExists);
    }
    await assert.rejects(renameArchive(session, 'none', 'two'), ArchiveDoesNotExist);
  });
});
