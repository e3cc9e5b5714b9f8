import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SaveFile, safeUnlink, saveFile, syncDirectory } from '../../src/platform/save-file.ts';

describe('save-file.ts', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'alcove-save-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('saveFile() creates and replaces a file and leaves nothing else behind', () => {
    const path = join(folder, 'config');
    saveFile(path, 'first');
    saveFile(path, Buffer.from('second'));
    assert.equal(readFileSync(path, 'utf8'), 'second');
    assert.deepEqual(readdirSync(folder), ['config']);
    rmSync(path);
  });

  it('saveFile() gives the mode less the umask', () => {
    const before = process.umask(0o027);
    try {
      const path = join(folder, 'mode');
      saveFile(path, 'x');
      assert.equal(statSync(path).mode & 0o777, 0o640);
      saveFile(path, 'x', { mode: 0o600 });
      assert.equal(statSync(path).mode & 0o777, 0o600);
      rmSync(path);
    } finally {
      process.umask(before);
    }
  });

  it('SaveFile keeps the old file and removes its own where the block throws', () => {
    const path = join(folder, 'kept');
    writeFileSync(path, 'old');
    assert.throws(() => {
      using file = new SaveFile(path);
      file.write(Buffer.from('half of'));
      assert.equal(readdirSync(folder).filter((name) => /^kept-[a-z0-9_]{8}\.tmp$/.test(name)).length, 1);
      throw new Error('the disk caught fire');
    }, /caught fire/);
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(readdirSync(folder), ['kept']);
    rmSync(path);
  });

  it('SaveFile removes its temporary file where the rename fails', () => {
    const path = join(folder, 'a-folder');
    mkdirSync(path);
    assert.throws(() => saveFile(path, 'x'), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(folder), ['a-folder']);
    rmSync(path, { recursive: true });
  });

  it('SaveFile lets the last of two writers win', () => {
    const path = join(folder, 'raced');
    using first = new SaveFile(path);
    using second = new SaveFile(path);
    first.write(Buffer.from('one'));
    second.write(Buffer.from('two'));
    second.commit();
    first.commit();
    assert.equal(readFileSync(path, 'utf8'), 'one');
    assert.throws(() => first.write(Buffer.from('late')), /closed/);
    rmSync(path);
  });

  it('saveFile() reports a missing folder', () => {
    assert.throws(() => saveFile(join(folder, 'nowhere', 'file'), 'x'), { code: 'ENOENT' });
  });

  it('syncDirectory() syncs a folder and reports a missing one', () => {
    syncDirectory(folder);
    assert.throws(() => syncDirectory(join(folder, 'nowhere')), { code: 'ENOENT' });
  });

  it('safeUnlink() removes a file and reports a missing one', () => {
    const path = join(folder, 'gone');
    writeFileSync(path, 'x');
    safeUnlink(path);
    assert.throws(() => safeUnlink(path), { code: 'ENOENT' });
  });
});
