import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { findOpenSsl } from '../../src/crypto/openssl.ts';
import { findSha256Pair, Sha256Pair } from '../../src/crypto/sha256-pair.ts';

const { sha256Pair, addressOf } = findOpenSsl() ?? {};
const pair = sha256Pair && addressOf && new Sha256Pair({ sha256Pair, addressOf });
const reason = 'no OpenSSL that hashes two messages side by side on this processor';
const options = { skip: pair === undefined && reason };

function messageOf(length: number, start: number): Uint8Array {
  const bytes = new Uint8Array(start + length).map((_, index) => index * 5 + start);
  return bytes.subarray(start);
}

describe('Sha256Pair', options, () => {
  // What is copied as a whole is 4,096 bytes at most.
  const length = fc.oneof(
    fc.nat(200),
    fc.integer({ min: 4000, max: 4200 }),
    fc.nat(20_000),
    fc.constantFrom(55, 56, 63, 64, 65, 4031, 4032, 4095, 4096, 4097, 4160),
  );
  const message = fc.tuple(length, fc.nat(70)).map(([bytes, start]) => messageOf(bytes, start));

  it('makes what node:crypto makes, of any number of messages of any length', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 9 }), (messages) => {
        const expected = messages.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
        const digests = pair!.digests(messages).map((digest) => Buffer.from(digest).toString('hex'));
        assert.deepEqual(digests, expected);
      }),
    );
  });

  it('is taken, as it agrees with node:crypto', () => {
    assert.ok(findSha256Pair() instanceof Sha256Pair);
  });

  it('hashes large messages beside small ones', () => {
    const messages = [1, 3_000_000, 5, 2_999_999, 40_000, 0].map((bytes) => messageOf(bytes, 3));
    const expected = messages.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
    const digests = pair!.digests(messages).map((digest) => Buffer.from(digest).toString('hex'));
    assert.deepEqual(digests, expected);
  });

  it('starts anew after a message that it refuses', () => {
    const huge = Object.defineProperty(messageOf(10, 0), 'length', { value: 2 ** 30 + 1 });
    assert.throws(() => pair!.digests([messageOf(9000, 1), huge]), RangeError);
    const [digest] = pair!.digests([messageOf(100, 0)]);
    const expected = createHash('sha256').update(messageOf(100, 0)).digest('hex');
    assert.equal(Buffer.from(digest!).toString('hex'), expected);
  });
});
