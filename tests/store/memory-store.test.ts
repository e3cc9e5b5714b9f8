import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KEEP_UNSYNCED, LOSE_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import { createWholeFile, readWholeFile, saveWholeFile } from '../../src/store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import { storeConformance } from './conformance.ts';

storeConformance('MemoryStore', () => new MemoryStore());

const read = (store: MemoryStore, path: string) => toUtf8Lossy(readWholeFile(store, path, 1000));
const names = (crashed: MemoryStore) => crashed.list('').map(({ name }) => name);

describe('MemoryStore.afterCrash()', () => {
  it('loses a file whose name was not synced', () => {
    const store = new MemoryStore();
    createWholeFile(store, 'a', fromUtf8('1'));
    assert.equal(store.afterCrash(LOSE_UNSYNCED).stat('a'), undefined);
    assert.equal(read(store.afterCrash(KEEP_UNSYNCED), 'a'), '1');
    store.syncFolder('');
    assert.equal(read(store.afterCrash(LOSE_UNSYNCED), 'a'), '1');
  });

  it('loses bytes that were not synced, or has zeros in their place', () => {
    const store = new MemoryStore();
    const file = store.createFile('a');
    store.syncFolder('');
    file.write(fromUtf8('safe'));
    file.sync();
    file.write(fromUtf8('lost'));
    assert.equal(read(store.afterCrash(LOSE_UNSYNCED), 'a'), 'safe');
    assert.equal(read(store.afterCrash({ chooseKept: () => 2 }), 'a'), 'safelo');
    const zeros = store.afterCrash({ chooseKept: () => 1, zeroFilled: () => true });
    assert.equal(read(zeros, 'a'), 'safel\0\0\0');
  });

  it('brings back a removed file, and undoes a rename, until the folder is synced', () => {
    const store = new MemoryStore();
    createWholeFile(store, 'a', fromUtf8('old'));
    createWholeFile(store, 'b', fromUtf8('new'));
    store.syncFolder('');
    store.rename('b', 'a');
    const crashed = store.afterCrash(LOSE_UNSYNCED);
    assert.deepEqual([read(crashed, 'a'), read(crashed, 'b')], ['old', 'new']);
    store.syncFolder('');
    assert.deepEqual(store.afterCrash(LOSE_UNSYNCED).list('').length, 1);
  });

  it('keeps changes of one folder in order, or some of them', () => {
    const store = new MemoryStore();
    for (const name of ['1', '2', '3']) createWholeFile(store, name);
    assert.deepEqual(names(store.afterCrash({ chooseKept: () => 2 })), ['1', '2']);
    let asked = 0;
    const crashed = store.afterCrash({ chooseKept: () => 0, keepsLater: () => ++asked === 3 });
    assert.deepEqual(names(crashed), ['3']);
  });

  it('keeps what saveWholeFile() has saved', () => {
    const store = new MemoryStore();
    saveWholeFile(store, 'a', fromUtf8('1'));
    assert.equal(read(store.afterCrash(LOSE_UNSYNCED), 'a'), '1');
  });

  it('keeps two names of one file together', () => {
    const store = new MemoryStore();
    createWholeFile(store, 'a', fromUtf8('1'));
    store.link('a', 'b');
    const crashed = store.afterCrash(KEEP_UNSYNCED);
    assert.equal(crashed.stat('b')?.linkCount, 2);
  });
});
