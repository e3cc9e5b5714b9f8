import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { Archive } from '../../src/archive/archive.ts';
import { archiveStreams, openArchives } from '../../src/archive/archives-ahead.ts';
import { destroyCache } from '../../src/archive/cache/local-cache.ts';
import { deleteArchives } from '../../src/archive/delete.ts';
import { archiveInfo } from '../../src/archive/listing/archive-info.ts';
import { repositoryStatistics } from '../../src/archive/listing/archive-statistics.ts';
import { pruneArchives } from '../../src/archive/prune.ts';
import { openLocalRepository, openSession, type Session } from '../../src/archive/session.ts';
import { ArchiveDoesNotExist, IntegrityError, ObjectNotFound } from '../../src/errors.ts';
import { decodeItemBatches } from '../../src/archive/item-stream.ts';
import { toHex, toUtf8Lossy } from '../../src/util/bytes.ts';
import { farRepository, Rounds } from '../repository/far-repository.ts';
import { ArchiveCrafter, testContext } from './crafted-archive.ts';
import { addDatedArchives } from './dated-archives.ts';
import { Scratch } from './scratch.ts';

type Work = (session: Session) => Promise<void>;

/** What is done to a repository of more than three archives, one after the other. */
const works: Readonly<Record<string, Work>> = {
  'bringing a lost cache in step': async (session) => {
    destroyCache(session.ctx, session.repository.idHex);
    await using cache = await session.openCache();
    assert.ok(cache.chunks.size > session.manifest.archives.size);
  },
  'bringing a lost cache in step, without archive indexes': async (session) => {
    destroyCache(session.ctx, session.repository.idHex);
    Object.assign(session.ctx.env, { BORG_USE_CHUNKS_ARCHIVE: 'no' });
    await using cache = await session.openCache();
    assert.ok(cache.chunks.size > session.manifest.archives.size);
  },
  'opening all archives': async (session) => {
    const opened = await Array.fromAsync(openArchives(session, session.manifest.archives.keys()));
    assert.equal(opened.length, session.manifest.archives.size);
  },
  'info on all archives': async (session) => {
    await using cache = await session.openCache();
    for await (const stream of archiveStreams(session, session.manifest.archives.keys())) {
      assert.equal((await archiveInfo(session.ctx, stream, cache)).statistics.files, 1);
    }
  },
  'the sizes of all archives': async (session) => {
    await using cache = await session.openCache();
    const { totalSizeBytes } = await repositoryStatistics(session.ctx, session, cache);
    assert.equal(totalSizeBytes, session.manifest.archives.size * 'content'.length);
  },
  'deleting all archives but three': async (session) => {
    await deleteArchives(session, [...session.manifest.archives.keys()].slice(3));
  },
  'pruning all archives but one': async (session) => {
    await pruneArchives(session, { daily: 1 });
    assert.equal(session.manifest.archives.size, 1);
  },
};

/** How often each work has to wait for the repository. */
async function roundsOfWorks(archiveCount: number): Promise<Record<string, number>> {
  using scratch = new Scratch();
  scratch.write('source/file', 'content');
  await scratch.init('authenticated');
  await scratch.create('archive-0');
  const rounds = new Rounds();
  await using session = await openSession(scratch.context(), scratch.location, {
    operations: ['read', 'write', 'delete'],
    exclusive: true,
    open: async (...args) => farRepository(await openLocalRepository(...args), rounds),
  });
  const dated = Array.from({ length: archiveCount - 1 }, (_, index) => {
    return [`archive-${index + 1}`, `2026-01-01T00:00:${String(index).padStart(2, '0')}`] as const;
  });
  await addDatedArchives(session, 'archive-0', dated);
  const counts: Record<string, number> = {};
  for (const [name, work] of Object.entries(works)) {
    rounds.count = 0;
    await work(session);
    counts[name] = rounds.count;
  }
  return counts;
}

test('the number of archives does not change how often work on all of them waits for the repository', async () => {
  assert.deepEqual(await roundsOfWorks(15), await roundsOfWorks(5));
});

async function crafted() {
  const ctx = testContext('/');
  const crafter = await ArchiveCrafter.create(ctx);
  for (let number = 0; number < 10; number++) await crafter.addFile(`file-${number}`, `${number}`);
  const { source, archive, objects } = await crafter.finish();
  const entry = source.manifest.archives.get('crafted')!;
  for (const name of ['again', 'third']) source.manifest.archives.set(name, entry);
  return { source, archive, objects };
}

test('archiveStreams() gives each archive with its item stream, or as much of it as is wanted', async () => {
  const { source, archive } = await crafted();
  const seen: string[] = [];
  for await (const stream of archiveStreams(source, ['third', 'crafted', 'again'])) {
    seen.push(stream.archive.nameInManifest);
    if (stream.archive.nameInManifest === 'crafted') {
      for await (const { plaintext, sizeBytes } of stream.chunks()) {
        assert.equal(plaintext.length, sizeBytes);
        break;
      }
      continue;
    }
    const plaintexts = await Array.fromAsync(stream.chunks(), ({ plaintext }) => plaintext);
    const items = (await Array.fromAsync(decodeItemBatches(Readable.from(plaintexts)))).flat();
    const paths = items.map(({ path }) => toUtf8Lossy(path));
    assert.deepEqual(paths, await Array.fromAsync(archive.items(), ({ path }) => toUtf8Lossy(path)));
  }
  assert.deepEqual(seen, ['third', 'crafted', 'again']);
});

test('archiveStreams() gives what comes behind a chunk that is missing', async () => {
  const { source, archive, objects } = await crafted();
  objects.delete(toHex(archive.metadata.items[2]!));
  const counts: number[] = [];
  for await (const { chunks } of archiveStreams(source, ['crafted', 'again'])) {
    let count = 0;
    await assert.rejects(async () => {
      for await (const { sizeBytes } of chunks()) count += Math.sign(sizeBytes);
    }, ObjectNotFound);
    counts.push(count);
  }
  assert.deepEqual(counts, [2, 2]);
});

test('archiveStreams() throws in its turn that an archive is not there, or damaged', async () => {
  const { source, archive, objects } = await crafted();
  const damaged = { id: new Uint8Array(32).fill(7), time: '' };
  objects.set(toHex(damaged.id), objects.get(archive.idHex)!);
  source.manifest.archives.set('damaged', damaged);
  source.manifest.archives.set('lost', { id: new Uint8Array(32).fill(8), time: '' });
  const rows = [
    ['nobody', ArchiveDoesNotExist],
    ['lost', ObjectNotFound],
    ['damaged', IntegrityError],
  ] as const;
  for (const [name, error] of rows) {
    for (const open of [openArchives, archiveStreams]) {
      let count = 0;
      await assert.rejects(async () => {
        for await (const _ of open(source, ['crafted', 'again', name, 'third'])) count += 1;
      }, error);
      assert.equal(count, 2);
    }
  }
  await assert.rejects(Archive.open(source, 'damaged'), IntegrityError);
});
