import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { bytesSource, type Chunk } from '../../src/chunker/chunk-source.ts';
import { createChunker } from '../../src/chunker/chunker.ts';
import type { ChunkerParams } from '../../src/chunker/chunker-params.ts';
import { noise } from '../noise.ts';

const MIB = 2 ** 20;
const kinds: readonly (readonly [string, ChunkerParams, number])[] = [
  ['buzhash, small chunks', ['buzhash', 8, 13, 11, 1023], 50_000],
  ['buzhash, chunks of which few fit into its memory', ['buzhash', 17, 20, 18, 4095], 3 * MIB],
  ['fixed', ['fixed', 5000, 100], 50_000],
];

for (const [name, params, maxBytes] of kinds) {
  describe(`createChunker() (${name})`, () => {
    it('leaves the chunks of all sources as they are until it says that it uses their memory again', () => {
      const source = fc.oneof(fc.nat(3000), fc.nat(maxBytes));
      fc.assert(
        fc.property(fc.array(source, { minLength: 1, maxLength: 6 }), (sizes) => {
          let held: { chunk: Chunk; copy: Buffer }[] = [];
          let released = 0;
          const release = (): void => {
            for (const { chunk, copy } of held) assert.ok(copy.equals(chunk.data), 'a chunk was overwritten');
            released += held.length;
            held = [];
          };
          const chunker = createChunker(params, 3, release);
          const usual = createChunker(params, 3);
          let count = 0;
          for (const [index, size] of sizes.entries()) {
            const data = noise(size, index + 1);
            const expected = Array.from(usual.chunks(bytesSource(data)), ({ sizeBytes }) => sizeBytes);
            let at = 0;
            const found = Array.from(chunker.chunks(bytesSource(data)), (chunk) => {
              const copy = Buffer.from(data.subarray(at, (at += chunk.sizeBytes)));
              held.push({ chunk, copy });
              return chunk.sizeBytes;
            });
            assert.deepEqual(found, expected);
            count += found.length;
          }
          release();
          assert.equal(released, count);
        }),
        { numRuns: 20 },
      );
    });
  });
}
