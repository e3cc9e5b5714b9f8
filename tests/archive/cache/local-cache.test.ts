import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  breakCacheLock,
  cacheDirectory,
  cacheLock,
  destroyCache,
} from '../../../src/archive/cache/local-cache.ts';
import { Statistics } from '../../../src/archive/statistics.ts';
import { EncryptionMethodMismatch, LockTimeout, RepositoryReplay } from '../../../src/errors.ts';
import { fromHex, toHex } from '../../../src/util/bytes.ts';
import { Scratch } from '../scratch.ts';
import { noise } from '../../noise.ts';

/** A repository with two archives, and the folder of its cache. */
async function withCache(test: (scratch: Scratch, folder: string) => Promise<void>): Promise<void> {
  using scratch = new Scratch();
  scratch.write('source/one', noise(600_000, 1));
  scratch.write('source/two', noise(10_000, 2));
  await scratch.init('authenticated');
  await scratch.create('a');
  scratch.write('source/three', noise(10_000, 3));
  await scratch.create('b');
  const caches = scratch.join('.cache', 'borg');
  const [id] = readdirSync(caches).filter((name) => /^[0-9a-f]{64}$/.test(name));
  await test(scratch, join(caches, id!));
}

async function counts(scratch: Scratch, ctx = scratch.context()): Promise<Map<string, string>> {
  await using session = await scratch.open(ctx);
  await using cache = await session.openCache({ filesCacheMode: 'cis' });
  const entries = [...cache.chunks.entries()];
  return new Map(
    entries
      .map(([id, entry]) => [toHex(id), Object.values(entry).join(' ')] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('LocalCache', () => {
  it('is rebuilt from the repository with the counts that it had', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      rmSync(folder, { recursive: true });
      assert.deepEqual(await counts(scratch), before);
      // Once more from the indexes of single archives.
      const indexes = readdirSync(join(folder, 'chunks.archive.d')).filter((name) =>
        name.endsWith('.compact'),
      );
      assert.equal(indexes.length, 2);
      rmSync(join(folder, 'config'));
      assert.deepEqual(await counts(scratch), before);
    }));

  it('has nothing to doubt where there was none', () =>
    withCache(async (scratch, folder) => {
      rmSync(folder, { recursive: true });
      const ctx = scratch.context();
      await counts(scratch, ctx);
      const warnings = ctx.reporter.logged.filter((line) => line.startsWith('warning'));
      assert.deepEqual(warnings, []);
    }));

  it('is rebuilt without archive indexes where the user wants none', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      rmSync(folder, { recursive: true });
      assert.deepEqual(
        await counts(scratch, scratch.context({ env: { BORG_USE_CHUNKS_ARCHIVE: 'no' } })),
        before,
      );
      assert.deepEqual(readdirSync(join(folder, 'chunks.archive.d')), []);
    }));

  it('does not read a damaged archive index', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      rmSync(folder, { recursive: true });
      await counts(scratch);
      const indexes = join(folder, 'chunks.archive.d');
      for (const name of readdirSync(indexes).filter((each) => each.endsWith('.compact'))) {
        const bytes = readFileSync(join(indexes, name));
        bytes[60]! ^= 1;
        writeFileSync(join(indexes, name), bytes);
      }
      setOutOfStep(folder);
      const ctx = scratch.context();
      assert.deepEqual(await counts(scratch, ctx), before);
      assert.equal(ctx.reporter.warnings.length, 2);
      assert.match(ctx.reporter.warnings[0]!.message, /^Cached archive chunk index of . is corrupted: /);
    }));

  it('does not trust an archive index without integrity data', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      rmSync(folder, { recursive: true });
      await counts(scratch);
      const indexes = join(folder, 'chunks.archive.d');
      for (const name of readdirSync(indexes)) {
        const path = join(indexes, name);
        if (name.endsWith('.integrity')) rmSync(path);
        // A power failure can leave zeros where entries were.
        else writeFileSync(path, readFileSync(path).fill(0, statSync(path).size - 44));
      }
      setOutOfStep(folder);
      assert.deepEqual(await counts(scratch), before);
    }));

  const damages: [what: string, damage: (folder: string) => void][] = [
    ['a changed byte in chunks', (folder) => flipByte(join(folder, 'chunks'), 40)],
    [
      'a chunks file cut short',
      (folder) => writeFileSync(join(folder, 'chunks'), readFileSync(join(folder, 'chunks')).subarray(0, 99)),
    ],
    ['no chunks file', (folder) => rmSync(join(folder, 'chunks'))],
    ['no config', (folder) => rmSync(join(folder, 'config'))],
  ];
  for (const [what, damage] of damages) {
    it(`is discarded and rebuilt where there is ${what}`, () =>
      withCache(async (scratch, folder) => {
        const before = await counts(scratch);
        damage(folder);
        const ctx = scratch.context();
        assert.deepEqual(await counts(scratch, ctx), before);
        const warning = 'warning: Discarding incompatible or corrupted cache and forcing a cache rebuild';
        assert.ok(ctx.reporter.logged.includes(warning));
        assert.deepEqual(await counts(scratch), before);
      }));
  }

  it('is in step with nothing while it is emptied', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      // As an old Borg leaves it: nothing tells whether chunks is the file that belongs to the manifest.
      const config = join(folder, 'config');
      writeFileSync(config, readFileSync(config, 'utf8').replace(/\[integrity\][^[]*/, ''));
      flipByte(join(folder, 'chunks'), 0);
      rmSync(join(folder, 'files'));
      mkdirSync(join(folder, 'files'));
      await assert.rejects(counts(scratch), /files/);
      rmdirSync(join(folder, 'files'));
      assert.deepEqual(await counts(scratch), before);
    }));

  it('goes on without a damaged files cache', () =>
    withCache(async (scratch, folder) => {
      flipByte(join(folder, 'files'), 10);
      const ctx = scratch.context();
      await scratch.create('c', ctx);
      assert.ok(
        ctx.reporter.logged.some((line) => line.startsWith('warning: The files cache is corrupted.')),
      );
      assert.ok(ctx.reporter.statuses.includes('A source/one'));
    }));

  it('is rolled back where a transaction did not end', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      mkdirSync(join(folder, 'txn.active'));
      for (const name of ['config', 'chunks', 'files']) {
        writeFileSync(join(folder, 'txn.active', name), readFileSync(join(folder, name)));
      }
      writeFileSync(join(folder, 'chunks'), 'half written');
      writeFileSync(join(folder, 'files'), 'half written');
      assert.deepEqual(await counts(scratch), before);
      assert.ok(!existsSync(join(folder, 'txn.active')));
      assert.ok(!existsSync(join(folder, 'txn.tmp')));
    }));

  it('is locked while it is in use', () =>
    withCache(async (scratch) => {
      await using session = await scratch.open();
      await using cache = await session.openCache();
      assert.equal(cache.kind, 'local');
      const directory = cacheDirectory(session.ctx, session.repository.idHex);
      await assert.rejects(cacheLock(session.ctx, directory, 0).acquire(), LockTimeout);
    }));

  it('can be used again after breakCacheLock()', () =>
    withCache(async (scratch) => {
      await using session = await scratch.open();
      const directory = cacheDirectory(session.ctx, session.repository.idHex);
      await cacheLock(session.ctx, directory, 0).acquire();
      breakCacheLock(session.ctx, session.repository.idHex);
      await (await session.openCache()).close();
    }));

  it('is gone after destroyCache()', () =>
    withCache(async (scratch, folder) => {
      await using session = await scratch.open();
      destroyCache(session.ctx, session.repository.idHex);
      assert.ok(!existsSync(folder));
    }));

  it('notices a repository that was set back in time', () =>
    withCache(async (scratch) => {
      renameSync(scratch.join('repository'), scratch.join('newer'));
      cpSync(scratch.join('newer'), scratch.join('repository'), { recursive: true });
      await scratch.create('c');
      rmSync(scratch.join('repository'), { recursive: true });
      renameSync(scratch.join('newer'), scratch.join('repository'));
      await assert.rejects(scratch.open(), RepositoryReplay);
    }));

  it('notices another kind of key', () =>
    withCache(async (scratch, folder) => {
      const config = join(folder, 'config');
      writeFileSync(config, readFileSync(config, 'utf8').replace(/key_type = .*/, 'key_type = 2'));
      await assert.rejects(scratch.open(), EncryptionMethodMismatch);
    }));
});

