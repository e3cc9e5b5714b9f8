import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  InvalidRepository,
  ParentPathDoesNotExist,
  PathAlreadyExists,
  RepositoryAlreadyExists,
  RepositoryDoesNotExist,
} from '../../src/errors.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { isRepository } from '../../src/repository/is-repository.ts';
import { breakLock, openRepository } from '../../src/repository/open-repository.ts';
import { dataOf, idOf, testContext } from './fakes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-create-'));
after(() => rmSync(scratch, { recursive: true }));
const context = testContext(scratch);

async function create(path: string, options = {}): Promise<void> {
  await (await createRepository(context, path, options)).close();
}

describe('createRepository()', () => {
  it('makes a repository below the working directory', async () => {
    await using repository = await createRepository(context, 'new');
    assert.equal(repository.location, join(scratch, 'new'));
    assert.equal(isRepository(join(scratch, 'new')), true);
    assert.equal(repository.idHex.length, 64);
  });

  it('takes an empty folder', async () => {
    mkdirSync(join(scratch, 'empty'));
    await create('empty');
  });

  it('leaves permissions to the umask', async () => {
    const umask = process.umask(0o077);
    try {
      await using repository = await createRepository(context, 'private');
      await repository.put(idOf(1), dataOf(1));
      await repository.commit();
    } finally {
      process.umask(umask);
    }
    for (const name of ['', 'data', 'data/0']) {
      assert.equal(statSync(join(scratch, 'private', name)).mode & 0o777, 0o700, name);
    }
    for (const name of ['README', 'config', 'data/0/0', 'index.1', 'hints.1', 'integrity.1']) {
      assert.equal(statSync(join(scratch, 'private', name)).mode & 0o777, 0o600, name);
    }
  });

  it('makes the folders above only when asked to', async () => {
    await assert.rejects(create('a/b/c'), ParentPathDoesNotExist);
    await create('a/b/c', { makeParentDirs: true });
  });

  it('refuses a repository, a place inside one, a folder with files, and a file', async () => {
    await create('taken');
    await assert.rejects(create('taken'), RepositoryAlreadyExists);
    await assert.rejects(create('taken/data/deep', { makeParentDirs: true }), RepositoryAlreadyExists);
    mkdirSync(join(scratch, 'full'));
    writeFileSync(join(scratch, 'full/file'), '');
    await assert.rejects(create('full'), PathAlreadyExists);
    await assert.rejects(create('full/file'), PathAlreadyExists);
  });
});

describe('openRepository()', () => {
  it('refuses what is not there, a file, and a folder without config', async () => {
    await assert.rejects(openRepository(context, 'nowhere'), RepositoryDoesNotExist);
    writeFileSync(join(scratch, 'file'), '');
    await assert.rejects(openRepository(context, 'file'), InvalidRepository);
    mkdirSync(join(scratch, 'folder'));
    await assert.rejects(openRepository(context, 'folder'), InvalidRepository);
    assert.deepEqual(readdirSync(join(scratch, 'folder')), [], 'the lock is released');
  });

  it('gives the location that it was told', async () => {
    await create('remote');
    await using repository = await openRepository(context, 'remote', { location: 'ssh://host/./remote' });
    assert.equal(repository.location, 'ssh://host/./remote');
  });
});

describe('breakLock()', () => {
  it('lets the next one in', async () => {
    await create('locked');
    mkdirSync(join(scratch, 'locked/lock.exclusive'));
    writeFileSync(join(scratch, 'locked/lock.exclusive/elsewhere.1-0'), '');
    await assert.rejects(openRepository(context, 'locked', { lockWaitSeconds: 0 }), { name: 'LockTimeout' });
    await breakLock(context, 'locked');
    await (await openRepository(context, 'locked')).close();
  });
});

describe('destroy()', () => {
  it('removes the folder and all in it, but not what links lead to', async () => {
    writeFileSync(join(scratch, 'kept'), '');
    mkdirSync(join(scratch, 'kept-folder'));
    writeFileSync(join(scratch, 'kept-folder/file'), '');
    const repository = await createRepository(context, 'gone');
    await repository.put(idOf(1), dataOf(1));
    await repository.commit();
    symlinkSync(join(scratch, 'kept-folder'), join(scratch, 'gone/link'));
    await repository.destroy();
    assert.equal(isRepository(join(scratch, 'gone')), false);
    assert.throws(() => statSync(join(scratch, 'gone')), { code: 'ENOENT' });
    assert.deepEqual(readdirSync(join(scratch, 'kept-folder')), ['file']);
  });
});
