import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { cacheDirectory } from '../../../src/archive/cache/local-cache.ts';
import { VerifyRotation } from '../../../src/archive/cache/verify-rotation.ts';
import { ArchiveWriter } from '../../../src/archive/create/archive-writer.ts';
import { BackupRun, type ContentReader } from '../../../src/archive/create/backup-run.ts';
import { FileVerification } from '../../../src/archive/create/file-verification.ts';
import { Inspector } from '../../../src/archive/create/inspector.ts';
import { MetadataCollector } from '../../../src/archive/create/metadata-collector.ts';
import { ObjectProcessor } from '../../../src/archive/create/object-processor.ts';
import { PathKeys } from '../../../src/archive/create/path-keys.ts';
import { DEFAULT_CHUNKER_PARAMS } from '../../../src/chunker/chunker-params.ts';
import { BackupIOWarning, FileContentsWarning } from '../../../src/errors.ts';
import { fstat, lstat } from '../../../src/platform/file-stat.ts';
import { OsError } from '../../../src/platform/os-error.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { defaults, Scratch, type RecordingReporter } from '../scratch.ts';
import { noise } from '../../noise.ts';

/** The cache looks at times that anybody can set back. */
const byMtime = { filesCacheMode: 'ims' } as const;
const verifying = { ...byMtime, verifyPercent: 100 } as const;

/** Changes a file's bytes, not its size nor the time of its last change, as bit rot does. */
function rot(path: string, at = 1000): void {
  const { mtimeMs } = statSync(path);
  const fd = openSync(path, 'r+');
  writeSync(fd, new Uint8Array([readFileSync(path)[at]! ^ 1]), 0, 1, at);
  closeSync(fd);
  utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
}

async function withBackup(test: (scratch: Scratch) => Promise<void>): Promise<void> {
  using scratch = new Scratch();
  await scratch.init('authenticated');
  for (const name of ['rotten', 'sound', 'large']) {
    scratch.write(`source/${name}`, noise(name === 'large' ? 3_000_000 : 5000, name.length));
    utimesSync(scratch.join('source', name), 1_700_000_000, 1_700_000_000);
  }
  // The newest file is not remembered.
  scratch.write('source/newest', 'newest');
  await scratch.create('first', scratch.context(), byMtime);
  await test(scratch);
}

/** Opens files, and can't read them. */
const badDisk: ContentReader = {
  processFile: ({ fd }, taker) =>
    queueMicrotask(() =>
      taker.takeResult({
        stat: fstat(fd!),
        sizeBytes: 0,
        flags: 0,
        error: { kind: 'os', operation: 'read', cause: new OsError(5, 'read') },
      }),
    ),
  setIndex() {},
  close: () => Promise.resolve(),
};

function said(reporter: RecordingReporter, name: string): string[] {
  return reporter.statuses.filter((line) => line.endsWith(`source/${name}`));
}

