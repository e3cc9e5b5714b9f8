import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bytesSource } from '../../../src/chunker/chunk-source.ts';
import { createChunker } from '../../../src/chunker/chunker.ts';
import type { ChunkerParams } from '../../../src/chunker/chunker-params.ts';
import { Rechunker } from '../../../src/archive/recreate/rechunker.ts';
import { noise } from '../../noise.ts';

const SEED = 4711;

/** Sizes of the chunks of the whole, cut at once. */
function cutWhole(params: ChunkerParams, whole: Uint8Array): number[] {
  return Array.from(createChunker(params, SEED).chunks(bytesSource(whole)), ({ sizeBytes }) => sizeBytes);
}

async function* pieces(whole: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += sizeBytes) yield whole.subarray(at, at + sizeBytes);
}

describe('Rechunker.cut()', () => {
  const long = noise(11_000_000, 1);
  // Runs of zeros, of which chunkers give no bytes.
  const sparse = Buffer.concat([noise(3_000_000, 2), Buffer.alloc(6_000_000), noise(100_000, 3)]);
  const cases: readonly (readonly [string, ChunkerParams, Uint8Array])[] = [
    ['buzhash', ['buzhash', 12, 16, 14, 4095], long],
    ['buzhash with large chunks', ['buzhash', 18, 21, 19, 4095], long],
    ['buzhash over zeros', ['buzhash', 12, 16, 14, 4095], sparse],
    ['blocks', ['fixed', 65_536, 0], long],
    ['blocks that end with a window', ['fixed', 65_536, 0], long.subarray(0, 8 * 2 ** 20)],
    ['blocks after a header', ['fixed', 100_000, 77], long],
    ['blocks after a header over zeros', ['fixed', 100_000, 77], sparse],
    ['a short file', ['buzhash', 12, 16, 14, 4095], long.subarray(0, 100)],
    ['a file of a header alone', ['fixed', 100_000, 77], long.subarray(0, 50)],
    ['nothing', ['buzhash', 12, 16, 14, 4095], long.subarray(0, 0)],
  ];
  for (const [title, params, whole] of cases) {
    it(`cuts where the whole would be cut: ${title}`, async () => {
      const rechunker = new Rechunker(params, SEED);
      for (const pieceBytes of [1_500_000, 99_999]) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of rechunker.cut(pieces(whole, pieceBytes))) chunks.push(chunk.slice());
        assert.deepEqual(
          chunks.map(({ length }) => length),
          cutWhole(params, whole),
        );
        assert.ok(Buffer.concat(chunks).equals(whole));
      }
    });
  }

  it('holds no more than a window', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield noise(1_000_000, taken);
        taken += 1_000_000;
      }
    }
    let given = 0;
    for await (const chunk of new Rechunker(['buzhash', 12, 16, 14, 4095], SEED).cut(endless())) {
      given += chunk.length;
      assert.ok(taken - given < 6_000_000, `${taken} - ${given}`);
      if (given > 30_000_000) break;
    }
  });
});
