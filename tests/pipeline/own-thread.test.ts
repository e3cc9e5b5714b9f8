import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesSource } from '../../src/chunker/chunk-source.ts';
import { createChunker } from '../../src/chunker/chunker.ts';
import { envelopeNonce, envelopeNonceBlocks } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import type { FileJob } from '../../src/pipeline/file-job.ts';
import { HashIndex } from '../../src/util/hash-index.ts';
import { toHex } from '../../src/util/bytes.ts';
import { noise } from '../noise.ts';
import { material, plaintext, processFile, read, sizedJobOf, testFolder, testPipeline } from './setup.ts';

/** Small files in a new folder. */
function smallFiles(folder: string, count: number): { job: FileJob; data: Buffer }[] {
  return Array.from({ length: count }, (_, number) => {
    const data = Buffer.from(noise(number * 500, number + 1));
    const path = join(folder, `file${number}`);
    writeFileSync(path, data);
    return { job: sizedJobOf(path), data };
  });
}

/** Threads of pipelines in this process. */
function threadCount(): number {
  const names = readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'latin1');
    } catch {
      return '';
    }
  });
  return names.filter((name) => name.startsWith('pipeline')).length;
}

function idsOf(data: Uint8Array): string[] {
  const ids: string[] = [];
  for (const chunk of createChunker(['buzhash', 10, 16, 12, 63], 5).chunks(bytesSource(data))) {
    ids.push(toHex(idHash(material, chunk.data)));
  }
  return ids;
}

test('a few small files are read without a thread, many with one, and no nonce is used twice', async (t) => {
  for (const [count, threads] of [
    [10, 0],
    [60, 1],
  ] as const) {
    const pipeline = testPipeline(t);
    const files = smallFiles(testFolder(t), count);
    const results = await Promise.all(files.map(({ job }) => read(pipeline, { ...job, sealAll: true })));
    const ranges: [bigint, bigint][] = [];
    for (const [number, { chunks, result }] of results.entries()) {
      const { data } = files[number]!;
      assert.equal(result.sizeBytes, data.length);
      assert.equal(result.error, undefined);
      assert.deepEqual(
        chunks.map(({ id }) => toHex(id)),
        idsOf(data),
      );
      assert.ok(Buffer.concat(chunks.map((chunk) => plaintext(chunk, new Map()))).equals(data));
      for (const { sealed } of chunks) {
        const first = envelopeNonce(sealed!);
        ranges.push([first, first + BigInt(envelopeNonceBlocks(sealed!.length - 41))]);
      }
    }
    ranges.sort(([a], [b]) => (a < b ? -1 : 1));
    for (let at = 1; at < ranges.length; at++) assert.ok(ranges[at]![0] >= ranges[at - 1]![1]);
    assert.equal(threadCount(), threads);
    await pipeline.close();
  }
});

test('a hundred small files are read by one thread, some hundred by two, much to read by all', async (t) => {
  const files = smallFiles(testFolder(t), 5);
  for (const [count, threads] of [
    [150, 1],
    [300, 2],
  ] as const) {
    const some = testPipeline(t, { threads: 3 });
    await Promise.all(Array.from({ length: count }, (_, number) => read(some, files[number % 5]!.job)));
    assert.equal(threadCount(), threads);
    await some.close();
  }
  const all = testPipeline(t, { threads: 3 });
  const large = files.map(({ job }) => ({ ...job, sizeHintBytes: 2 ** 23 }));
  await Promise.all(large.map((job) => read(all, job)));
  assert.equal(threadCount(), 3);
  await all.close();
});

test('a file that has grown since its size was looked up is read to its end without a thread', async (t) => {
  const path = join(testFolder(t), 'file');
  const data = Buffer.from(noise(400_000, 1));
  writeFileSync(path, data);
  const { chunks, result } = await read(testPipeline(t), { ...sizedJobOf(path), sizeHintBytes: 10 });
  assert.equal(result.sizeBytes, data.length);
  assert.deepEqual(
    chunks.map(({ id }) => toHex(id)),
    idsOf(data),
  );
  assert.equal(threadCount(), 0);
});

test('without a thread, too, chunks that the shared index has are not sealed again', async (t) => {
  const pipeline = testPipeline(t);
  const [first, second] = smallFiles(testFolder(t), 3).slice(1);
  const index = new HashIndex({ valueWords: 3, shared: true });
  for (const id of idsOf(first!.data)) index.set(Buffer.from(id, 'hex'), 1, 2, 3);
  pipeline.setIndex(index.buckets, index.bucketCount, index.valueWords);
  assert.ok((await read(pipeline, first!.job)).chunks.every(({ sealed }) => sealed === undefined));
  assert.ok((await read(pipeline, second!.job)).chunks.every(({ sealed }) => sealed !== undefined));
});

test('where there is no thread, a taker that throws fails its file alone', async (t) => {
  const pipeline = testPipeline(t);
  const files = smallFiles(testFolder(t), 4).slice(1);
  const outcomes = await Promise.allSettled(
    files.map(({ job }, number) =>
      processFile(pipeline, job, () => {
        if (number === 1) throw new Error('the repository is full');
      }),
    ),
  );
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.match(String(outcomes[1]!.status === 'rejected' && outcomes[1]!.reason), /the repository is full/);
});

test('where there is no thread, what breaks is told as a thread would', async (t) => {
  const [file] = smallFiles(testFolder(t), 2).slice(1);
  const job = file!.job;
  const compressing = testPipeline(t, { compression: { name: 'zlib', level: 99 } });
  await assert.rejects(read(compressing, job), /A worker thread failed at .*file1: /);
  const leasing = testPipeline(t, { leaseNonces: () => Promise.reject(new Error('no nonces left')) });
  await assert.rejects(read(leasing, job), /no nonces left/);
  await assert.rejects(leasing.ready(), /no nonces left/);
  const cutting = testPipeline(t, { chunkerParams: ['buzhash', 10, 40, 12, 63] });
  await assert.rejects(read(cutting, job), /A worker thread failed at .*file1: /);
  await assert.rejects(cutting.ready(), /A worker thread failed at .*file1: /);
});

test('close() fails what this thread has not read yet, when the file at hand is dealt with', async (t) => {
  const pipeline = testPipeline(t);
  const files = smallFiles(testFolder(t), 4).slice(1);
  let closing: Promise<void> | undefined;
  const outcomes = await Promise.allSettled(
    files.map(({ job }) =>
      processFile(pipeline, job, async () => {
        closing ??= pipeline.close();
        await Promise.resolve();
      }),
    ),
  );
  for (const outcome of outcomes) {
    assert.match(String(outcome.status === 'rejected' && outcome.reason), /the pipeline was closed/);
  }
  await closing;
});
