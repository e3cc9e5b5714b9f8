import assert from 'node:assert/strict';
import { linkSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Archive } from '../../../src/archive/archive.ts';
import type { CreateArchiveOptions } from '../../../src/archive/create/create.ts';
import { parseExcludePattern } from '../../../src/archive/patterns/pattern-command.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import {
  recreateArchive,
  recreateArchives,
  type RecreateAllOptions,
} from '../../../src/archive/recreate/recreate.ts';
import { openSession, type Session } from '../../../src/archive/session.ts';
import { detectCompression } from '../../../src/compress/decompress.ts';
import { parseCompression } from '../../../src/compress/compression-spec.ts';
import { ArchiveAlreadyExists, CommandError, GeneralError } from '../../../src/errors.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import type { Context } from '../../../src/util/context.ts';
import { Scratch } from '../scratch.ts';
import { noise } from '../../noise.ts';

const nothing: RecreateAllOptions = {
  matcher: new PatternMatcher(),
  excludeCaches: false,
  excludeIfPresent: [],
  keepExcludeTags: false,
  recompress: 'never',
  cmdline: ['alcove', 'recreate'],
  dryRun: false,
  checkpointIntervalSeconds: 0,
  progress: false,
  threads: 1,
};

/** Within one directory, the order would be that of the inodes. */
const source: CreateArchiveOptions['source'] = { kind: 'paths', paths: ['a', 'b', 'c'].map(fromUtf8) };

let scratch: Scratch;

beforeEach(async () => {
  scratch = new Scratch();
  scratch.write('a/file', 'a'.repeat(10_000));
  scratch.write('b/file', noise(300_000, 1));
  mkdirSync(scratch.join('c'));
  linkSync(scratch.join('b/file'), scratch.join('c/file'));
  await scratch.init('none');
  await scratch.create('old', undefined, { comment: 'first', chunkerParams: ['fixed', 100_000, 0], source });
});
afterEach(() => scratch[Symbol.dispose]());

async function recreate(
  options: Partial<RecreateAllOptions> & { target?: string },
  given: { name?: string; ctx?: Context; compression?: string } = {},
): Promise<boolean> {
  await using session = await openSession(given.ctx ?? scratch.context(), scratch.location, {
    operations: ['write'],
    exclusive: true,
    compression: given.compression === undefined ? undefined : parseCompression(given.compression),
  });
  return await recreateArchive(session, given.name ?? 'old', { ...nothing, ...options });
}

async function inspect<T>(look: (session: Session) => T | Promise<T>): Promise<T> {
  await using session = await scratch.open();
  return await look(session);
}

const names = () => inspect((session) => [...session.manifest.archives.keys()]);
const metadataOf = (name: string) => inspect(async (session) => (await Archive.open(session, name)).metadata);

/** How the first file's chunk is stored. */
function stored(): Promise<{ name: string; csize: number }> {
  return inspect(async (session) => {
    const items = await Array.fromAsync((await Archive.open(session, 'old')).items());
    const [chunk] = items.find(({ size }) => size === 10_000)!.chunks!;
    const sealed = await session.repository.get(chunk!.id);
    return { name: detectCompression(session.key.open(undefined, sealed)), csize: chunk!.csize };
  });
}

/** A comparison of buffers would print them. */
async function assertNoise(path: string): Promise<void> {
  const content = (await scratch.contents('old')).get(path);
  assert.ok(content?.equals(noise(300_000, 1)));
}

/** References that each chunk has, and those that the archives make. */
async function assertReferences(): Promise<void> {
  await inspect(async (session) => {
    await using cache = await session.openCache();
    const counted = new Map<string, number>();
    const count = (id: Uint8Array) => {
      const key = Buffer.from(id).toString('hex');
      counted.set(key, (counted.get(key) ?? 0) + 1);
    };
    for (const [name, { id }] of session.manifest.archives) {
      count(id);
      const archive = await Archive.open(session, name, { considerPartFiles: true });
      for (const item of archive.metadata.items) count(item);
      for await (const { chunks } of archive.items()) for (const chunk of chunks ?? []) count(chunk.id);
    }
    const cached = [...cache.chunks.entries()].map(
      ([id, { refcount }]) => [Buffer.from(id).toString('hex'), refcount] as const,
    );
    assert.deepEqual(new Map(cached), counted);
    assert.equal(await session.repository.count(), counted.size + 1);
  });
}

