import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAes256Ctr, nodeAes256Ctr } from '../../src/crypto/aes-ctr.ts';

function bytesOf(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed) % 256);
}

const key = bytesOf(32);
// The lower half about to overflow into the upper, as no key of ours ever comes to.
const counters = [bytesOf(16), new Uint8Array(16), new Uint8Array(16).fill(255)];

for (const create of [createAes256Ctr, nodeAes256Ctr]) {
  describe(`${create.name}()`, () => {
    it('encrypts as OpenSSL does, message after message', () => {
      const cipher = create(key);
      for (const length of [0, 1, 15, 16, 17, 1000, 300_000, 5]) {
        for (const counter of counters) {
          const data = bytesOf(length, 3);
          const expected = createCipheriv('aes-256-ctr', key, counter).update(data);
          const out = new Uint8Array(length);
          cipher.applyInto(counter, data, out);
          assert.ok(expected.equals(out), `${length} bytes`);
          assert.ok(
            expected.length === 0 || Buffer.from(data).equals(bytesOf(length, 3)),
            'data was changed',
          );
        }
      }
    });

    it('encrypts in place, in memory that threads share', () => {
      const shared = new Uint8Array(new SharedArrayBuffer(100_041)).subarray(41);
      shared.set(bytesOf(100_000));
      create(key).applyInto(counters[0]!, shared, shared);
      const expected = createCipheriv('aes-256-ctr', key, counters[0]!).update(bytesOf(100_000));
      assert.ok(expected.equals(shared));
    });

    it('goes with several keys side by side', () => {
      const [one, other] = [create(key), create(bytesOf(32, 9))];
      const outs = [one, other, one].map((cipher) => {
        const out = new Uint8Array(20);
        cipher.applyInto(counters[0]!, bytesOf(20), out);
        return Buffer.from(out).toString('hex');
      });
      assert.equal(outs[0], outs[2]);
      assert.notEqual(outs[0], outs[1]);
    });

    it('refuses keys and counters of another length', () => {
      assert.throws(() => {
        create(bytesOf(16)).applyInto(counters[0]!, bytesOf(1), new Uint8Array(1));
      }, RangeError);
      assert.throws(() => create(key).applyInto(bytesOf(8), bytesOf(1), new Uint8Array(1)));
    });
  });
}

describe('createAes256Ctr()', () => {
  it('refuses to write past the end of its output', () => {
    assert.throws(
      () => createAes256Ctr(key).applyInto(counters[0]!, bytesOf(20), new Uint8Array(19)),
      RangeError,
    );
  });
});
