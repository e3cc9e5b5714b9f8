import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noise } from '../noise.ts';
import { testFolder } from './setup.ts';

const MIB = 2 ** 20;

/** Reads the file in a process of its own, and says how much memory that took at most. */
const program = `
  const { createPipeline } = await import(${JSON.stringify(new URL('../../src/pipeline/pipeline.ts', import.meta.url).href)});
  const bytes = () => new Uint8Array(32).fill(7);
  const material = { typeByte: 3, cipher: 'aes-256-ctr', mac: 'hmac-sha256', idHash: 'hmac-sha256', encKey: bytes(), encHmacKey: bytes(), idKey: bytes() };
  let next = 0n;
  const pipeline = createPipeline({
    threads: 2, material, compression: { name: 'lz4' }, chunkerParams: ['buzhash', 19, 23, 21, 4095], chunkSeed: 1,
    leaseNonces: async (blocks) => { const first = next; next += BigInt(blocks); return first; },
  });
  let sealedBytes = 0;
  const path = Buffer.from(process.argv[1]);
  const takeChunk = (chunk) => { sealedBytes += chunk.sealed?.length ?? 0; };
  const { sizeBytes } = await new Promise((takeResult, fail) => {
    pipeline.processFile({ path }, { takeChunk, takeResult, fail });
  });
  await pipeline.close();
  console.log(JSON.stringify({ sizeBytes, sealedBytes, peakBytes: process.resourceUsage().maxRSS * 1024 }));
`;

test('memory does not grow with the size of a file', (t) => {
  const path = join(testFolder(t), 'file');
  const fd = openSync(path, 'w');
  const data = noise(16 * MIB, 1);
  for (let at = 0; at < 12; at++) {
    data.set(noise(4096, 100 + at));
    writeSync(fd, data);
  }
  closeSync(fd);
  truncateSync(path, 1000 * MIB);
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program, path], {
    encoding: 'utf8',
  });
  assert.equal(child.status, 0, child.stderr);
  const { sizeBytes, sealedBytes, peakBytes } = JSON.parse(child.stdout) as Record<string, number>;
  assert.equal(sizeBytes, 1000 * MIB);
  assert.ok(sealedBytes! > 16 * MIB && sealedBytes! < 220 * MIB, `sealed ${sealedBytes}`);
  assert.ok(peakBytes! < 250 * MIB, `took ${Math.round(peakBytes! / MIB)} MiB`);
});
