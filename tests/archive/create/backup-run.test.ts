import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArchiveWriter } from '../../../src/archive/create/archive-writer.ts';
import { Archive } from '../../../src/archive/archive.ts';
import { BackupOsError } from '../../../src/archive/backup-error.ts';
import { BackupRun, type ContentReader } from '../../../src/archive/create/backup-run.ts';
import { GeneralError } from '../../../src/errors.ts';
import type { ChunksCache } from '../../../src/archive/cache/chunks-cache.ts';
import { PendingFile } from '../../../src/archive/create/pending-file.ts';
import { sealObject } from '../../../src/archive/repo-object.ts';
import type { Session } from '../../../src/archive/session.ts';
import { DEFAULT_CHUNKER_PARAMS } from '../../../src/chunker/chunker-params.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import type { FileResult, FileTaker } from '../../../src/pipeline/file-job.ts';
import { OsError } from '../../../src/platform/os-error.ts';
import { fromUtf8, toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { Scratch } from '../scratch.ts';
import { noise } from '../../noise.ts';

/** Delivers what the test says, when it says so. */
class ScriptedReader implements ContentReader {
  readonly #session: Session;
  readonly #jobs = new Map<string, FileTaker>();

  constructor(session: Session) {
    this.#session = session;
  }

  processFile(job: { path: Uint8Array }, taker: FileTaker): void {
    this.#jobs.set(toUtf8Lossy(job.path), taker);
  }

  setIndex(): void {}

  close(): Promise<void> {
    for (const taker of this.#jobs.values()) taker.fail(new Error('closed'));
    this.#jobs.clear();
    return Promise.resolve();
  }

  fail(path: string, error: Error): void {
    this.#jobs.get(path)!.fail(error);
    this.#jobs.delete(path);
  }

  async deliver(path: string, plaintext: Uint8Array): Promise<void> {
    const { key, compressor } = this.#session;
    const { id, sealed } = await sealObject(key, compressor, plaintext);
    await this.#jobs.get(path)!.takeChunk({ id, sealed, sizeBytes: plaintext.length, kind: 'data' });
  }

  /** As a thread does that has sealed the chunk before. */
  async deliverKnown(path: string, plaintext: Uint8Array): Promise<void> {
    const id = this.#session.key.idHash(plaintext);
    await this.#jobs.get(path)!.takeChunk({ id, sizeBytes: plaintext.length, kind: 'data' });
  }

  end(path: string, error?: FileResult['error']): void {
    const result = { sizeBytes: 0, flags: 0, ...(error === undefined ? {} : { error }) };
    this.#jobs.get(path)!.takeResult(result);
    this.#jobs.delete(path);
  }
}

interface Stage {
  session: Session;
  cache: ChunksCache;
  writer: ArchiveWriter;
  reader: ScriptedReader;
  run: BackupRun;
  interrupt: AbortController;
}

async function staged(
  checkpointIntervalSeconds: number,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  using scratch = new Scratch();
  await scratch.init('authenticated');
  const interrupt = new AbortController();
  const ctx = scratch.context({ signal: interrupt.signal });
  await using session = await scratch.open(ctx);
  await using cache = await session.openCache();
  await cache.begin();
  const writer = new ArchiveWriter(ctx, session, cache, {
    name: 'a',
    chunkerParams: DEFAULT_CHUNKER_PARAMS,
    cmdline: [],
    hostname: 'host',
    username: 'user',
    cwd: '/',
  });
  const reader = new ScriptedReader(session);
  const run = new BackupRun(ctx, cache, writer, reader, { checkpointIntervalSeconds, progress: false });
  await play({ session, cache, writer, reader, run, interrupt });
}

function add({ run }: Stage, name: string): PendingFile {
  const path = fromUtf8(name);
  const file = new PendingFile({ path, item: { path, mode: 0o100644, mtimeNs: 0n }, firstStatus: 'A' });
  run.read(
    file,
    { path },
    {
      settle(result) {
        if (result.error?.kind === 'os')
          file.error = new BackupOsError(result.error.operation, result.error.cause);
      },
      finish() {
        if (file.error === undefined) run.addItem({ ...file.item, chunks: file.chunks });
      },
    },
  );
  return file;
}

async function itemsOf(session: Session, name: string): Promise<string[]> {
  const archive = await Archive.open(session, name, { considerPartFiles: true });
  const items = await Array.fromAsync(archive.items());
  return items.map((item) => `${toUtf8Lossy(item.path)} ${item.chunks?.length ?? '-'}`);
}

/** What the repository has and what its archives refer to must be the same, and the cache must know it. */
async function assertNoOrphans({ session, cache }: Stage, names: readonly string[]): Promise<void> {
  const counts = new Map<string, number>();
  const count = (id: Uint8Array) => counts.set(toHex(id), (counts.get(toHex(id)) ?? 0) + 1);
  for (const name of names) {
    const archive = await Archive.open(session, name, { considerPartFiles: true });
    count(archive.id);
    for (const id of archive.metadata.items) count(id);
    for await (const item of archive.items()) for (const { id } of item.chunks ?? []) count(id);
  }
  const stored = await session.repository.list();
  const expected = [...counts.keys(), toHex(MANIFEST_ID)].toSorted();
  assert.deepEqual(stored.map(toHex).toSorted(), expected);
  const known = new Map([...cache.chunks.entries()].map(([id, entry]) => [toHex(id), entry.refcount]));
  assert.deepEqual(known, counts);
}

const chunk = (seed: number): Uint8Array => noise(1000, seed);
const ioError = () =>
  ({ kind: 'os', operation: 'read', cause: new OsError(5, 'read') }) as const satisfies FileResult['error'];

describe('BackupRun', () => {
  it('adds items in the order of the walk, whatever order the files are read in', () =>
    staged(0, async (stage) => {
      const { run, reader, writer, session } = stage;
      add(stage, 'slow');
      add(stage, 'fast');
      await reader.deliver('fast', chunk(1));
      reader.end('fast');
      await reader.deliver('slow', chunk(2));
      await reader.deliver('slow', chunk(3));
      reader.end('slow');
      await run.drain();
      await writer.save();
      assert.deepEqual(await itemsOf(session, 'a'), ['slow 2', 'fast 1']);
      await assertNoOrphans(stage, ['a']);
    }));

  it('stores a chunk once that two files deliver at a time', () =>
    staged(0, async (stage) => {
      const { run, reader, writer, cache, session } = stage;
      add(stage, 'one');
      add(stage, 'two');
      await Promise.all([reader.deliver('one', chunk(1)), reader.deliver('two', chunk(1))]);
      reader.end('one');
      reader.end('two');
      await run.drain();
      assert.equal(cache.refcount(session.key.idHash(chunk(1))), 2);
      assert.equal(writer.statistics.originalSizeBytes, 2000);
      await writer.save();
      await assertNoOrphans(stage, ['a']);
    }));

  it('puts what is in flight at a checkpoint into part items, and what has ended into whole ones', () =>
    staged(0, async (stage) => {
      const { run, reader, session, interrupt } = stage;
      add(stage, 'long');
      add(stage, 'short');
      await reader.deliver('long', chunk(1));
      await reader.deliver('short', chunk(2));
      reader.end('short');
      await assert.rejects(
        run.complete(() =>
          run.drive(
            (function* () {
              yield;
              interrupt.abort();
              yield;
            })(),
          ),
        ),
        GeneralError,
      );
      // What was not committed would be lost in a crash now.
      await session.repository.rollback();
      const id = await committedCheckpoint(session);
      const archive = await Archive.load(session, { name: 'a', id }, { considerPartFiles: true });
      assert.deepEqual(
        (await Array.fromAsync(archive.items())).map(({ path }) => toUtf8Lossy(path)),
        ['short', 'long.borg_part_1'],
      );
    }));

  it('has all of a file in parts and in its own item where a checkpoint came in between', () =>
    staged(0.001, async (stage) => {
      const { run, reader, writer, session } = stage;
      add(stage, 'long');
      await reader.deliver('long', chunk(1));
      const draining = run.drain();
      await checkpointed(session);
      await reader.deliver('long', chunk(2));
      reader.end('long');
      await draining;
      await writer.save();
      assert.deepEqual((await itemsOf(session, 'a')).at(-1), 'long 2');
      const parts = (await itemsOf(session, 'a')).slice(0, -1);
      assert.ok(
        parts.every((line) => /^long\.borg_part_\d 1$/.test(line)),
        parts.join(),
      );
      assert.equal(parts.length, 2);
      assert.equal(writer.statistics.fileParts, 2);
      assert.equal(writer.statistics.originalSizePartsBytes, 2000);
      await assertNoOrphans(stage, ['a']);
    }));

  it('leaves nothing behind of a file that failed, but keeps chunks that others share', () =>
    staged(0, async (stage) => {
      const { run, reader, writer, session } = stage;
      add(stage, 'bad');
      add(stage, 'good');
      await reader.deliver('bad', chunk(1));
      await reader.deliver('bad', chunk(2));
      reader.end('bad', ioError());
      await reader.deliver('good', chunk(2));
      reader.end('good');
      await run.finish();
      await writer.save();
      assert.deepEqual(await itemsOf(session, 'a'), ['good 1']);
      assert.equal(writer.statistics.originalSizeBytes, 1000);
      await assertNoOrphans(stage, ['a']);
    }));

  it('keeps what a failed file has stored until nobody can rely on it any more', () =>
    staged(0, async (stage) => {
      const { run, reader, writer, session } = stage;
      add(stage, 'bad');
      await reader.deliver('bad', chunk(1));
      reader.end('bad', ioError());
      await run.drain();
      add(stage, 'later');
      await reader.deliverKnown('later', chunk(1));
      reader.end('later');
      await run.finish();
      await writer.save();
      assert.deepEqual(await itemsOf(session, 'a'), ['later 1']);
      await assertNoOrphans(stage, ['a']);
    }));

  it('lets no more files wait open than it reads at a time', () =>
    staged(0, async ({ run }) => {
      const ready = new Promise<void>((resolve) => setTimeout(resolve, 20));
      let open = 0;
      let mostOpen = 0;
      await run.drive(
        (function* () {
          for (let i = 0; i < 600; i++) {
            mostOpen = Math.max(mostOpen, ++open);
            run.pushOpen(ready, () => open--);
            yield;
          }
        })(),
      );
      await run.drain();
      assert.equal(open, 0);
      assert.equal(mostOpen, 384);
    }));

  it('goes on with what became ready while the item stream was written', { timeout: 60_000 }, () =>
    staged(0, async ({ run, writer }) => {
      const before = Promise.withResolvers<void>();
      const master = Promise.withResolvers<void>();
      let ended = false;
      run.pushOpen(before.promise, () => {
        const path = new Uint8Array(2 ** 20 + 1).fill(0x61);
        run.addItem({ path, mtimeNs: 0n });
        assert.ok(writer.flushDue);
        master.resolve();
      });
      run.pushOpen(master.promise, () => (ended = true));
      const draining = run.drain();
      before.resolve();
      await draining;
      assert.ok(ended);
    }),
  );

  it('fails where a thread takes a chunk for stored that is not', () =>
    staged(0, async (stage) => {
      const { run, reader } = stage;
      add(stage, 'one');
      await reader.deliverKnown('one', chunk(1)).catch((error: Error) => reader.fail('one', error));
      await assert.rejects(run.finish(), { name: 'ChunksIndexError' });
      await run.stop();
    }));

  it('fails where a chunk can not be stored', () =>
    staged(0, async (stage) => {
      const { run, reader, session } = stage;
      session.repository.put = () => Promise.reject(new Error('disk full'));
      add(stage, 'one');
      // As the pipeline, which rejects the file where a delivery is rejected.
      await reader.deliver('one', chunk(1)).catch((error: Error) => reader.fail('one', error));
      await assert.rejects(run.drain(), /disk full/);
      await run.stop();
    }));
});

async function committedCheckpoint(session: Session): Promise<Uint8Array> {
  const { Manifest } = await import('../../../src/archive/manifest.ts');
  const { ctx, repository, key } = session;
  const manifest = await Manifest.load({ ...ctx, signal: new AbortController().signal }, repository, [], {
    key,
  });
  return manifest.archives.get('a.checkpoint')!.id;
}

/** Waits until a checkpoint was committed. */
async function checkpointed(session: Session): Promise<void> {
  const before = session.manifest.timestamp;
  while (session.manifest.timestamp === before) await new Promise((resolve) => setTimeout(resolve, 1));
  // The manifest is written before the commit; give the rest its time.
  await new Promise((resolve) => setTimeout(resolve, 50));
}
