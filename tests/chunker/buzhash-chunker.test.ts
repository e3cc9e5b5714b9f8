import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { createChunker } from '../../src/chunker/chunker.ts';
import { type Chunk, bytesSource } from '../../src/chunker/chunk-source.ts';
import { shortReads } from './samples.ts';
import { noise } from '../noise.ts';

/** Cuts that Borg 1.4.5 made; a chunk of zeros is written as its negative size. */
interface Vector {
  params: [number, number, number, number];
  seed: number;
  sizeBytes: number;
  noise: number;
  zeros: [number, number];
  chunks: number[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/buzhash-cuts.json', import.meta.url), 'utf8'),
) as Vector[];

function signedSize(chunk: Chunk): number {
  return chunk.kind === 'data' ? chunk.sizeBytes : -chunk.sizeBytes;
}

test('chunks() cuts where Borg cuts', () => {
  for (const vector of vectors) {
    const data = noise(vector.sizeBytes, vector.noise).fill(0, ...vector.zeros);
    const chunker = createChunker(['buzhash', ...vector.params], vector.seed);
    let offset = 0;
    const sizes: number[] = [];
    for (const chunk of chunker.chunks(bytesSource(data))) {
      sizes.push(signedSize(chunk));
      if (chunk.kind === 'data') {
        assert.ok(Buffer.from(chunk.data).equals(data.subarray(offset, offset + chunk.sizeBytes)));
      }
      offset += chunk.sizeBytes;
    }
    assert.deepEqual(sizes, vector.chunks, `${vector.sizeBytes} bytes by ${String(vector.params)}`);
  }
});

test('chunks() cuts the same however short the reads are', () => {
  const data = noise(150_000, 3);
  const chunker = createChunker(['buzhash', 8, 13, 11, 1023], 17);
  const expected = [...chunker.chunks(bytesSource(data))].map(signedSize);
  assert.ok(expected.length > 20);
  for (const counts of [[1], [4096], [65_536], [1, 1023, 7, 2047], [8192 - 1023, 1]]) {
    assert.deepEqual([...chunker.chunks(shortReads(data, counts))].map(signedSize), expected);
  }
});

test('chunks() obeys the definition of a cut for any parameters', () => {
  const parameters = fc.record({
    min: fc.integer({ min: 6, max: 8 }),
    extra: fc.integer({ min: 0, max: 3 }),
    maskBits: fc.integer({ min: 6, max: 11 }),
    window: fc.integer({ min: 0, max: 100 }).map((half) => 2 * half + 1),
    seed: fc.integer(),
    sizeBytes: fc.integer({ min: 0, max: 5000 }),
    dataSeed: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(parameters, ({ min, extra, maskBits, window, seed, sizeBytes, dataSeed }) => {
      const max = Math.max(maskBits, min + extra);
      fc.pre(min <= maskBits && window + 2 ** min + 1 <= 2 ** max);
      const data = noise(sizeBytes, dataSeed);
      const chunker = createChunker(['buzhash', min, max, maskBits, window], seed);
      const sizes = [...chunker.chunks(bytesSource(data))].map((chunk) => chunk.sizeBytes);
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        sizeBytes,
      );
      for (const [index, size] of sizes.entries()) {
        assert.ok(size <= 2 ** max);
        if (index < sizes.length - 1) assert.ok(size >= 2 ** min);
      }
    }),
  );
});

test('chunks() of an earlier source left halfway does not disturb the next', () => {
  const chunker = createChunker(['buzhash', 8, 13, 9, 31], 1);
  const data = noise(20_000);
  const expected = [...chunker.chunks(bytesSource(data))].map(signedSize);
  for (const chunk of chunker.chunks(bytesSource(noise(9000, 5)))) if (chunk.sizeBytes > 0) break;
  assert.deepEqual(
    [...chunker.chunks(bytesSource([data.subarray(0, 77), data.subarray(77)]))].map(signedSize),
    expected,
  );
});

test('chunks() passes on what the source throws', () => {
  const chunker = createChunker(['buzhash', 8, 13, 9, 31], 1);
  const failing = {
    read(): number {
      throw new Error('EIO');
    },
  };
  assert.throws(() => [...chunker.chunks(failing)], /EIO/);
});
