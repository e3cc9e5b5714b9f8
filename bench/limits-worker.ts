/** One thread that does one step at a time, for a while, and tells how fast: see limits.ts. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createChunker } from '../src/chunker/chunker.ts';
import { bytesSource } from '../src/chunker/chunk-source.ts';
import { createCompressor } from '../src/compress/compressor.ts';
import { decompressInto } from '../src/compress/decompress.ts';
import {
  addMacs,
  encryptEnvelopeInto,
  envelopeSizeBytes,
  openEnvelopesInPlace,
  sealEnvelope,
} from '../src/crypto/envelope.ts';
import { idHashes } from '../src/crypto/id-hash.ts';
import { initCrypto } from '../src/crypto/init-crypto.ts';
import type { KeyMaterial } from '../src/crypto/key-material.ts';
import { crc32 } from '../src/util/crc32.ts';
import { BIG_FILES } from './corpora/corpus.ts';
import { createFiller } from './corpora/contents.ts';
import type { WorkerReport, WorkerStep } from './limits.ts';

const { folder, secondsPerStep } = workerData as { folder: string; secondsPerStep: number };
const CHUNK_BYTES = 1 << 18;
const CHUNKS = 25;
const FILE_BYTES = CHUNKS * CHUNK_BYTES;
const SMALL_FILES = 500;

const chunks = BIG_FILES.flatMap(([kind, share], seed) => {
  const fill = createFiller(kind, seed);
  return Array.from({ length: Math.round(CHUNKS * share) }, () => {
    const chunk = new Uint8Array(CHUNK_BYTES);
    fill(chunk);
    return chunk;
  });
});
const all = Buffer.concat(chunks);
const compressor = createCompressor({ name: 'lz4' });
const compressed = chunks.map((chunk) => compressor.compress(chunk));
const compressedBytes = compressed.reduce((sum, { length }) => sum + length, 0);
const sha: KeyMaterial = {
  typeByte: 3,
  cipher: 'aes-256-ctr',
  mac: 'hmac-sha256',
  idHash: 'hmac-sha256',
  encKey: randomBytes(32),
  encHmacKey: randomBytes(32),
  idKey: randomBytes(32),
};
const blake2: KeyMaterial = {
  ...sha,
  typeByte: 5,
  mac: 'blake2b-256',
  idHash: 'blake2b-256',
  encHmacKey: new Uint8Array(128),
  idKey: new Uint8Array(128),
};
await initCrypto(blake2);
const chunker = createChunker(['buzhash', 19, 23, 21, 4095], 0);
const sealed = compressed.map((object) => sealEnvelope(sha, 0n, object));
const envelopes = compressed.map(({ length }) => new Uint8Array(envelopeSizeBytes(sha, length)));
const piece = new Uint8Array(CHUNK_BYTES);
const plain = new Uint8Array(CHUNK_BYTES);
fs.mkdirSync(folder, { recursive: true });
const file = join(folder, 'file');
fs.writeFileSync(file, all);
const small = join(folder, 'small');
fs.mkdirSync(small);
const kilobyte = all.subarray(0, 1000);
for (let number = 0; number < SMALL_FILES; number++) fs.writeFileSync(join(small, String(number)), kilobyte);

/** Each does the step once and says how many bytes or files that were. */
const STEPS: Readonly<Record<WorkerStep, () => number>> = {
  read() {
    const fd = fs.openSync(file, 'r');
    while (fs.readSync(fd, piece) > 0);
    fs.closeSync(fd);
    return FILE_BYTES;
  },
  cut() {
    let bytes = 0;
    for (const { sizeBytes } of chunker.chunks(bytesSource(all))) bytes += sizeBytes;
    return bytes;
  },
  hash: () => hash(sha),
  hashBlake2: () => hash(blake2),
  compress: () => each(chunks, (chunk) => compressor.compressTransient(chunk)),
  seal: () => seal(sha),
  sealBlake2: () => seal(blake2),
  crc: () => each(sealed, (object) => crc32(object)),
  open: () => {
    openEnvelopesInPlace(
      sha,
      sealed.map((object) => Uint8Array.from(object)),
    );
    return compressedBytes;
  },
  decompress() {
    for (const object of compressed) decompressInto(object, plain);
    return FILE_BYTES;
  },
  write() {
    fs.writeFileSync(join(folder, 'written'), all, { flush: true });
    return FILE_BYTES;
  },
  walk() {
    for (const name of fs.readdirSync(small)) fs.lstatSync(join(small, name), { bigint: true });
    return SMALL_FILES;
  },
  openFile() {
    for (let number = 0; number < SMALL_FILES; number++) fs.readFileSync(join(small, String(number)));
    return SMALL_FILES;
  },
  make() {
    const made = join(folder, 'made');
    fs.mkdirSync(made);
    for (let number = 0; number < SMALL_FILES; number++) {
      const path = join(made, String(number));
      fs.writeFileSync(path, kilobyte);
      fs.utimesSync(path, 1, 1);
    }
    fs.renameSync(made, join(folder, `made-${++madeCount}`));
    return SMALL_FILES;
  },
};
let madeCount = 0;

function each(list: readonly Uint8Array[], work: (bytes: Uint8Array) => unknown): number {
  let bytes = 0;
  for (const item of list) {
    work(item);
    bytes += item.length;
  }
  return bytes;
}

function hash(material: KeyMaterial): number {
  idHashes(material, chunks);
  return FILE_BYTES;
}

function seal(material: KeyMaterial): number {
  for (const [index, object] of compressed.entries()) {
    encryptEnvelopeInto(material, 0n, object, envelopes[index]!);
  }
  addMacs(material, envelopes);
  return compressedBytes;
}

parentPort!.on('message', (step: WorkerStep) => {
  const work = STEPS[step];
  const startMs = performance.now();
  let done = 0;
  let elapsedMs = 0;
  do {
    done += work();
    elapsedMs = performance.now() - startMs;
  } while (elapsedMs < secondsPerStep * 1000);
  const report: WorkerReport = {
    speed: done / (elapsedMs / 1000),
    compressionRatio: compressedBytes / FILE_BYTES,
  };
  parentPort!.postMessage(report);
});
