import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { ItemBuffer } from '../../../src/archive/create/item-buffer.ts';
import { bytesSource } from '../../../src/chunker/chunk-source.ts';
import { createChunker } from '../../../src/chunker/chunker.ts';
import { ITEMS_CHUNKER_PARAMS } from '../../../src/chunker/chunker-params.ts';

const SEED = 1234;
const ITEM_COUNT = 6000;

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Some 3 MB of items, of all sizes, and now and then of zeros. */
function items(): Uint8Array[] {
  return Array.from({ length: ITEM_COUNT }, (_, number) => {
    if (number % 500 === 0) return new Uint8Array(200_000);
    return createHash('shake256', { outputLength: 1 + ((number * 37) % 256) })
      .update(`${number}`)
      .digest();
  });
}

describe('ItemBuffer', () => {
  it('cuts as if all items were one stream, however often it is flushed', async () => {
    const stream = items();
    const chunker = createChunker(ITEMS_CHUNKER_PARAMS, SEED);
    // One at a time: a chunk's bytes are there until the next is taken.
    const whole = Array.from(chunker.chunks(bytesSource(stream)), (chunk) =>
      sha256(chunk.kind === 'data' ? chunk.data : new Uint8Array(chunk.sizeBytes)),
    );
    const written: string[] = [];
    const buffer = new ItemBuffer(SEED, async (plaintext) => {
      written.push(sha256(plaintext));
      return plaintext.subarray(0, 1);
    });
    let flushes = 0;
    for (const item of stream) {
      buffer.add(item);
      if (!buffer.isFull) continue;
      flushes += 1;
      await buffer.flush(false);
    }
    await buffer.flush(true);
    assert.ok(flushes >= 2);
    assert.ok(buffer.isEmpty);
    assert.deepEqual(written, whole);
    assert.equal(buffer.chunkIds.length, whole.length);
  });

  it('takes items while chunks are written', async () => {
    const first = Buffer.alloc(600_000, 'a');
    const second = Buffer.alloc(300_000, 'b');
    const written: Uint8Array[] = [];
    const buffer = new ItemBuffer(SEED, async (plaintext) => {
      if (written.length === 0) buffer.add(second);
      written.push(plaintext);
      return plaintext.subarray(0, 1);
    });
    buffer.add(first);
    await buffer.flush(true);
    await buffer.flush(true);
    assert.equal(sha256(Buffer.concat(written)), sha256(Buffer.concat([first, second])));
  });
});
