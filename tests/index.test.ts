/** The library as another program uses it: each thing by the names that src/index.ts exports, and by nothing else. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import * as alcove from '../src/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const READ = { operations: ['read'] } as const;
const CHANGE = { operations: ['read', 'write', 'delete'], exclusive: true } as const;

describe('the library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'alcove-test-'));
  const ctx = alcove.createContext({
    cwd: folder,
    env: { BORG_BASE_DIR: join(folder, 'home'), BORG_PASSPHRASE: 'library' },
  });
  const location = alcove.Location.parse(join(folder, 'repo'));

  async function backUp(name: string, rules: alcove.PatternRule[] = []): Promise<alcove.CreatedArchive> {
    await using session = await alcove.openRepository(ctx, location, CHANGE);
    return await alcove.createArchive(session, {
      ...alcove.createDefaults(),
      name,
      source: { kind: 'paths', paths: [bytes('tree')] },
      matcher: alcove.PatternMatcher.build(rules),
    });
  }

  async function names(): Promise<string[]> {
    await using session = await alcove.openRepository(ctx, location, READ);
    return alcove.listArchives(session.manifest.archives).map((archive) => archive.name);
  }

  before(async () => {
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree/note'), 'first\n');
    writeFileSync(join(folder, 'tree/skipped.o'), 'object\n');
    await using _session = await alcove.initRepository(ctx, location, { encryption: 'repokey' });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('creates archives, and tells what differs between them', async () => {
    const created = await backUp('one', [alcove.parseExcludePattern('*.o')]);
    assert.equal(created.statistics.files, 1);
    writeFileSync(join(folder, 'tree/note'), 'second time\n');
    await backUp('two', [alcove.parseExcludePattern('*.o')]);
    await using session = await alcove.openRepository(ctx, location, READ);
    const options = { matcher: new alcove.PatternMatcher(), contentOnly: true };
    const diffs = await Array.fromAsync(alcove.diffArchives(session, ['one', 'two'], options));
    assert.deepEqual(
      diffs.map(({ path }) => Buffer.from(path).toString()),
      ['tree/note'],
    );
  });

  it('lists archives, reads items and contents, and restores them', async () => {
    await using session = await alcove.openRepository(ctx, location, READ);
    const archive = await alcove.Archive.open(session, 'two');
    const items = await Array.fromAsync(archive.items());
    const note = items.find((item) => Buffer.from(item.path).toString() === 'tree/note');
    const contents = await Array.fromAsync(archive.contents(note?.chunks ?? []));
    assert.equal(Buffer.concat(contents).toString(), 'second time\n');
    mkdirSync(join(folder, 'restored'));
    await alcove.extractArchive({ ...ctx, cwd: join(folder, 'restored') }, archive, {
      matcher: new alcove.PatternMatcher(),
    });
    assert.equal(readFileSync(join(folder, 'restored/tree/note'), 'utf8'), 'second time\n');
  });

  it('shows archives as a tree of files', async () => {
    const session = await alcove.openRepository(ctx, location, READ);
    await using vfs = await alcove.openVfs(session, { show: { archive: 'two' } });
    const tree = await vfs.lookup(alcove.ROOT_INODE, bytes('tree'));
    const found: string[] = [];
    await vfs.entries(tree, 0, ({ name }) => found.push(Buffer.from(name).toString()) > 0);
    assert.deepEqual(found, ['note']);
    const file = await vfs.open(await vfs.lookup(tree, bytes('note')));
    assert.equal(Buffer.from(await file.read(7, 100)).toString(), 'time\n');
    await assert.rejects(async () => vfs.open(tree), alcove.VfsError);
  });

  it('writes tars, and reads them', async () => {
    const file = { path: bytes('two.tar') };
    {
      await using session = await alcove.openRepository(ctx, location, READ);
      const archive = await alcove.Archive.open(session, 'two');
      await alcove.exportTar(ctx, archive, { file, matcher: new alcove.PatternMatcher() });
    }
    await using session = await alcove.openRepository(ctx, location, CHANGE);
    const created = await alcove.importTar(session, {
      name: 'tar',
      file,
      cmdline: [],
      checkpointIntervalSeconds: 0,
      progress: false,
    });
    assert.equal(created.name, 'tar');
  });

  it('renames, recreates, deletes and prunes archives, and frees their space', async () => {
    {
      await using session = await alcove.openRepository(ctx, location, CHANGE);
      await alcove.renameArchive(session, 'tar', 'from-tar');
      await alcove.deleteArchives(session, ['from-tar']);
      await alcove.pruneArchives(session, { daily: 1 });
    }
    assert.deepEqual(await names(), ['two']);
    await using session = await alcove.openRepository(ctx, location, CHANGE);
    await alcove.compactRepository(session.repository);
  });

  it('checks repositories', async () => {
    await using session = await alcove.openRepository(ctx, location, { ...CHANGE, operations: ['check'] });
    const result = await alcove.checkRepository(ctx, session.repository, { verifyData: true });
    assert.equal(result.ok, true);
  });

  it('tells the history of a repository, and takes it back', async () => {
    const before = await names();
    await backUp('unwanted');
    {
      await using repository = await alcove.openSegmentRepository(ctx, location, { exclusive: true });
      const history = await alcove.repositoryHistory(ctx, repository, { last: 2 });
      assert.deepEqual(history.at(-1)!.changes?.added, ['unwanted']);
      const plan = await alcove.planRollback(ctx, repository, history[0]!.transactionId);
      assert.deepEqual(plan.changes?.removed, ['unwanted']);
      await plan.run();
    }
    assert.deepEqual(await names(), before);
  });

  it('says that history is to be had where the repository is', async () => {
    const remote = alcove.Location.parse(`ssh://host${join(folder, 'repo')}`);
    await assert.rejects(alcove.openSegmentRepository(ctx, remote), (error) => {
      return error instanceof alcove.BorgError && error.message.includes('only on the machine that has');
    });
  });

  it('throws errors that a msgid tells apart', async () => {
    await using session = await alcove.openRepository(ctx, location, READ);
    await assert.rejects(alcove.Archive.open(session, 'none'), (error) => {
      return error instanceof alcove.BorgError && error.msgid === 'Archive.DoesNotExist';
    });
  });
});
