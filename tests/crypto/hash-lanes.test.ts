import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { HashLanes, type LaneHash } from '../../src/crypto/hash-lanes.ts';
import { createHmacSha256, nodeHmacSha256 } from '../../src/crypto/hmac-sha256.ts';
import { SHA256_FIRST_WORDS } from '../../src/crypto/sha256-pair.ts';
import { noise } from '../noise.ts';
import * as fc from '../properties.ts';

const plain: LaneHash = {
  digest: (message) => createHash('sha256').update(message).digest(),
  parts: { before: SHA256_FIRST_WORDS, beforeBytes: 0, finish: (digest) => digest },
};
const hashes: readonly LaneHash[] = [
  plain,
  createHmacSha256(noise(32, 1)),
  createHmacSha256(noise(64, 2)),
  // One that can not be hashed beside another.
  { digest: (message) => nodeHmacSha256(noise(32, 3)).digest(message) },
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('HashLanes', () => {
  it('makes of each message what its hash makes of it alone, whatever goes on beside it', () => {
    const messages = fc.array(fc.tuple(fc.nat(hashes.length - 1), fc.nat(30_000)), { maxLength: 12 });
    fc.assert(
      fc.property(messages, (all) => {
        const lanes = new HashLanes();
        const waiting = all.map(([hash, size], number) => ({
          hash: hashes[hash]!,
          data: noise(size, number),
        }));
        const expected = waiting.map(({ hash, data }) => hex(hash.digest(data)));
        const found: string[] = [];
        let begun = 0;
        let done = 0;
        while (done < waiting.length) {
          while (begun < waiting.length && lanes.hasRoom) {
            const number = begun++;
            const { hash, data } = waiting[number]!;
            lanes.begin(hash, data, (digest) => {
              found[number] = hex(digest);
              done++;
            });
          }
          lanes.finishOne();
        }
        assert.deepEqual(found, expected);
      }),
    );
  });

  it('lets a message begin where one is done', () => {
    const lanes = new HashLanes();
    const found: string[] = [];
    const last = noise(5000, 9);
    lanes.begin(plain, noise(9000, 1), () => {
      lanes.begin(plain, last, (digest) => found.push(hex(digest)));
    });
    lanes.finishOne();
    lanes.finishOne();
    assert.deepEqual(found, [hex(plain.digest(last))]);
  });

  it('gives up what was begun', () => {
    const lanes = new HashLanes();
    lanes.begin(plain, noise(9000, 1), () => assert.fail('it was given up'));
    if (lanes.hasRoom) lanes.begin(plain, noise(100, 1), () => assert.fail('it was given up'));
    lanes.clear();
    let digest: Uint8Array | undefined;
    lanes.begin(plain, noise(70, 2), (made) => (digest = made));
    lanes.finishOne();
    assert.equal(hex(digest!), hex(plain.digest(noise(70, 2))));
    assert.ok(lanes.hasRoom);
    assert.throws(() => lanes.finishOne());
  });

  it('refuses a third message', () => {
    const lanes = new HashLanes();
    const begin = () => lanes.begin(plain, noise(9000, 1), () => {});
    assert.throws(() => {
      for (let number = 0; number < 3; number++) begin();
    }, RangeError);
  });
});
