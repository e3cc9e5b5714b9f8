import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesSource } from '../../src/chunker/chunk-source.ts';
import { createChunker } from '../../src/chunker/chunker.ts';
import { envelopeNonce, envelopeNonceBlocks } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import type { FileResult, PipelineChunk } from '../../src/pipeline/file-job.ts';
import { setAcls } from '../../src/platform/acl.ts';
import { isOsError } from '../../src/platform/os-error.ts';
import { setXattr } from '../../src/platform/xattr.ts';
import { toHex, toUtf8Lossy } from '../../src/util/bytes.ts';
import { HashIndex } from '../../src/util/hash-index.ts';
import { jobOf, material, plaintext, processFile, read, testFolder, testPipeline } from './setup.ts';
import { noise } from '../noise.ts';

function idsOf(chunks: readonly PipelineChunk[]): string[] {
  return chunks.map((chunk) => `${toHex(chunk.id)} ${chunk.sizeBytes} ${chunk.kind}`);
}

function errorOf(result: FileResult): string {
  const { error } = result;
  if (error === undefined) return 'none';
  return error.kind === 'race' ? error.what : `${error.operation} ${error.cause.code}`;
}

/** 60 files: most of them small, some of many chunks, one with zeros, one empty, two the same. */
function makeFiles(folder: string): { path: string; data: Uint8Array }[] {
  return Array.from({ length: 60 }, (_, number) => {
    const data = noise(number % 10 === 9 ? 400_000 : number * 100, number === 31 ? 30 : number + 1);
    if (number === 39) data.fill(0, 100_000, 300_000);
    const path = join(folder, `file${number}`);
    writeFileSync(path, data);
    return { path, data };
  });
}

test('processFile() gives the same ids in the same order with any number of threads', async (t) => {
  const files = makeFiles(testFolder(t));
  const chunker = createChunker(['buzhash', 10, 16, 12, 63], 5);
  for (const threads of [1, 2, 5]) {
    const pipeline = testPipeline(t, { threads });
    const known = new Map<string, Uint8Array>();
    const results = await Promise.all(files.map(({ path }) => read(pipeline, path)));
    for (const [number, { chunks, result }] of results.entries()) {
      const { data } = files[number]!;
      const expected: string[] = [];
      for (const chunk of chunker.chunks(bytesSource(data))) {
        const bytes = chunk.kind === 'data' ? chunk.data : new Uint8Array(chunk.sizeBytes);
        expected.push(`${toHex(idHash(material, bytes))} ${chunk.sizeBytes} ${chunk.kind}`);
      }
      assert.deepEqual(idsOf(chunks), expected, `file ${number} with ${threads} threads`);
      assert.equal(result.sizeBytes, data.length);
      assert.equal(result.error, undefined);
    }
    // Two passes: with several threads, a chunk may be delivered before its envelope is, by another file.
    for (const { chunks } of results) {
      for (const chunk of chunks) if (chunk.sealed !== undefined) plaintext(chunk, known);
    }
    for (const [number, { chunks }] of results.entries()) {
      const whole = Buffer.concat(chunks.map((chunk) => plaintext(chunk, known)));
      assert.ok(whole.equals(files[number]!.data), `file ${number}`);
    }
    await pipeline.close();
  }
});

test('processFile() never uses a nonce twice', async (t) => {
  const folder = testFolder(t);
  for (const threads of [1, 3]) {
    // Leases of different files interleave, and each is followed by another's.
    let next = 0n;
    const pipeline = testPipeline(t, {
      threads,
      async leaseNonces(blocks) {
        const first = next;
        next += BigInt(blocks);
        return await new Promise((resolve) => setTimeout(() => resolve(first), 5));
      },
    });
    const ranges: { first: bigint; end: bigint }[] = [];
    const files = makeFiles(folder);
    await Promise.all(files.map(({ path }) => read(pipeline, { ...jobOf(path), sealAll: true }))).then(
      (results) => {
        for (const { sealed } of results.flatMap(({ chunks }) => chunks)) {
          assert.ok(sealed !== undefined);
          const first = envelopeNonce(sealed);
          ranges.push({ first, end: first + BigInt(envelopeNonceBlocks(sealed.length - 41)) });
        }
      },
    );
    assert.ok(ranges.length > 300);
    ranges.sort((a, b) => (a.first < b.first ? -1 : 1));
    for (let at = 1; at < ranges.length; at++) assert.ok(ranges[at]!.first >= ranges[at - 1]!.end);
    assert.ok(ranges.at(-1)!.end <= next);
  }
});