describe('recreateArchive()', () => {
  it('does nothing where nothing is asked for', async () => {
    const { id } = await inspect((session) => session.manifest.archives.get('old')!);
    assert.equal(await recreate({ timestampNs: 1n }), false);
    assert.deepEqual(await inspect((session) => session.manifest.archives.get('old')!.id), id);
  });

  it('keeps time, command and comment, and says what it did itself', async () => {
    const before = await metadataOf('old');
    assert.equal(await recreate({ matcher: PatternMatcher.build([parseExcludePattern('a')]) }), true);
    const { time, timeEnd, cmdline, comment, recreateCmdline, chunkerParams, nfiles } =
      await metadataOf('old');
    assert.deepEqual(
      { time, timeEnd, cmdline, comment, chunkerParams },
      {
        time: before.time,
        timeEnd: before.timeEnd,
        cmdline: before.cmdline,
        comment: 'first',
        // Files are still cut as they were.
        chunkerParams: ['fixed', 100_000, 0],
      },
    );
    assert.deepEqual(recreateCmdline, ['alcove', 'recreate']);
    assert.equal(nfiles, 1);
    assert.deepEqual(await scratch.paths('old'), ['b', 'b/file', 'c', 'c/file']);
    await assertReferences();
  });

  it('moves contents to the next name of a file whose first name is left out', async () => {
    await recreate({ matcher: PatternMatcher.build([parseExcludePattern('b')]) });
    await assertNoise('c/file');
    await assertReferences();
  });

  it('cuts anew, unless the archive is cut in this way', async () => {
    assert.equal(await recreate({ chunkerParams: ['fixed', 100_000, 0] }), false);
    assert.equal(await recreate({ chunkerParams: ['fixed', 70_000, 0] }), true);
    const item = (await scratch.items('old')).find(({ path }) => Buffer.from(path).toString() === 'b/file')!;
    assert.deepEqual(
      item.chunks!.map(({ size }) => size),
      [70_000, 70_000, 70_000, 70_000, 20_000],
    );
    assert.deepEqual((await metadataOf('old')).chunkerParams, ['fixed', 70_000, 0]);
    await assertNoise('b/file');
    await assertReferences();
  });

  it('compresses again what is in another format, or everything', async () => {
    assert.equal((await stored()).name, 'lz4');
    await recreate({ recompress: 'if-different' }, { compression: 'zlib,1' });
    const quick = await stored();
    assert.equal(quick.name, 'zlib');
    await recreate({ recompress: 'if-different' }, { compression: 'zlib,9' });
    assert.deepEqual(await stored(), quick);
    await recreate({ recompress: 'always' }, { compression: 'zlib,9' });
    assert.ok((await stored()).csize < quick.csize);
    await assertReferences();
  });

  it('makes another archive beside the old one', async () => {
    assert.equal(await recreate({ target: 'new', comment: '' }), true);
    assert.deepEqual(await names(), ['new', 'old']);
    assert.equal((await metadataOf('new')).comment, '');
    await assertReferences();
  });

  it('refuses names that are taken, and what a recreate left', async () => {
    await assert.rejects(recreate({ target: 'old' }), ArchiveAlreadyExists);
    await recreate({ target: 'old.recreate' });
    await assert.rejects(recreate({ comment: 'x' }), ArchiveAlreadyExists);
    await assert.rejects(recreate({ comment: 'x' }, { name: 'old.recreate' }), CommandError);
    assert.deepEqual(await names(), ['old', 'old.recreate']);
  });

  it('only tells what it would do in a dry run', async () => {
    const ctx = scratch.context();
    const matcher = PatternMatcher.build([parseExcludePattern('b')]);
    assert.equal(await recreate({ matcher, dryRun: true, recompress: 'always' }, { ctx }), true);
    assert.deepEqual(ctx.reporter.statuses, ['- a', '- a/file', 'x b', 'x b/file', '- c', '- c/file']);
    assert.equal((await scratch.paths('old')).length, 6);
  });

  it('writes checkpoints whose parts are the file', async () => {
    await recreate({ chunkerParams: ['fixed', 70_000, 0], checkpointIntervalSeconds: 1e-9 });
    assert.deepEqual(await names(), ['old']);
    const parts = (await scratch.items('old', true)).filter(({ part }) => part !== undefined);
    assert.deepEqual(
      parts.filter(({ path }) => Buffer.from(path).includes('b/file.')).map(({ size }) => size),
      [70_000, 70_000, 70_000, 70_000, 20_000],
    );
    const { size, sizeParts, nfilesParts } = await metadataOf('old');
    assert.equal(nfilesParts, parts.length);
    assert.equal(sizeParts, size);
    await assertReferences();
  });

  it('keeps the old archive when it is interrupted, and what was done in a checkpoint', async () => {
    const controller = new AbortController();
    const ctx = scratch.context({ signal: controller.signal });
    ctx.reporter.fileStatus = (_status, path) => {
      if (Buffer.from(path).includes('b/file')) controller.abort();
    };
    const run = recreate({ chunkerParams: ['fixed', 70_000, 0] }, { ctx });
    await assert.rejects(run, (error) => error instanceof GeneralError && error.message.includes('SIGINT'));
    assert.deepEqual(await names(), ['old', 'old.recreate.checkpoint']);
    await assertNoise('b/file');
    const [first, ...others] = await scratch.paths('old.recreate.checkpoint', true);
    assert.equal(first, 'a');
    assert.ok(others.includes('b/file.borg_part_1'), others.join());
    await assertReferences();
  });
});

