import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { CacheDirectory } from '../../../src/archive/cache/cache-directory.ts';
import { VerifyRotation } from '../../../src/archive/cache/verify-rotation.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../../src/store/memory-store.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { FaultyStore } from '../../faults/faulty-store.ts';
import { RecordingReporter } from '../scratch.ts';

const FILE = 'alcove-verified.files';
const hashOf = (name: string): Uint8Array => createHash('sha256').update(name).digest();
const files = Array.from({ length: 300 }, (_, number) => hashOf(`file ${number}`));
// The ends of the ring, too.
files.push(new Uint8Array(32), new Uint8Array(32).fill(255));

function rotation(
  store: MemoryStore | FaultyStore,
  percent: number,
  series = 'home',
  reporter = new RecordingReporter(),
) {
  return new VerifyRotation(new CacheDirectory(store, undefined), hashOf(series), percent, reporter);
}

function due(one: VerifyRotation): Set<number> {
  return new Set(files.keys().filter((number) => one.isDue(files[number]!)));
}

describe('VerifyRotation', () => {
  it('comes to every file within 100/PERCENT backups, whatever PERCENT is', () => {
    const percent = fc.double({ min: 0.5, max: 100, noNaN: true });
    fc.assert(
      fc.property(percent, fc.nat(50), (share, before) => {
        const store = new MemoryStore();
        for (let i = 0; i < before; i++) rotation(store, 7.3).advance();
        const seen = new Set<number>();
        for (let run = 0; run < Math.ceil(100 / share); run++) {
          const one = rotation(store, share);
          for (const number of due(one)) seen.add(number);
          one.advance();
        }
        assert.equal(seen.size, files.length);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves no gap where PERCENT is another each time', () => {
    const store = new MemoryStore();
    const seen = new Set<number>();
    for (const share of [10, 33, 1.5, 40, 15.5]) {
      const one = rotation(store, share);
      for (const number of due(one)) seen.add(number);
      one.advance();
    }
    assert.equal(seen.size, files.length);
  });

  it('takes about the share that was asked for, and none or all of them at the ends', () => {
    const store = new MemoryStore();
    const count = due(rotation(store, 25)).size;
    assert.ok(count > 50 && count < 100, String(count));
    assert.equal(due(rotation(store, 100)).size, files.length);
  });

  it('takes the same files again after a backup that did not end', () => {
    const store = new MemoryStore();
    rotation(store, 20).advance();
    const killed = due(rotation(store, 20));
    assert.deepEqual(due(rotation(store, 20)), killed);
  });

  it('turns for each list of paths apart, so that jobs that alternate each come round', () => {
    const store = new MemoryStore();
    const seen = { home: new Set<number>(), etc: new Set<number>() };
    for (let run = 0; run < 20; run++) {
      const series = run % 2 === 0 ? 'home' : 'etc';
      const one = rotation(store, 10, series);
      for (const number of due(one)) seen[series].add(number);
      one.advance();
    }
    assert.equal(seen.home.size, files.length);
    assert.equal(seen.etc.size, files.length);
  });

  it('keeps the positions of a hundred lists of paths, and forgets the ones that moved first', () => {
    const store = new MemoryStore();
    for (let i = 0; i < 101; i++) rotation(store, 50, `job ${i}`).advance();
    assert.deepEqual(due(rotation(store, 50, 'job 0')), due(rotation(store, 50, 'new')));
    assert.notDeepEqual(due(rotation(store, 50, 'job 1')), due(rotation(store, 50, 'new')));
  });

  const damages: [what: string, text: string][] = [
    ['no JSON', '{'],
    ['empty', ''],
    ['of another version', '{"version": 2, "positions": {}}'],
    ['with a position off the ring', `{"version": 1, "positions": {"${'0'.repeat(32)}": 4294967296}}`],
    ['with a position that is no number', `{"version": 1, "positions": {"${'0'.repeat(32)}": "1"}}`],
    ['with a strange name', '{"version": 1, "positions": {"__proto__x": 1}}'],
  ];
  for (const [what, text] of damages) {
    it(`starts from the beginning and says so where its file is ${what}`, () => {
      const store = new MemoryStore();
      store.appendFile(FILE, fromUtf8(text));
      const reporter = new RecordingReporter();
      const one = rotation(store, 20, 'home', reporter);
      const first = due(one);
      assert.deepEqual(first, due(rotation(new MemoryStore(), 20)));
      assert.equal(reporter.logged.length, 1);
      assert.match(reporter.logged[0]!, /^warning: .*alcove-verified\.files can't be used: it is damaged/);
      one.advance();
      assert.notDeepEqual(due(rotation(store, 20)), first);
    });
  }

  it('warns where its file cannot be written, and takes the same files next time', () => {
    const store = new FaultyStore(new MemoryStore(), { at: 1, kind: 'ENOSPC' });
    const reporter = new RecordingReporter();
    const one = rotation(store, 20, 'home', reporter);
    const before = due(one);
    one.advance();
    assert.match(reporter.warnings[0]!.message, /can't be written .*the same files again/);
    store.fault = undefined;
    assert.deepEqual(due(rotation(store, 20)), before);
  });

  it('has the old position or the new one after a crash', () => {
    for (let at = 0; ; at++) {
      const memory = new MemoryStore();
      rotation(memory, 20).advance();
      const allowed = [due(rotation(memory, 20))];
      const next = memory.afterCrash(KEEP_UNSYNCED);
      rotation(next, 20).advance();
      allowed.push(due(rotation(next, 20)));
      const store = new FaultyStore(memory, { at, kind: 'crash' });
      try {
        rotation(store, 20).advance();
        break;
      } catch {
        const found = due(rotation(memory.afterCrash(), 20));
        assert.ok(allowed.some((set) => set.symmetricDifference(found).size === 0));
      }
    }
  });
});
