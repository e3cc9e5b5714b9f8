import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jobOf, material, processFile, read, testFolder, testPipeline } from './setup.ts';
import { noise } from '../noise.ts';

test('processFile() is rejected where its taker throws, and other files go on', async (t) => {
  const folder = testFolder(t);
  const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
  for (const [number, path] of paths.entries()) writeFileSync(path, noise(200_000, number + 1));
  const pipeline = testPipeline(t, { threads: 2 });
  let calls = 0;
  const [a, b, c] = await Promise.allSettled([
    read(pipeline, paths[0]!),
    processFile(pipeline, jobOf(paths[1]!), () => {
      calls++;
      throw new Error('the repository is full');
    }),
    read(pipeline, paths[2]!),
  ]);
  assert.deepEqual([a.status, b.status, c.status], ['fulfilled', 'rejected', 'fulfilled']);
  assert.match(String(b.status === 'rejected' && b.reason), /the repository is full/);
  assert.equal(calls, 1);
});

test('an exception in a worker names the file, and other files go on', async (t) => {
  const folder = testFolder(t);
  writeFileSync(join(folder, 'empty'), '');
  writeFileSync(join(folder, 'culprit'), 'x'.repeat(1000));
  const pipeline = testPipeline(t, { compression: { name: 'zlib', level: 99 } });
  await assert.rejects(read(pipeline, join(folder, 'culprit')), /A worker thread failed at .*culprit: /);
  assert.equal((await read(pipeline, join(folder, 'empty'))).result.error, undefined);
});

test('a worker that cannot even start rejects everything', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, 'x');
  const pipeline = testPipeline(t, { chunkerParams: ['buzhash', 10, 40, 12, 63] });
  await assert.rejects(read(pipeline, path), /A worker thread failed at .*file: /);
  await assert.rejects(pipeline.ready(), /A worker thread failed/);
  await assert.rejects(read(pipeline, path), /A worker thread failed/);
});

test('a lease that fails rejects everything', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, 'x');
  const pipeline = testPipeline(t, { leaseNonces: () => Promise.reject(new Error('no nonces left')) });
  await assert.rejects(read(pipeline, path), /no nonces left/);
});

test('without encryption no nonces are asked for', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, 'x');
  const pipeline = testPipeline(t, {
    material: { ...material, typeByte: 2, cipher: 'none', mac: 'none', idHash: 'sha256' },
    leaseNonces: () => Promise.reject(new Error('asked')),
  });
  const { chunks } = await read(pipeline, path);
  assert.deepEqual([...(chunks[0]?.sealed ?? [])], [2, 0, 0, 120]);
});

test('close() waits until the thread has closed the file that it was reading', async (t) => {
  const fifo = join(testFolder(t), 'fifo');
  spawnSync('mkfifo', [fifo]);
  const writer = openSync(fifo, 'r+');
  t.after(() => closeSync(writer));
  const pipeline = testPipeline(t);
  const opened = () => openPaths().filter((path) => path === fifo).length;
  const reading = assert.rejects(read(pipeline, { path: Buffer.from(fifo) }), /closed/);
  while (opened() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await pipeline.close();
  // A thread that is ended from outside leaves it open, and can take the process with it.
  assert.equal(opened(), 1);
  await reading;
});

test('an abort rejects what is under way, even where a pipe says nothing', async (t) => {
  const folder = testFolder(t);
  const fifo = join(folder, 'fifo');
  spawnSync('mkfifo', [fifo]);
  const fd = openSync(fifo, 'r+');
  const abort = new AbortController();
  const pipeline = testPipeline(t, { signal: abort.signal });
  const reading = read(pipeline, { path: Buffer.from('stdin'), fd });
  const waiting = read(pipeline, { path: Buffer.from(fifo) });
  const settled = Promise.allSettled([reading, waiting]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const start = performance.now();
  abort.abort(new Error('interrupted'));
  for (const outcome of await settled) {
    assert.match(String(outcome.status === 'rejected' && outcome.reason), /interrupted/);
  }
  await pipeline.close();
  assert.ok(performance.now() - start < 20_000);
});

test('an aborted signal rejects from the start', async (t) => {
  const pipeline = testPipeline(t, { signal: AbortSignal.abort(new Error('interrupted')) });
  await assert.rejects(read(pipeline, { path: Buffer.from('x') }), /interrupted/);
});

test('close() rejects what is unfinished, and may be called again', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, noise(1_000_000));
  const pipeline = testPipeline(t);
  const reading = read(pipeline, path);
  const rejected = assert.rejects(reading, /the pipeline was closed/);
  await pipeline.close();
  await rejected;
  await pipeline.close();
});

test('a taker that is slow holds the reader up', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, randomBytes(150_000_000));
  const fd = openSync(path, 'r');
  const pipeline = testPipeline(t, { chunkerParams: ['fixed', 2 ** 20, 0], compression: { name: 'none' } });
  const position = (): number =>
    Number(/pos:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]);
  let first = true;
  const result = await processFile(pipeline, { path: Buffer.from(path), fd, closeFd: true }, async () => {
    if (!first) return;
    first = false;
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok(position() < 80_000_000, `read ${position()} bytes ahead`);
  });
  assert.equal(result.sizeBytes, 150_000_000);
});

/** What the process has open. */
function openPaths(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}