test('processFile() does not seal chunks that the shared index has, also when the index moves', async (t) => {
  const folder = testFolder(t);
  const [first, second] = [noise(50_000, 1), noise(50_000, 2)];
  writeFileSync(join(folder, 'first'), first);
  writeFileSync(join(folder, 'second'), second);
  const pipeline = testPipeline(t);
  const index = new HashIndex({ valueWords: 3, shared: true });
  const share = (): void => pipeline.setIndex(index.buckets, index.bucketCount, index.valueWords);
  share();
  const before = await read(pipeline, join(folder, 'first'));
  assert.ok(before.chunks.every(({ sealed }) => sealed !== undefined));
  for (const { id } of before.chunks) index.set(id, 1, 2, 3);
  share();
  const after = await read(testPipelineSharing(), join(folder, 'first'));
  assert.ok(after.chunks.every(({ sealed }) => sealed === undefined));
  assert.deepEqual(idsOf(after.chunks), idsOf(before.chunks));
  const all = await read(pipeline, { ...jobOf(join(folder, 'first')), sealAll: true });
  assert.ok(all.chunks.every(({ sealed }) => sealed !== undefined));
  const other = await read(pipeline, join(folder, 'second'));
  assert.ok(other.chunks.every(({ sealed }) => sealed !== undefined));

  // Another pipeline: the first one remembers what it sealed a moment ago.
  function testPipelineSharing(): ReturnType<typeof testPipeline> {
    const fresh = testPipeline(t);
    fresh.setIndex(index.buckets, index.bucketCount, index.valueWords);
    return fresh;
  }
});

test('setIndex() reaches a worker in the middle of a file', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, noise(6_000_000));
  const { chunks } = await read(testPipeline(t), path);
  const index = new HashIndex({ valueWords: 3, shared: true, capacity: chunks.length * 2 });
  for (const { id } of chunks) index.set(id, 1, 2, 3);
  // Chunks are taken slowly, so that the worker has to wait, and then goes on with the index.
  const pipeline = testPipeline(t, { threads: 12 });
  let sealedCount = 0;
  await processFile(pipeline, jobOf(path), async (chunk) => {
    if (chunk.sealed !== undefined) sealedCount++;
    if (sealedCount === 1) pipeline.setIndex(index.buckets, index.bucketCount, index.valueWords);
    await Promise.resolve();
  });
  assert.ok(sealedCount < chunks.length, `${sealedCount} of ${chunks.length} chunks were sealed`);
});

test('setIndex() refuses an index that is not in shared memory', (t) => {
  const index = new HashIndex({ valueWords: 3 });
  assert.throws(() => testPipeline(t).setIndex(index.buckets, index.bucketCount, 3), TypeError);
});

