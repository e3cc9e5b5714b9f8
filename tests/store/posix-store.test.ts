import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PosixStore } from '../../src/store/posix-store.ts';
import { storeConformance } from './conformance.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-store-'));
let count = 0;

function createStore(): PosixStore {
  const root = join(scratch, String(count++));
  mkdirSync(root);
  return new PosixStore(root);
}

after(() => rmSync(scratch, { recursive: true }));

storeConformance('PosixStore', createStore);

describe('PosixStore', () => {
  it('createFolder() can make its root', () => {
    const store = new PosixStore(join(scratch, 'new'));
    assert.equal(store.stat(''), undefined);
    store.createFolder('');
    assert.equal(store.stat('')?.kind, 'folder');
  });

  it('list() gives the kind of what a link points to', () => {
    const store = createStore();
    store.createFolder('folder');
    symlinkSync('folder', join(store.root, 'link'));
    symlinkSync('nowhere', join(store.root, 'dangling'));
    const kinds = new Map(store.list('').map((entry) => [entry.name, `${entry.kind} ${entry.isLink}`]));
    assert.equal(kinds.get('link'), 'folder true');
    assert.equal(kinds.get('dangling'), 'other true');
  });

  it('createFile() and createFolder() leave permissions to the umask', () => {
    const store = createStore();
    const umask = process.umask(0o077);
    try {
      store.createFile('a').close();
      store.createFolder('f');
    } finally {
      process.umask(umask);
    }
    assert.equal(statSync(join(store.root, 'a')).mode & 0o777, 0o600);
    assert.equal(statSync(join(store.root, 'f')).mode & 0o777, 0o700);
  });
});
