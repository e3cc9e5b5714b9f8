import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  globSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deleteArchives } from '../../../src/archive/delete.ts';
import { ArchiveAlreadyExists, CommandError, FileChangedWarning, GeneralError } from '../../../src/errors.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { Scratch } from '../scratch.ts';
import { noise } from '../../noise.ts';

/** Makes one file newer than all others, since the files cache does not take in what has the newest time. */
async function age(scratch: Scratch): Promise<void> {
  await sleep(30);
  writeFileSync(scratch.join('source', 'newest'), 'newest');
}

function buildSource(scratch: Scratch): void {
  scratch.write('source/one', 'first');
  scratch.write('source/sub/two', noise(1_500_000, 2));
  scratch.write('source/empty', '');
  mkdirSync(scratch.join('source/bare'));
  symlinkSync('one', scratch.join('source/link'));
  linkSync(scratch.join('source/one'), scratch.join('source/other-name'));
}

describe('createArchive()', () => {
  it('stores files, directories, links and their contents', async () => {
    using scratch = new Scratch();
    buildSource(scratch);
    await scratch.init();
    const created = await scratch.create('a');
    assert.deepEqual((await scratch.paths('a')).toSorted(), [
      'source',
      'source/bare',
      'source/empty',
      'source/link',
      'source/one',
      'source/other-name',
      'source/sub',
      'source/sub/two',
    ]);
    const contents = await scratch.contents('a');
    assert.equal(contents.get('source/empty')?.length, 0);
    assert.ok(contents.get('source/sub/two')?.equals(noise(1_500_000, 2)));
    // Of both names of one file, only the first that the walk met has the content.
    assert.equal(contents.size, 3);
    assert.equal(created.statistics.files, 3);
    assert.equal(created.statistics.originalSizeBytes, 1_500_005);
  });

  it('gives a later name of a file the path of the first as its source', async () => {
    using scratch = new Scratch();
    buildSource(scratch);
    await scratch.init();
    await scratch.create('a');
    const names = (await scratch.items('a')).filter((item) => /one|other/.test(toUtf8Lossy(item.path)));
    assert.equal(names.length, 2);
    assert.equal(names[0]!.hardlinkMaster, true);
    assert.deepEqual(names[1]!.source, names[0]!.path);
    assert.equal(names[1]!.chunks, undefined);
  });

  it('links many names of files that are still being read', async () => {
    using scratch = new Scratch();
    for (let i = 0; i < 20; i++) {
      scratch.write(`source/f${i}`, noise(300_000, i));
      for (const n of [1, 2, 3]) linkSync(scratch.join(`source/f${i}`), scratch.join(`source/f${i}-${n}`));
    }
    await scratch.init('authenticated');
    const created = await scratch.create('a', scratch.context(), { threads: 2 });
    assert.equal(created.statistics.files, 20);
    const items = (await scratch.items('a')).slice(1);
    const masters = new Set(
      items.filter((item) => item.chunks !== undefined).map(({ path }) => toUtf8Lossy(path)),
    );
    assert.equal(masters.size, 20);
    const links = items.filter((item) => item.source !== undefined);
    assert.equal(links.length, 60);
    for (const { path, source } of links) {
      assert.ok(masters.has(toUtf8Lossy(source!)));
      assert.equal(toUtf8Lossy(path).split('-')[0], toUtf8Lossy(source!).split('-')[0]);
    }
  });

  it('finds files unchanged by the files cache, and stores nothing then', async () => {
    using scratch = new Scratch();
    buildSource(scratch);
    await age(scratch);
    await scratch.init();
    await scratch.create('a');
    const ctx = scratch.context();
    const created = await scratch.create('b', ctx);
    assert.equal(created.statistics.deduplicatedSizeBytes, 0);
    assert.deepEqual(
      ctx.reporter.statuses.filter((line) => line.startsWith('U')).toSorted(),
      ['U source/empty', 'U source/other-name', 'U source/sub/two'].toSorted().map((line) =>
        // Which of the two names comes first is the file system's to say.
        line.replace('other-name', ctx.reporter.statuses.includes('U source/one') ? 'one' : 'other-name'),
      ),
    );
    assert.deepEqual(await scratch.contents('b'), await scratch.contents('a'));
  });

  it('reads a file again whose size changed, and reports M', async () => {
    using scratch = new Scratch();
    buildSource(scratch);
    await age(scratch);
    await scratch.init();
    await scratch.create('a');
    scratch.write('source/sub/two', 'now shorter');
    const ctx = scratch.context();
    await scratch.create('b', ctx);
    assert.ok(ctx.reporter.statuses.includes('M source/sub/two'));
    assert.equal((await scratch.contents('b')).get('source/sub/two')?.toString(), 'now shorter');
  });

  it('reads an unchanged file again whose chunks are gone from the repository', async () => {
    using scratch = new Scratch();
    buildSource(scratch);
    await age(scratch);
    await scratch.init('authenticated');
    await scratch.create('a');
    const before = await scratch.contents('a');
    await using session = await scratch.open();
    await deleteArchives(session, ['a']);
    await session.repository.commit({ compact: true, threshold: 0 });
    await session.close();
    const ctx = scratch.context();
    await scratch.create('b', ctx);
    assert.ok(ctx.reporter.statuses.includes('M source/sub/two'));
    assert.deepEqual(await scratch.contents('b'), before);
  });

  it('says so where a file changes while it is read, and reads it again next time', async () => {
    using scratch = new Scratch();
    scratch.write('source/log', noise(3_000_000, 1));
    await age(scratch);
    await scratch.init('authenticated');
    const log = scratch.join('source', 'log');
    const ctx = scratch.context();
    // Its size and its mtime stay as they are: nothing else would tell the next backup.
    const { atime, mtime } = statSync(log);
    const changing = setInterval(() => utimesSync(log, atime, mtime), 1);
    const options = { filesCacheMode: 'mis' };
    await scratch.create('a', ctx, options).finally(() => clearInterval(changing));
    assert.ok(ctx.reporter.statuses.includes('C source/log'), String(ctx.reporter.statuses));
    assert.ok(ctx.reporter.warnings[0] instanceof FileChangedWarning);
    const again = scratch.context();
    await scratch.create('b', again, options);
    assert.ok(again.reporter.statuses.includes('A source/log'), String(again.reporter.statuses));
  });

  it('refuses a name that is taken', async () => {
    using scratch = new Scratch();
    scratch.write('source/one', 'x');
    await scratch.init();
    await scratch.create('a');
    await assert.rejects(scratch.create('a'), ArchiveAlreadyExists);
  });

  it('warns of a path that is not there, and goes on', async () => {
    using scratch = new Scratch();
    scratch.write('source/one', 'x');
    await scratch.init();
    const ctx = scratch.context();
    const paths = [fromUtf8('missing'), fromUtf8('source')];
    await scratch.create('a', ctx, { source: { kind: 'paths', paths } });
    assert.deepEqual(
      ctx.reporter.warnings.map(({ msgid, message }) => `${msgid} ${message}`),
      ["BackupFileNotFoundError missing: stat: [Errno 2] No such file or directory: 'missing'"],
    );
    assert.deepEqual(await scratch.paths('a'), ['source', 'source/one']);
  });

  it('leaves out its own repository and cache', async () => {
    using scratch = new Scratch();
    scratch.write('source/one', 'x');
    await scratch.init();
    await scratch.create('a', scratch.context(), { source: { kind: 'paths', paths: [fromUtf8('.')] } });
    const paths = await scratch.paths('a');
    assert.ok(paths.includes('source/one'));
    assert.ok(!paths.some((path) => /^repository|\.cache\/borg/.test(path)), paths.join(' '));
  });

  it('strips the path before /./', async () => {
    using scratch = new Scratch();
    scratch.write('source/deep/er/file', 'x');
    await scratch.init();
    const source = { kind: 'paths', paths: [fromUtf8('source/./deep')] } as const;
    await scratch.create('a', scratch.context(), { source });
    assert.deepEqual(await scratch.paths('a'), ['deep', 'deep/er', 'deep/er/file']);
  });

  it('takes only the listed paths of a path list', async () => {
    using scratch = new Scratch();
    buildSource(scratch);
    scratch.write('list', 'source/sub\nsource/one\r\nnot there\nsource/link');
    await scratch.init();
    const ctx = scratch.context();
    const fd = openSync(scratch.join('list'), 'r');
    await scratch.create('a', ctx, { source: { kind: 'path-list', fd, delimiter: fromUtf8('\n') } });
    assert.deepEqual(await scratch.paths('a'), ['source/sub', 'source/one', 'source/link']);
    assert.ok(ctx.reporter.statuses.includes('E not there'));
  });

  it('stores what a command prints', async () => {
    using scratch = new Scratch();
    await scratch.init();
    const source = { kind: 'content-command', argv: ['sh', '-c', 'printf hello'] } as const;
    const env = { PATH: process.env['PATH'] ?? '' };
    await scratch.create('a', scratch.context({ env }), { source });
    const [item] = await scratch.items('a');
    assert.equal(item?.mode, 0o100660);
    assert.equal((await scratch.contents('a')).get('stdin')?.toString(), 'hello');
  });

  it('makes no archive of a command that fails', async () => {
    using scratch = new Scratch();
    await scratch.init();
    const ctx = scratch.context({ env: { PATH: process.env['PATH'] ?? '' } });
    const source = { kind: 'content-command', argv: ['sh', '-c', 'printf x; exit 3'] } as const;
    await assert.rejects(scratch.create('a', ctx, { source }), CommandError);
    await using session = await scratch.open();
    assert.equal(session.manifest.archives.size, 0);
  });

  it('keeps what was read in a checkpoint when it is interrupted', async () => {
    using scratch = new Scratch();
    await scratch.init();
    const interrupt = new AbortController();
    const env = { PATH: process.env['PATH'] ?? '' };
    const ctx = scratch.context({ env, signal: interrupt.signal });
    // Prints 20 MB, then says nothing more: the file never ends.
    const source = {
      kind: 'content-command',
      argv: ['sh', '-c', 'head -c 20000000 /dev/urandom; sleep 60'],
    } as const;
    const creating = scratch.create('a', ctx, { source });
    const rejected = assert.rejects(creating, GeneralError);
    const storedBytes = (): number =>
      globSync(scratch.join('repository/data/*/*')).reduce((sum, path) => sum + statSync(path).size, 0);
    while (storedBytes() < 4_000_000) await sleep(20);
    interrupt.abort();
    await rejected;
    await using session = await scratch.open();
    assert.deepEqual([...session.manifest.archives.keys()], ['a.checkpoint']);
    await session.close();
    assert.deepEqual(await scratch.paths('a.checkpoint'), []);
    assert.deepEqual(await scratch.paths('a.checkpoint', true), ['stdin.borg_part_1']);
  });

  it('stores extended attributes', { skip: process.platform !== 'linux' }, async (t) => {
    using scratch = new Scratch();
    scratch.write('source/one', 'x');
    try {
      execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', scratch.join('source/one')], {
        stdio: 'ignore',
      });
    } catch {
      return t.skip('no setfattr, or no attributes here');
    }
    await scratch.init();
    await scratch.create('a');
    const item = (await scratch.items('a')).find(({ path }) => toUtf8Lossy(path) === 'source/one');
    assert.equal(toUtf8Lossy(item?.xattrs?.get('user.note') ?? new Uint8Array()), 'kept');
  });

  it('keeps times beyond 2038', async () => {
    using scratch = new Scratch();
    scratch.write('source/late', 'x');
    utimesSync(scratch.join('source/late'), 5_000_000_000, 5_000_000_000);
    await scratch.init();
    await scratch.create('a');
    const item = (await scratch.items('a')).find(({ path }) => toUtf8Lossy(path) === 'source/late');
    assert.equal(item?.mtimeNs, 5_000_000_000_000_000_000n);
  });
});
