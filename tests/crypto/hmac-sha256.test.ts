import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { createHmacSha256, nodeHmacSha256 } from '../../src/crypto/hmac-sha256.ts';

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
}

for (const create of [createHmacSha256, nodeHmacSha256]) {
  describe(`${create.name}()`, () => {
    // Around the lengths of a block, and of what is hashed in one piece; each after the others, with one object.
    const lengths = [0, 1, 55, 56, 63, 64, 65, 100, 16_383, 16_384, 16_385, 70_000, 3, 0];
    for (const keyBytes of [0, 1, 32, 63, 64]) {
      it(`makes what OpenSSL's HMAC makes, with a key of ${keyBytes} bytes`, () => {
        const key = bytesOf(keyBytes);
        const hmac = create(key);
        for (const length of lengths) {
          const message = bytesOf(length);
          const expected = createHmac('sha256', key).update(message).digest();
          assert.deepEqual(Buffer.from(hmac.digest(message)), expected, `${length} bytes`);
        }
      });
    }

    it('takes test case 2 of RFC 4231', () => {
      const digest = create(Buffer.from('Jefe')).digest(Buffer.from('what do ya want for nothing?'));
      const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
      assert.equal(Buffer.from(digest).toString('hex'), expected);
    });

    it('gives each digest memory of its own', () => {
      const hmac = create(bytesOf(32));
      const first = hmac.digest(bytesOf(5));
      const kept = first.slice();
      hmac.digest(bytesOf(6));
      assert.deepEqual(first, kept);
      assert.equal(first.length, 32);
    });

    it('makes the same of many messages, whatever their lengths', () => {
      const hmac = create(bytesOf(32));
      for (let count = 0; count <= lengths.length; count++) {
        const messages = lengths.slice(0, count).map(bytesOf);
        assert.deepEqual(
          hmac.digests(messages),
          messages.map((message) => hmac.digest(message)),
        );
      }
    });

    it('hashes memory that threads share', () => {
      const shared = new Uint8Array(new SharedArrayBuffer(300));
      shared.set(bytesOf(300));
      assert.deepEqual(create(bytesOf(32)).digest(shared), create(bytesOf(32)).digest(bytesOf(300)));
    });

    it('refuses a key of more than a block', () => {
      assert.throws(() => create(bytesOf(65)), RangeError);
    });
  });
}
