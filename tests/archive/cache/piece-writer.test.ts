import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PieceWriter } from '../../../src/archive/cache/piece-writer.ts';
import { concatBytes } from '../../../src/util/bytes.ts';

describe('PieceWriter', () => {
  it('gives all stretches in order, whether or not they follow each other', () => {
    const [one, two] = [Uint8Array.of(1, 2, 3, 4, 5, 6), Uint8Array.of(11, 12, 13)];
    const writer = new PieceWriter();
    writer.add(one, 0, 2);
    writer.add(one, 2, 3);
    writer.add(two);
    writer.add(one, 3, 4);
    writer.add(one, 5, 6);
    assert.deepEqual([...writer.take()], [1, 2, 3, 11, 12, 13, 4, 6]);
    assert.deepEqual([...writer.take()], []);
    // Where it went on before the piece was taken.
    writer.add(one, 0, 2);
    assert.deepEqual([...writer.take()], [1, 2]);
    writer.add(one, 2, 4);
    assert.deepEqual([...writer.take()], [3, 4]);
  });

  it('gives pieces that stay as they are, also of stretches larger than one', () => {
    const large = Uint8Array.from({ length: 3 * 2 ** 20 }, (_, index) => index % 251);
    const writer = new PieceWriter();
    const pieces: Uint8Array[] = [];
    for (const size of [10, 2 ** 20 - 5, 3 * 2 ** 20, 7]) {
      writer.add(large, 0, size);
      if (writer.isFull) pieces.push(writer.take());
    }
    pieces.push(writer.take());
    assert.equal(pieces.length, 3);
    const whole = [10, 2 ** 20 - 5, 3 * 2 ** 20, 7].map((size) => large.subarray(0, size));
    assert.equal(Buffer.compare(concatBytes(pieces), concatBytes(whole)), 0);
  });
});
