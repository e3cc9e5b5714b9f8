/** What any Store must do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store.ts';
import { readWholeFile, saveWholeFile } from '../../src/store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';

const write = (store: Store, path: string, text: string) => {
  const file = store.createFile(path);
  file.write(fromUtf8(text));
  file.close();
};
const read = (store: Store, path: string) => toUtf8Lossy(readWholeFile(store, path, 1000));
const names = (store: Store, folder = '') =>
  store
    .list(folder)
    .map((entry) => entry.name)
    .toSorted();
const throwsCode = (work: () => unknown, ...codes: string[]) =>
  assert.throws(work, (error) => hasCode(error, ...codes));

/** `create` gives an empty store, whose root exists. */
export function storeConformance(name: string, create: () => Store): void {
  describe(`${name} as a store`, () => {
    it('createFile() and openFile() write and read bytes', () => {
      const store = create();
      const file = store.createFile('a');
      file.write(fromUtf8('one '), fromUtf8('two '));
      file.write(fromUtf8('three'));
      file.sync();
      file.close();
      const handle = store.openFile('a');
      assert.equal(handle.sizeBytes(), 13);
      const into = new Uint8Array(20);
      assert.equal(handle.read(into.subarray(0, 3), 4), 3);
      assert.equal(toUtf8Lossy(into.subarray(0, 3)), 'two');
      assert.equal(handle.read(into, 8), 5);
      assert.equal(handle.read(into, 13), 0);
      assert.equal(handle.read(into, 99), 0);
      handle.close();
    });

    it('openFile() sees what is written later', () => {
      const store = create();
      const file = store.createFile('a');
      const handle = store.openFile('a');
      file.write(fromUtf8('later'));
      assert.equal(handle.sizeBytes(), 5);
      assert.equal(handle.read(new Uint8Array(9), 0), 5);
      handle.close();
      file.close();
    });

    it('write() takes many and large parts', () => {
      const store = create();
      const file = store.createFile('a');
      const parts = Array.from({ length: 5 }, (_, i) => new Uint8Array(700_001).fill(i));
      file.write(...parts);
      file.close();
      assert.deepEqual(Buffer.from(readWholeFile(store, 'a', 1e7)), Buffer.concat(parts));
    });

    it('createFile() refuses what exists, and a folder that does not', () => {
      const store = create();
      write(store, 'a', '1');
      throwsCode(() => store.createFile('a'), 'EEXIST');
      throwsCode(() => store.createFile('no/a'), 'ENOENT');
      throwsCode(() => store.openFile('b'), 'ENOENT');
    });

    it('list() and stat() tell files and folders apart', () => {
      const store = create();
      store.createFolder('folder');
      write(store, 'folder/file', '123');
      assert.deepEqual(store.list(''), [{ name: 'folder', kind: 'folder', isLink: false }]);
      assert.deepEqual(store.list('folder'), [{ name: 'file', kind: 'file', isLink: false }]);
      assert.deepEqual(store.stat('folder/file'), { kind: 'file', sizeBytes: 3, linkCount: 1 });
      assert.equal(store.stat('folder')?.kind, 'folder');
      assert.equal(store.stat('')?.kind, 'folder');
      assert.equal(store.stat('none'), undefined);
      throwsCode(() => store.list('none'), 'ENOENT');
    });

    it('appendFile() makes the file, then appends', () => {
      const store = create();
      store.appendFile('log', fromUtf8('1\n'));
      store.appendFile('log', fromUtf8('2\n'));
      assert.equal(read(store, 'log'), '1\n2\n');
    });

    it('syncFile() leaves a file as it is, which must be there', () => {
      const store = create();
      write(store, 'a', 'bytes');
      store.syncFile('a');
      assert.equal(read(store, 'a'), 'bytes');
      throwsCode(() => store.syncFile('b'), 'ENOENT');
    });

    it('overwriteFile() replaces bytes in place', () => {
      const store = create();
      write(store, 'a', 'secret!');
      store.overwriteFile('a', fromUtf8('xxxxxx'));
      assert.equal(read(store, 'a'), 'xxxxxx!');
    });

    it('rename() replaces a file, and an empty folder', () => {
      const store = create();
      write(store, 'a', '1');
      write(store, 'b', '2');
      store.rename('a', 'b');
      assert.equal(read(store, 'b'), '1');
      store.createFolder('full');
      write(store, 'full/x', '');
      store.createFolder('empty');
      store.rename('full', 'empty');
      assert.deepEqual(names(store), ['b', 'empty']);
      assert.deepEqual(names(store, 'empty'), ['x']);
    });

    it('rename() refuses to replace a folder that is not empty, and a missing source', () => {
      const store = create();
      for (const folder of ['a', 'b']) {
        store.createFolder(folder);
        write(store, `${folder}/x`, folder);
      }
      throwsCode(() => store.rename('a', 'b'), 'ENOTEMPTY', 'EEXIST');
      assert.equal(read(store, 'b/x'), 'b');
      throwsCode(() => store.rename('none', 'c'), 'ENOENT');
    });

    it('link() gives a file a second name, that outlives the first', () => {
      const store = create();
      write(store, 'a', '1');
      store.link('a', 'b');
      assert.equal(store.stat('a')?.linkCount, 2);
      throwsCode(() => store.link('a', 'b'), 'EEXIST');
      saveWholeFile(store, 'a', fromUtf8('new'));
      assert.equal(read(store, 'a'), 'new');
      assert.equal(read(store, 'b'), '1');
      assert.equal(store.stat('b')?.linkCount, 1);
    });

    it('removeFile() and removeFolder() remove', () => {
      const store = create();
      store.createFolder('f');
      write(store, 'f/a', '1');
      throwsCode(() => store.removeFolder('f'), 'ENOTEMPTY', 'EEXIST');
      store.removeFile('f/a');
      throwsCode(() => store.removeFile('f/a'), 'ENOENT');
      store.removeFolder('f');
      assert.deepEqual(names(store), []);
      throwsCode(() => store.removeFolder('f'), 'ENOENT');
      throwsCode(() => store.syncFolder('f'), 'ENOENT');
    });

    it('an open file can be read after its removal', () => {
      const store = create();
      write(store, 'a', '1');
      const handle = store.openFile('a');
      store.removeFile('a');
      assert.equal(handle.read(new Uint8Array(1), 0), 1);
      handle.close();
    });

    it('saveWholeFile() leaves nothing but the file', () => {
      const store = create();
      store.createFolder('f');
      saveWholeFile(store, 'f/a', fromUtf8('1'));
      saveWholeFile(store, 'f/a', fromUtf8('2'));
      assert.deepEqual(names(store, 'f'), ['a']);
      assert.equal(read(store, 'f/a'), '2');
    });

    it('readWholeFile() refuses a file beyond the limit', () => {
      const store = create();
      write(store, 'a', '12345');
      assert.throws(() => readWholeFile(store, 'a', 4), { name: 'FileTooLargeError' });
    });

    it('freeSpaceBytes() is a number, or unknown', () => {
      const free = create().freeSpaceBytes();
      assert.ok(free === undefined || free > 0);
    });
  });
}
