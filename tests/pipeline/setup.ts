import { randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { decompress } from '../../src/compress/decompress.ts';
import { openEnvelope } from '../../src/crypto/envelope.ts';
import type { KeyMaterial } from '../../src/crypto/key-material.ts';
import type { FileJob, FileResult, FileTaker, PipelineChunk } from '../../src/pipeline/file-job.ts';
import { type Pipeline, type PipelineOptions, createPipeline } from '../../src/pipeline/pipeline.ts';
import { toHex } from '../../src/util/bytes.ts';
import { noise } from '../noise.ts';

export const material: KeyMaterial = {
  typeByte: 3,
  cipher: 'aes-256-ctr',
  mac: 'hmac-sha256',
  idHash: 'hmac-sha256',
  encKey: randomBytes(32),
  encHmacKey: randomBytes(32),
  idKey: randomBytes(32),
};

/** The same repository's key in other modes. Call initCrypto() first. */
export const blakeMaterial: KeyMaterial = {
  ...material,
  typeByte: 5,
  mac: 'blake2b-256',
  idHash: 'blake2b-256',
  encHmacKey: noise(128, 1),
  idKey: noise(128, 2),
};

export const plainMaterial: KeyMaterial = {
  ...material,
  typeByte: 2,
  cipher: 'none',
  mac: 'none',
  idHash: 'sha256',
};

/** A pipeline with small chunks and a counter for nonces, closed when the test ends. */
export function testPipeline(t: TestContext, options: Partial<PipelineOptions> = {}): Pipeline {
  let next = 1000n;
  const pipeline = createPipeline({
    threads: 1,
    material,
    compression: { name: 'lz4' },
    chunkerParams: ['buzhash', 10, 16, 12, 63],
    chunkSeed: 5,
    leaseNonces(blocks) {
      const first = next;
      next += BigInt(blocks);
      return Promise.resolve(first);
    },
    ...options,
  });
  t.after(() => pipeline.close());
  return pipeline;
}

export function testFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'alcove-pipeline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface ReadFile {
  readonly chunks: PipelineChunk[];
  readonly result: FileResult;
}

/** What becomes of a file; rejected where the pipeline fails it. */
export function processFile(
  pipeline: Pipeline,
  job: FileJob,
  takeChunk: FileTaker['takeChunk'],
): Promise<FileResult> {
  return new Promise((takeResult, fail) => {
    pipeline.processFile(job, { takeChunk, takeResult, fail });
  });
}

/** Reads one file; keeps copies of its chunks. */
export async function read(pipeline: Pipeline, job: FileJob | string): Promise<ReadFile> {
  const chunks: PipelineChunk[] = [];
  const result = await processFile(pipeline, typeof job === 'string' ? jobOf(job) : job, (chunk) => {
    chunks.push({ ...chunk, ...(chunk.sealed && { sealed: chunk.sealed.slice() }) });
  });
  return { chunks, result };
}

/** A job for a thread, as it does not tell the size of the file. */
export function jobOf(path: string): FileJob {
  const stat = lstatSync(path, { bigint: true });
  return { path: Buffer.from(path), expected: { mode: Number(stat.mode), ino: stat.ino } };
}

/** A job as the walk of a tree makes it: where the file is small, no thread is needed. */
export function sizedJobOf(path: string): FileJob {
  return { ...jobOf(path), sizeHintBytes: lstatSync(path).size };
}

/** The plaintext in a chunk's envelope; without one, what it must have been. */
export function plaintext(chunk: PipelineChunk, known: Map<string, Uint8Array>): Uint8Array {
  const id = toHex(chunk.id);
  if (chunk.sealed !== undefined) known.set(id, decompress(openEnvelope(material, chunk.id, chunk.sealed)));
  const data = known.get(id);
  if (data === undefined) throw new Error(`no envelope for ${id}`);
  return data;
}