describe('recreateArchives()', () => {
  it('takes the oldest first, skips what has nothing to do, and looks for tags in each archive anew', async () => {
    scratch.write('c/tagged/file', 'wanted');
    await scratch.create('a-newer', undefined, { source });
    scratch.write('c/tagged/.nobackup', '');
    await scratch.create('b-newest', undefined, { source });
    await recreate({ target: 'x.recreate' });
    const calls: string[] = [];
    await using session = await scratch.open();
    await recreateArchives(session, {
      ...nothing,
      excludeIfPresent: [fromUtf8('.nobackup')],
      onArchive: (name) => calls.push(`archive ${name}`),
      onSkipped: (name) => calls.push(`skipped ${name}`),
      onRecreated: ({ name, statistics }) => {
        calls.push(`recreated ${name}: ${statistics.files}`);
        return Promise.resolve();
      },
    });
    await session.close();
    assert.deepEqual(calls, [
      'archive old',
      'skipped old',
      'archive a-newer',
      'skipped a-newer',
      'archive b-newest',
      'recreated b-newest: 2',
    ]);
    assert.ok((await scratch.paths('a-newer')).includes('c/tagged/file'));
    assert.ok(!(await scratch.paths('b-newest')).includes('c/tagged'));
    await assertReferences();
  });

  it('commits the archives before the one in which it is interrupted', async () => {
    await scratch.create('second', undefined, { source });
    const controller = new AbortController();
    const ctx = scratch.context({ signal: controller.signal });
    await using session = await scratch.open(ctx);
    const run = recreateArchives(session, {
      ...nothing,
      comment: 'other',
      onArchive: (name) => {
        if (name === 'second') controller.abort();
      },
    });
    await assert.rejects(run, GeneralError);
    await session.close();
    assert.deepEqual(await names(), ['old', 'second']);
    assert.equal((await metadataOf('old')).comment, 'other');
    assert.equal((await metadataOf('second')).comment, '');
    await assertReferences();
  });
});
