import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileJob, FileResult } from '../../src/pipeline/file-job.ts';
import { decodeJobs, encodeJobs } from '../../src/pipeline/job-message.ts';
import { NonceRange } from '../../src/pipeline/nonce-range.ts';
import { ResultRows, ResultWriter } from '../../src/pipeline/result-message.ts';
import type { FileStat } from '../../src/platform/file-stat.ts';
import { OsError } from '../../src/platform/os-error.ts';
import { statFields } from '../stat-fields.ts';

const stat: FileStat = {
  dev: 2n ** 64n - 1n,
  ino: 2n ** 63n + 5n,
  mode: 0o100644,
  nlink: 3,
  uid: 4_294_967_294,
  gid: 7,
  rdev: 2n ** 40n,
  sizeBytes: 2 ** 50,
  blocks: 8,
  atimeNs: -1n,
  mtimeNs: 1_700_000_000_123_456_789n,
  ctimeNs: 0n,
};

test('decodeJobs() gives back what encodeJobs() was given', () => {
  const path = Uint8Array.of(0x2f, 0xff, 0x80, 0x41);
  const shared = Uint8Array.of(1, 0xfe, 2);
  const jobs: FileJob[] = [
    {
      path,
      at: { directoryFd: 12, name: shared.subarray(1, 2) },
      expected: { mode: 0o100600, ino: 2n ** 63n },
    },
    { path: shared.subarray(0, 2), fd: 0, closeFd: true, contents: false, sealAll: true },
    { path: new Uint8Array(0), sparse: true, xattrs: true, acls: true, numericIds: true, flags: true },
    { path, followSymlinks: true },
    { path, fd: 3, opened: { mode: 0o100600, sizeBytes: 0 } },
    { path, fd: 3, opened: { mode: 0o100600, sizeBytes: 2 ** 50 } },
    { path, fd: 5, section: { sizeBytes: 7, offsetBytes: 512, stretches: [0, 3, 5, 1] } },
  ];
  const message = structuredClone(encodeJobs(40, jobs));
  assert.equal(message.firstJob, 40);
  const decoded = [...decodeJobs(message)];
  assert.equal(decoded.length, jobs.length);
  for (const [number, job] of jobs.entries()) {
    for (const [key, value] of Object.entries(decoded[number]!)) {
      const given = (job as unknown as Record<string, unknown>)[key];
      assert.deepEqual(
        value,
        given ?? (key === 'contents' ? true : typeof value === 'boolean' ? false : undefined),
        key,
      );
    }
    for (const key of Object.keys(job)) assert.ok(key in decoded[number]!, key);
  }
});

test('ResultRows gives back what ResultWriter was given', () => {
  const results: FileResult[] = [
    { sizeBytes: 2 ** 45, flags: 7, stat, statAfter: stat },
    { sizeBytes: 5, flags: 0, stat: { ...stat, birthtimeNs: 9n }, statAfter: { ...stat, ctimeNs: 1n } },
    { sizeBytes: 0, flags: 0, stat },
    { sizeBytes: 0, flags: 0, error: { kind: 'race', what: 'file type' } },
    {
      sizeBytes: 0,
      flags: 0,
      error: { kind: 'os', operation: 'open', cause: new OsError(13, 'open', '/x') },
    },
    {
      sizeBytes: 0,
      flags: 0,
      stat,
      xattrs: new Map([['user.\xff', null]]),
      xattrWarnings: ['one'],
      acls: { aclAccess: Uint8Array.of(1) },
    },
  ];
  const writer = new ResultWriter();
  for (const [job, result] of results.entries()) writer.addFile(job + 100, result);
  writer.addFailure(200, 'broken');
  const { message, transfer } = writer.take();
  const rows = new ResultRows(structuredClone(message, { transfer }), new Uint8Array(0));
  assert.ok(writer.isEmpty);
  for (const [job, result] of results.entries()) {
    assert.ok(rows.next());
    assert.deepEqual([rows.type, rows.job], ['file', job + 100]);
    const { stat: before, statAfter: after, ...rest } = rows.result();
    const stats = {
      ...(before && { stat: statFields(before) }),
      ...(after && { statAfter: statFields(after) }),
    };
    assert.deepEqual({ ...rest, ...stats }, result);
  }
  assert.ok(rows.next());
  assert.deepEqual([rows.type, rows.job, rows.reason], ['failure', 200, 'broken']);
  assert.ok(!rows.next());
});

test('takeChunk() of rows gives ids and envelopes, from the ring and from memory of their own', () => {
  const ring = Uint8Array.from({ length: 200 }, (_, at) => at);
  const large = Uint8Array.from({ length: 50 }, (_, at) => 255 - at);
  const [id, sealed] = [ring.slice(7, 39), ring.slice(39, 49)];
  const writer = new ResultWriter();
  const inRing = { offset: 7, costBytes: 42, bytes: ring.subarray(7, 49) };
  writer.addChunk(1, { id, sizeBytes: 99, kind: 'data', sealed }, inRing);
  writer.addFile(1, { sizeBytes: 99, flags: 0 });
  writer.addChunk(2, { id, sizeBytes: 5, kind: 'hole' }, inRing);
  const own = { offset: -1, costBytes: 50, bytes: large, large };
  writer.addChunk(2, { id, sizeBytes: 6, kind: 'alloc', sealed: large.slice(32, 40) }, own);
  const expected = [
    { id, sizeBytes: 99, kind: 'data', sealed },
    { id, sizeBytes: 5, kind: 'hole' },
    { id: large.slice(0, 32), sizeBytes: 6, kind: 'alloc', sealed: large.slice(32, 40) },
  ];
  const { message, transfer } = writer.take();
  const rows = new ResultRows(structuredClone(message, { transfer }), ring);
  const chunks: unknown[] = [];
  while (rows.next()) if (rows.type === 'chunk') chunks.push(rows.takeChunk());
  assert.deepEqual(chunks, expected);
  // The ring is used again, ids are kept.
  ring.fill(0);
  assert.deepEqual((chunks[1] as { id: Uint8Array }).id, id);
});

test('take() of nonces goes on in its range, and leases what is too large for it', () => {
  const leased: number[] = [];
  let next = 0n;
  const range = new NonceRange((blocks) => {
    leased.push(blocks);
    next += 2n ** 32n;
    return next;
  });
  assert.equal(range.take(10), 2n ** 32n);
  assert.equal(range.take(5), 2n ** 32n + 10n);
  assert.equal(range.take(2 ** 23), 2n * 2n ** 32n);
  assert.equal(range.take(1), 3n * 2n ** 32n);
  assert.deepEqual(leased, [2 ** 22, 2 ** 23, 2 ** 22]);
});
