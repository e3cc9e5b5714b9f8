import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BorgError, ObjectNotFound } from '../../src/errors.ts';
import { exportKey, importKey, readKeyBackup, writeKeyBackup } from '../../src/keys/key-backup.ts';
import { fromHex } from '../../src/util/bytes.ts';
import type { Environment } from '../../src/util/context.ts';
import { fakeContext, FakeRepository } from './fakes.ts';
import { vectorOf, type KeyVector } from './vectors.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'alcove-backup-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const context = (env: Environment = {}) => fakeContext({ BORG_BASE_DIR: base, ...env });
const keyfile = () => join(base, '.config/borg/keys/name');
const msgid = (expected: string) => (error: unknown) =>
  error instanceof BorgError && error.msgid === expected;

class RepositoryWithManifest extends FakeRepository {
  manifest: Uint8Array | undefined;
  get(): Promise<Uint8Array> {
    if (this.manifest === undefined) return Promise.reject(new ObjectNotFound(['00', 'x']));
    return Promise.resolve(this.manifest);
  }
}

function repositoryOf(vector: KeyVector): RepositoryWithManifest {
  const repository = new RepositoryWithManifest(vector.repositoryId);
  repository.manifest = fromHex(vector.manifest);
  if (vector.encryption === 'repokey') repository.keyBlob = vector.key!.trimEnd();
  if (vector.encryption === 'keyfile') {
    mkdirSync(join(base, '.config/borg/keys'), { recursive: true });
    writeFileSync(keyfile(), vector.key!);
  }
  return repository;
}

const repokey = vectorOf('repokey');
const fileVector = vectorOf('keyfile');

describe('exportKey()', () => {
  it('gives a keyfile as it is', async () => {
    assert.equal(await exportKey(context(), repositoryOf(fileVector)), fileVector.key);
  });

  it('gives a repokey the form of a keyfile', async () => {
    const expected = `BORG_KEY ${repokey.repositoryId}\n${repokey.key!.trimEnd()}\n`;
    assert.equal(await exportKey(context(), repositoryOf(repokey)), expected);
  });

  it('says why there is nothing to export', async () => {
    await assert.rejects(exportKey(context(), repositoryOf(vectorOf('none'))), msgid('UnencryptedRepo'));
    await assert.rejects(exportKey(context(), new RepositoryWithManifest()), msgid('NoManifestError'));
    const empty = repositoryOf(repokey);
    empty.keyBlob = '';
    await assert.rejects(exportKey(context(), empty), msgid('RepoKeyNotFoundError'));
  });
});

describe('importKey()', () => {
  it('brings a repokey back', async () => {
    const repository = repositoryOf(repokey);
    const before = repository.keyBlob;
    const backup = await exportKey(context(), repository);
    repository.keyBlob = '';
    await importKey(context(), repository, backup, 'file');
    assert.equal(repository.keyBlob, before);
  });

  it('brings a keyfile back to where it was, else to a new name or to BORG_KEY_FILE', async () => {
    const repository = repositoryOf(fileVector);
    writeFileSync(keyfile(), `${fileVector.key!}    \n`);
    await importKey(context(), repository, fileVector.key!, 'file');
    assert.equal(readFileSync(keyfile(), 'utf8'), fileVector.key);
    assert.equal(statSync(keyfile()).mode & 0o777, 0o600);
    rmSync(keyfile());
    await importKey(context(), repository, fileVector.key!, 'file');
    assert.equal(readFileSync(join(base, '.config/borg/keys/path_to_repository'), 'utf8'), fileVector.key);
    const path = join(base, 'elsewhere');
    await importKey(context({ BORG_KEY_FILE: path }), repository, fileVector.key!, 'file');
    assert.equal(readFileSync(path, 'utf8'), fileVector.key);
  });

  it('leaves the old key in place where the backup is none, or of another repository', async () => {
    const cases: [string, string][] = [
      ['', 'NotABorgKeyFile'],
      ['something not a key\n', 'NotABorgKeyFile'],
      ['BORG_KEY a0a0a0\n', 'RepoIdMismatch'],
      [fileVector.key!, 'RepoIdMismatch'],
      [`BORG_KEY ${repokey.repositoryId}\n`, 'KeyfileInvalidError'],
      [`BORG_KEY ${repokey.repositoryId}\n${repokey.key!.slice(0, 101)}`, 'KeyfileInvalidError'],
    ];
    for (const [text, expected] of cases) {
      const repository = repositoryOf(repokey);
      const before = repository.keyBlob;
      await assert.rejects(
        importKey(context(), repository, text, 'file'),
        msgid(expected),
        JSON.stringify(text),
      );
      assert.equal(repository.keyBlob, before);
    }
  });
});

describe('writeKeyBackup()', () => {
  it('writes for the owner alone, and readKeyBackup() reads it', () => {
    const path = join(base, 'backup');
    writeKeyBackup(path, 'text');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readKeyBackup(path), 'text');
  });

  it('refuses a folder', () => {
    assert.throws(() => writeKeyBackup(base, 'text'), {
      message: `Command Error: '${base}' must be a file, not a directory`,
    });
    assert.throws(() => readKeyBackup(join(base, 'none')), msgid('CommandError'));
  });
});
