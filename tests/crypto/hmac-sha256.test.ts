import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { HmacSha256 } from '../../src/crypto/hmac-sha256.ts';

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
}

describe('HmacSha256', () => {
  // Around the lengths of a block, and of what is hashed in one piece; each after the others, with one object.
  const lengths = [0, 1, 55, 56, 63, 64, 65, 100, 16_383, 16_384, 16_385, 70_000, 3, 0];
  for (const keyBytes of [0, 1, 32, 63, 64]) {
    it(`digest() gives what OpenSSL's HMAC gives, with a key of ${keyBytes} bytes`, () => {
      const key = bytesOf(keyBytes);
      const hmac = new HmacSha256(key);
      for (const length of lengths) {
        const message = bytesOf(length);
        const expected = createHmac('sha256', key).update(message).digest();
        assert.deepEqual(Buffer.from(hmac.digest(message)), expected, `${length} bytes`);
      }
    });
  }

  it('takes test case 2 of RFC 4231', () => {
    const digest = new HmacSha256(Buffer.from('Jefe')).digest(Buffer.from('what do ya want for nothing?'));
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    assert.equal(Buffer.from(digest).toString('hex'), expected);
  });

  it('refuses a key of more than a block', () => {
    assert.throws(() => new HmacSha256(bytesOf(65)), RangeError);
  });
});