describe('createArchive() with verifyPercent', () => {
  it('finds a file whose contents changed under unchanged metadata, and backs up what is there', () =>
    withBackup(async (scratch) => {
      const before = (await scratch.contents('first')).get('source/rotten')!;
      rot(scratch.join('source/rotten'));
      const unaware = scratch.context();
      await scratch.create('unaware', unaware, byMtime);
      assert.deepEqual(said(unaware.reporter, 'rotten'), ['U source/rotten']);

      const ctx = scratch.context();
      const created = await scratch.create('second', ctx, verifying);
      assert.deepEqual(said(ctx.reporter, 'rotten'), ['M source/rotten']);
      assert.deepEqual(said(ctx.reporter, 'sound'), ['U source/sound']);
      assert.equal(ctx.reporter.warnings.length, 1);
      assert.ok(ctx.reporter.warnings[0] instanceof FileContentsWarning);
      assert.equal(ctx.reporter.warnings[0].exitCode, 120);
      assert.match(ctx.reporter.warnings[0].message, /^source\/rotten: contents differ/);
      assert.deepEqual(created.verification, { files: 3, changed: 1, unreadable: 0 });

      const after = await scratch.contents('second');
      assert.deepEqual(after.get('source/rotten'), readFileSync(scratch.join('source/rotten')));
      assert.deepEqual(after.get('source/large'), readFileSync(scratch.join('source/large')));
      for (const name of ['first', 'unaware']) {
        assert.deepEqual((await scratch.contents(name)).get('source/rotten'), before);
      }
    }));

  it('remembers the new contents, and goes on knowing all other files', () =>
    withBackup(async (scratch) => {
      rot(scratch.join('source/rotten'));
      await scratch.create('second', scratch.context(), verifying);
      const again = scratch.context();
      await scratch.create('third', again, verifying);
      assert.deepEqual(again.reporter.warnings, []);
      const unverified = scratch.context();
      await scratch.create('fourth', unverified, byMtime);
      for (const name of ['rotten', 'sound', 'large']) {
        assert.deepEqual(said(unverified.reporter, name), [`U source/${name}`]);
      }
      const { 'source/rotten': rotten } = Object.fromEntries(await scratch.contents('fourth'));
      assert.deepEqual(rotten, readFileSync(scratch.join('source/rotten')));
    }));

  it('comes to every file in turn, and each change is found once', () =>
    withBackup(async (scratch) => {
      for (const name of ['rotten', 'sound', 'large']) rot(scratch.join('source', name));
      const found: string[] = [];
      let files = 0;
      for (let run = 0; run < 4; run++) {
        const ctx = scratch.context();
        const { verification } = await scratch.create(`run ${run}`, ctx, { ...byMtime, verifyPercent: 25 });
        files += verification!.files;
        found.push(...ctx.reporter.warnings.map(({ args }) => String(args[0])));
      }
      assert.equal(files, 3);
      assert.deepEqual(found.toSorted(), ['source/large', 'source/rotten', 'source/sound']);
    }));

  it('does not take another way to cut files for a change', () =>
    withBackup(async (scratch) => {
      const ctx = scratch.context();
      const chunkerParams = ['fixed', 4096, 0] as const;
      const { verification } = await scratch.create('cut', ctx, { ...verifying, chunkerParams });
      assert.deepEqual(verification, { files: 3, changed: 0, unreadable: 0 });
      assert.deepEqual(ctx.reporter.warnings, []);
      assert.deepEqual(said(ctx.reporter, 'large'), ['U source/large']);
      rot(scratch.join('source/large'), 2_000_000);
      const next = await scratch.create('cut again', scratch.context(), verifying);
      assert.deepEqual(next.verification, { files: 3, changed: 1, unreadable: 0 });
    }));

  it('leaves references as an archive without verification does', () =>
    withBackup(async (scratch) => {
      rot(scratch.join('source/rotten'));
      await scratch.create('second', scratch.context(), verifying);
      const countsOf = async (): Promise<string[]> => {
        await using session = await scratch.open();
        await using cache = await session.openCache();
        const all = cache.chunks
          .entries()
          .map(([id, entry]) => `${Buffer.from(id).toString('hex')} ${entry.refcount}`);
        return [...all].toSorted();
      };
      const kept = await countsOf();
      const caches = scratch.join('.cache', 'borg');
      for (const name of readdirSync(caches).filter((each) => each.length === 64)) {
        writeFileSync(`${caches}/${name}/chunks`, '');
      }
      assert.deepEqual(await countsOf(), kept);
    }));

  it('says nothing about a file whose metadata changed', () =>
    withBackup(async (scratch) => {
      scratch.write('source/rotten', noise(5000, 77));
      chmodSync(scratch.join('source/sound'), 0o600);
      const ctx = scratch.context();
      const { verification } = await scratch.create('second', ctx, verifying);
      assert.deepEqual(ctx.reporter.warnings, []);
      assert.deepEqual(said(ctx.reporter, 'rotten'), ['M source/rotten']);
      assert.equal(verification!.files, 2);
    }));

  it('keeps a file that cannot be read any more as it was stored, and warns', () =>
    withBackup(async (scratch) => {
      const ctx = scratch.context();
      const session = await scratch.open(ctx);
      const cache = await session.openCache({ filesCacheMode: 'ims' });
      await cache.begin();
      const origin = { hostname: 'host', username: 'user', cwd: scratch.path };
      const writer = new ArchiveWriter(ctx, session, cache, {
        name: 'second',
        chunkerParams: DEFAULT_CHUNKER_PARAMS,
        cmdline: [],
        ...origin,
      });
      const run = new BackupRun(ctx, cache, writer, badDisk, {
        checkpointIntervalSeconds: 0,
        progress: false,
      });
      const directory = cacheDirectory(ctx, session.repository.idHex);
      const rotation = new VerifyRotation(directory, new Uint8Array(32), 100, ctx.reporter);
      const verification = new FileVerification(session, rotation);
      const cwd = fromUtf8(scratch.path);
      const pathKeys = new PathKeys(session.key.material, cwd);
      const options = { ...defaults, nowNs: () => ctx.nowNs(), pathKeys, verification };
      const inspector = new Inspector({ ...defaults, cwd, attributesAhead: false });
      const collector = new MetadataCollector(options, ctx.reporter);
      const processor = new ObjectProcessor(run, inspector, collector, options);
      for (const name of ['rotten', 'sound']) {
        const path = fromUtf8(`source/${name}`);
        processor.any({ path, at: undefined, stat: lstat(fromUtf8(scratch.join('source', name))) });
      }
      await run.finish();
      await run.stop();
      await writer.save({});
      await cache.close();
      await session.close();
      assert.deepEqual(verification.counts, { files: 2, changed: 0, unreadable: 2 });
      assert.ok(ctx.reporter.warnings.every((warning) => warning instanceof BackupIOWarning));
      assert.deepEqual(ctx.reporter.statuses, ['E source/rotten', 'E source/sound']);
      const contents = await scratch.contents('second');
      assert.deepEqual(contents.get('source/sound'), readFileSync(scratch.join('source/sound')));
      assert.equal(contents.size, 2);
    }));

  it('verifies nothing, and counts nothing, unless asked', () =>
    withBackup(async (scratch) => {
      rot(scratch.join('source/rotten'));
      const ctx = scratch.context();
      assert.equal((await scratch.create('second', ctx, byMtime)).verification, undefined);
      assert.deepEqual(ctx.reporter.warnings, []);
    }));
});
