import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Archive } from '../../src/archive/archive.ts';
import { deleteArchives } from '../../src/archive/delete.ts';
import { ObjectNotFound } from '../../src/errors.ts';
import { fromUtf8, toHex } from '../../src/util/bytes.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { Scratch } from './scratch.ts';
import { noise } from '../noise.ts';

async function withTwoArchives(test: (scratch: Scratch) => Promise<void>): Promise<void> {
  using scratch = new Scratch();
  scratch.write('source/shared', noise(700_000, 1));
  scratch.write('source/own', noise(700_000, 2));
  await scratch.init('authenticated');
  await scratch.create('a');
  const source = { kind: 'paths', paths: [fromUtf8('source/shared')] } as const;
  await scratch.create('b', scratch.context(), { source });
  await test(scratch);
}

describe('deleteArchives()', () => {
  it('frees what no other archive refers to, and nothing else', () =>
    withTwoArchives(async (scratch) => {
      await using session = await scratch.open();
      const statistics = await deleteArchives(session, ['a']);
      // The file of 700,000 bytes that only this archive has, and its metadata.
      assert.ok(statistics.deduplicatedSizeBytes < -700_000 && statistics.deduplicatedSizeBytes > -704_000);
      await session.close();
      assert.ok((await scratch.contents('b')).get('source/shared')?.equals(noise(700_000, 1)));
    }));

  it('leaves only the manifest when all archives are gone, and a cache without chunks', () =>
    withTwoArchives(async (scratch) => {
      await using session = await scratch.open();
      await deleteArchives(session, ['a', 'b']);
      assert.deepEqual((await session.repository.list()).map(toHex), [toHex(MANIFEST_ID)]);
      await using cache = await session.openCache();
      assert.equal(cache.chunks.size, 0);
    }));

  it('warns of a name that there is no archive of', () =>
    withTwoArchives(async (scratch) => {
      const ctx = scratch.context();
      await using session = await scratch.open(ctx);
      await deleteArchives(session, ['x', 'b']);
      const warnings = ctx.reporter.warnings.map((warning) => warning.message);
      assert.deepEqual(warnings, ['Archive x not found (1/2).']);
      assert.deepEqual([...session.manifest.archives.keys()], ['a']);
    }));

  it('deletes nothing in a dry run', () =>
    withTwoArchives(async (scratch) => {
      await using session = await scratch.open();
      const seen: string[] = [];
      const onArchive = ({ name, number, total }: { name: string; number: number; total: number }) =>
        void seen.push(`${name} ${number}/${total}`);
      await deleteArchives(session, ['a', 'b'], { dryRun: true, onArchive });
      assert.deepEqual(seen, ['a 1/2', 'b 2/2']);
      await session.close();
      assert.equal((await scratch.contents('a')).size, 2);
    }));

  it('fails where the archive is damaged, and changes nothing', () =>
    withTwoArchives(async (scratch) => {
      await damage(scratch, 'a');
      await using session = await scratch.open();
      await assert.rejects(deleteArchives(session, ['a']), ObjectNotFound);
      await session.close();
      await using again = await scratch.open();
      assert.ok(again.manifest.archives.has('a'));
    }));

  it('deletes a damaged archive when forced, and says what is left to do', () =>
    withTwoArchives(async (scratch) => {
      await damage(scratch, 'a');
      const ctx = scratch.context();
      await using session = await scratch.open(ctx);
      await deleteArchives(session, ['a'], { force: true });
      assert.ok(!session.manifest.archives.has('a'));
      assert.ok(ctx.reporter.logged.some((line) => line.includes('borg check --repair is required')));
    }));

  it('takes an archive off the list without looking at it', () =>
    withTwoArchives(async (scratch) => {
      await damage(scratch, 'a');
      await using session = await scratch.open();
      const before = await session.repository.count();
      await deleteArchives(session, ['a'], { listOnly: true });
      assert.equal(await session.repository.count(), before);
      assert.ok(!session.manifest.archives.has('a'));
    }));
});

/** Takes the archive's item stream out of the repository. */
async function damage(scratch: Scratch, name: string): Promise<void> {
  await using session = await scratch.open();
  const archive = await Archive.open(session, name);
  for (const id of archive.metadata.items) await session.repository.delete(id);
  await session.repository.commit();
}