test('processFile() reports what is wrong with a file in its result', async (t) => {
  const folder = testFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'contents');
  mkdirSync(join(folder, 'folder'));
  spawnSync('ln', ['-s', 'file', join(folder, 'link')]);
  const pipeline = testPipeline(t);
  const job = jobOf(file);
  const table: [string, Parameters<typeof read>[1], string][] = [
    ['vanished', { path: Buffer.from(join(folder, 'gone')) }, 'open ENOENT'],
    ['a symlink', { path: Buffer.from(join(folder, 'link')) }, 'open ELOOP'],
    ['a folder', { path: Buffer.from(join(folder, 'folder')) }, 'read EISDIR'],
    ['another inode', { ...job, expected: { mode: job.expected!.mode, ino: 1n } }, 'file inode'],
    ['another type', { ...job, expected: { ...job.expected!, mode: 0o040755 } }, 'file type'],
    ['a bad descriptor', { path: job.path, fd: 9999 }, 'fstat EBADF'],
    ['nothing', job, 'none'],
    ['a symlink to follow', { path: Buffer.from(join(folder, 'link')), followSymlinks: true }, 'none'],
  ];
  for (const [name, asked, expected] of table) {
    const { result } = await read(pipeline, asked);
    assert.equal(errorOf(result), expected, name);
  }
  const gone = await read(pipeline, { path: Buffer.from(join(folder, 'gone')) });
  assert.ok(gone.result.error?.kind === 'os');
  assert.match(gone.result.error.cause.message, /^ENOENT: No such file or directory, open '.*gone'$/);
});

test('processFile() gives what it found before and after reading', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, noise(5000));
  const pipeline = testPipeline(t);
  const { result } = await read(pipeline, path);
  const { mtimeNs, ctimeNs, ino, mode } = statSync(path, { bigint: true });
  assert.deepEqual(
    [result.stat?.mtimeNs, result.stat?.ctimeNs, result.stat?.ino, result.stat?.mode, result.stat?.sizeBytes],
    [mtimeNs, ctimeNs, ino, Number(mode), 5000],
  );
  assert.equal(result.statAfter?.ctimeNs, ctimeNs);
  const statOnly = await read(pipeline, { ...jobOf(path), contents: false });
  assert.deepEqual([statOnly.chunks.length, statOnly.result.stat?.sizeBytes], [0, 5000]);
  assert.equal(statOnly.result.statAfter, undefined);
});

test('processFile() reads all of a file that is another size than when it was opened', async (t) => {
  const path = join(testFolder(t), 'file');
  const data = Buffer.from(noise(5000));
  writeFileSync(path, data);
  const pipeline = testPipeline(t);
  for (const sizeBytes of [0, 4999, 5000, 5001, 2 ** 21]) {
    const fd = openSync(path, 'r');
    const opened = { mode: 0o100644, sizeBytes };
    const job = { path: Buffer.from(path), fd, closeFd: true, opened, sealAll: true };
    const { chunks, result } = await read(pipeline, job);
    assert.equal(result.stat, undefined);
    assert.equal(result.statAfter?.sizeBytes, 5000);
    assert.ok(Buffer.concat(chunks.map((chunk) => plaintext(chunk, new Map()))).equals(data));
  }
});

test('processFile() shows a change of the file while it is read', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, noise(8_000_000));
  let touched = false;
  const result = await processFile(testPipeline(t, { threads: 12 }), jobOf(path), () => {
    if (touched) return;
    touched = true;
    truncateSync(path, 7_999_999);
  });
  assert.ok(result.statAfter !== undefined && result.stat !== undefined);
  assert.ok(result.statAfter.ctimeNs > result.stat.ctimeNs);
});

test('processFile() reads extended attributes and flags where asked', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, 'contents');
  try {
    setXattr(Buffer.from(path), 'user.colour', Buffer.from('blue'));
  } catch {
    return t.skip('this file system has no extended attributes');
  }
  const pipeline = testPipeline(t);
  const asked = await read(pipeline, { ...jobOf(path), xattrs: true, acls: true, flags: true });
  assert.deepEqual([...(asked.result.xattrs ?? [])], [['user.colour', new Uint8Array(Buffer.from('blue'))]]);
  assert.deepEqual([asked.result.flags, asked.result.acls], [0, undefined]);
  assert.equal((await read(pipeline, path)).result.xattrs, undefined);
});

