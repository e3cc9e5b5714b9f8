import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CacheConfig } from '../../../src/archive/cache/cache-config.ts';
import { CacheDirectory } from '../../../src/archive/cache/cache-directory.ts';
import { ChunkIndex } from '../../../src/archive/cache/chunk-index.ts';
import { FileIntegrityError } from '../../../src/errors.ts';
import type { CrashPolicy } from '../../../src/store/memory-node.ts';
import { KEEP_UNSYNCED, LOSE_UNSYNCED, MemoryStore } from '../../../src/store/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { initXxh64 } from '../../../src/util/xxh64.ts';
import { CrashError, FaultyStore } from '../../faults/faulty-store.ts';
import { seededRandom } from '../../random.ts';

/** In step with the manifest `state`: one chunk, with so many references. */
function write(directory: CacheDirectory, config: CacheConfig, state: number): void {
  const index = new ChunkIndex();
  index.set(new Uint8Array(32).fill(9), { refcount: state, sizeBytes: 10, csizeBytes: 5 });
  config.integrity.set('files', directory.writeFilesCache([new Uint8Array(100).fill(state)]));
  config.integrity.set('chunks', directory.writeChunkIndex('chunks', index));
  config.setInStep(String(state).repeat(64), '2026-01-01T00:00:00.000000', '3');
  directory.saveText('config', config.encode('/repository'));
}

function read(directory: CacheDirectory): CacheConfig {
  return CacheConfig.decode(directory.readText('config'), 'config');
}

/** As the next process does. Gives the state, or undefined where the cache is recognized as damaged. */
function stateOf(store: Store): number | undefined {
  const directory = new CacheDirectory(store, undefined);
  directory.rollback();
  const config = read(directory);
  const state = Number(config.manifestIdHex[0]);
  try {
    const integrity = config.integrity.get('chunks')!;
    const { refcount } = directory.readChunkIndex('chunks', { integrity }).get(new Uint8Array(32).fill(9))!;
    assert.equal(refcount, state);
    return state;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (error instanceof FileIntegrityError || isMissing) return undefined;
    throw error;
  }
}

const policies: Record<string, (seed: number) => CrashPolicy> = {
  'nothing unsynced': () => LOSE_UNSYNCED,
  'all unsynced': () => KEEP_UNSYNCED,
  'some of it, out of order': (seed) => {
    const random = seededRandom(seed);
    return { chooseKept: (limit) => random.integer(limit + 1), keepsLater: () => random.next() < 0.5 };
  },
  'zeros for some of it': (seed) => {
    const random = seededRandom(seed);
    return { chooseKept: (limit) => random.integer(limit + 1), zeroFilled: () => true };
  },
};

describe('a transaction of the cache', () => {
  for (const [name, makePolicy] of Object.entries(policies)) {
    it(`leaves the old state, the new, or one known to be damaged, after a crash that leaves ${name}`, async () => {
      await initXxh64();
      const made = new MemoryStore();
      const first = new CacheDirectory(made, undefined);
      first.writeText('README', '');
      first.store.createFolder('chunks.archive.d');
      write(first, CacheConfig.create('ab'.repeat(32)), 1);
      const base = made.afterCrash(KEEP_UNSYNCED);
      for (let at = 0; ; at++) {
        const memory = base.afterCrash(KEEP_UNSYNCED);
        const store = new FaultyStore(memory, { at, kind: 'crash' });
        let crashed = false;
        try {
          const directory = new CacheDirectory(store, undefined);
          directory.rollback();
          directory.beginTransaction();
          write(directory, read(directory), 2);
          directory.endTransaction();
        } catch (error) {
          if (!(error instanceof CrashError)) throw error;
          crashed = true;
        }
        // Without a power failure nothing is damaged.
        const killed = stateOf(memory.afterCrash(KEEP_UNSYNCED));
        assert.ok(killed === 1 || killed === 2, `${at}: ${store.operations.at(-1)}`);
        const found = stateOf(memory.afterCrash(makePolicy(at)));
        assert.ok(found === undefined || found === 1 || found === 2);
        if (!crashed) break;
      }
    });
  }
});