describe('AdHocCache', () => {
  it('is used where the local cache is not in step, and keeps what was there', () =>
    withCache(async (scratch, folder) => {
      const before = await counts(scratch);
      rmSync(folder, { recursive: true });
      const ctx = scratch.context();
      const created = await scratch.create('c', ctx, { permitAdHocCache: true });
      assert.equal(created.statistics.deduplicatedSizeBytes, 0);
      assert.ok(ctx.reporter.logged.some((line) => line.includes('--no-cache-sync')));
      assert.ok(!existsSync(join(folder, 'chunks')));
      const after = await counts(scratch);
      // One reference more to each chunk of a file, and the new archive's own objects; all sizes are found out.
      for (const [id, entry] of before) assert.ok(after.has(id), entry);
      for (const entry of after.values()) assert.ok(!entry.split(' ').includes('0'), entry);
    }));

  it('deletes nothing that was there, however often it is released', () =>
    withCache(async (scratch, folder) => {
      const ids = [...(await counts(scratch)).keys()].map((hex) => fromHex(hex));
      rmSync(folder, { recursive: true });
      await using session = await scratch.open();
      await using cache = await session.openCache({ permitAdHoc: true });
      await cache.begin();
      for (let i = 0; i < 3; i++) for (const id of ids) await cache.decref(id, new Statistics());
      await session.repository.commit();
      for (const id of ids) assert.ok(await session.repository.has(id));
    }));

  it('is not used where the local cache is in step', () =>
    withCache(async (scratch) => {
      await using session = await scratch.open();
      await using cache = await session.openCache({ permitAdHoc: true });
      assert.equal(cache.kind, 'local');
    }));
});

function setOutOfStep(folder: string): void {
  const config = join(folder, 'config');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(/manifest = .*/g, 'manifest = '));
}

function flipByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1;
  writeFileSync(path, bytes);
}