test('processFile() finds the ACL of a file that is open, and none of its neighbour', async (t) => {
  const folder = testFolder(t);
  const fds = ['plain', 'shared'].map((name) => {
    writeFileSync(join(folder, name), name);
    return openSync(join(folder, name), 'r');
  });
  t.after(() => fds.forEach((fd) => closeSync(fd)));
  try {
    const aclAccess = Buffer.from('user::rw-\nuser:12345:rwx:12345\ngroup::r--\nmask::r--\nother::---');
    setAcls(join(folder, 'shared'), { aclAccess }, 0o100644);
  } catch (error) {
    if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    return t.skip('this file system has no ACLs');
  }
  const pipeline = testPipeline(t);
  const results = await Promise.all(
    fds.map((fd) => read(pipeline, { path: Buffer.from('shown'), fd, xattrs: true, acls: true })),
  );
  const found = results.map(({ result }) => result.acls?.aclAccess && toUtf8Lossy(result.acls.aclAccess));
  assert.equal(found[0], undefined);
  assert.match(found[1] ?? '', /^user:12345:rwx/m);
});

test('processFile() reads a pipe from an open descriptor, and closes it where asked', async (t) => {
  const fifo = join(testFolder(t), 'fifo');
  spawnSync('mkfifo', [fifo]);
  const both = openSync(fifo, 'r+');
  const reading = openSync(fifo, 'r');
  const pipeline = testPipeline(t);
  const pending = read(pipeline, { path: Buffer.from('stdin'), fd: reading, closeFd: true });
  for (let part = 0; part < 5; part++) {
    writeFileSync(both, noise(3000, part + 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  closeSync(both);
  const { chunks, result } = await pending;
  const whole = Buffer.concat(chunks.map((chunk) => plaintext(chunk, new Map())));
  assert.deepEqual([result.sizeBytes, result.error], [15_000, undefined]);
  assert.ok(whole.equals(Buffer.concat([1, 2, 3, 4, 5].map((part) => noise(3000, part)))));
  assert.throws(() => readSync(reading, Buffer.alloc(1)), /EBADF/);
});

test('processFile() reads an open descriptor from where it stands, and leaves it open', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, 'the beginning and the rest');
  const fd = openSync(path, 'r');
  readSync(fd, Buffer.alloc(14));
  const { chunks } = await read(testPipeline(t), { path: Buffer.from(path), fd });
  assert.equal(Buffer.from(plaintext(chunks[0]!, new Map())).toString(), 'and the rest');
  closeSync(fd);
});

test('the fixed chunker finds holes in a sparse file', async (t) => {
  const path = join(testFolder(t), 'file');
  writeFileSync(path, noise(65_536));
  truncateSync(path, 65_536 + 4 * 2 ** 20);
  const pipeline = testPipeline(t, { chunkerParams: ['fixed', 2 ** 20, 65_536] });
  const kinds = async (sparse: boolean): Promise<string> => {
    const { chunks } = await read(pipeline, { ...jobOf(path), sparse });
    return chunks
      .map((chunk) => `${chunk.kind} ${chunk.sizeBytes} ${chunk.sealed === undefined ? '-' : 'sealed'}`)
      .join();
  };
  const [first, known] = ['hole 1048576 sealed', 'hole 1048576 -'];
  assert.equal(await kinds(true), `data 65536 sealed,${first},${known},${known},${known}`);
  assert.equal(await kinds(false), `data 65536 -${',alloc 1048576 -'.repeat(4)}`);
});

for (const name of ['none', 'lz4'] as const) {
  test(`a chunk too large for the ring arrives all the same (${name})`, async (t) => {
    const path = join(testFolder(t), 'file');
    const data = randomFillSync(Buffer.alloc(32_000_000));
    // Some of it can be compressed.
    data.fill('abc', 25_000_000);
    writeFileSync(path, data);
    const pipeline = testPipeline(t, {
      chunkerParams: ['fixed', 20_971_479, 0],
      compression: { name },
    });
    const { chunks } = await read(pipeline, path);
    assert.deepEqual(
      chunks.map(({ sizeBytes }) => sizeBytes),
      [20_971_479, 11_028_521],
    );
    assert.ok(Buffer.concat(chunks.map((chunk) => plaintext(chunk, new Map()))).equals(data));
  });
}
