import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as fc from '../properties.ts';
import {
  acceptsType,
  addMacs,
  encryptEnvelopeInto,
  envelopeNonce,
  envelopeNonceBlocks,
  openEnvelope,
  openEnvelopesInPlace,
  sealEnvelope,
} from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import type { KeyMaterial } from '../../src/crypto/key-material.ts';
import { IntegrityError } from '../../src/errors.ts';
import { fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';
import { materialOf, vectors } from '../keys/vectors.ts';

const hmacMaterial: KeyMaterial = {
  typeByte: 0x03,
  cipher: 'aes-256-ctr',
  mac: 'hmac-sha256',
  idHash: 'hmac-sha256',
  encKey: fromUtf8('E'.repeat(32)),
  encHmacKey: fromUtf8('M'.repeat(32)),
  idKey: fromUtf8('I'.repeat(32)),
};
const blakeMaterial: KeyMaterial = {
  ...hmacMaterial,
  typeByte: 0x05,
  mac: 'blake2b-256',
  idHash: 'blake2b-256',
  encHmacKey: new Uint8Array(128).map((_, i) => (i < 64 ? i : 0)),
};
const authenticated: KeyMaterial = { ...hmacMaterial, typeByte: 0x07, cipher: 'none', mac: 'none' };
const plaintext: KeyMaterial = {
  typeByte: 0x02,
  cipher: 'none',
  mac: 'none',
  idHash: 'sha256',
  encKey: new Uint8Array(0),
  encHmacKey: new Uint8Array(0),
  idKey: new Uint8Array(0),
};

const id = fromHex('ab'.repeat(32));
const nonce = 2n ** 40n + 7n;
const payload = fromUtf8('foo'.repeat(10));

before(() => initCrypto());

describe('sealEnvelope()', () => {
  it('writes the bytes that Borg writes with HMAC-SHA256', () => {
    assert.equal(
      toHex(sealEnvelope(hmacMaterial, nonce, payload)),
      '03e97aeb2f54ffc171c51e04a4aea2fb90e5743dbd27eb94ea55d75a2bfc172ca300000100000000076091080e87085bc9d6dc750e85b3bdb2520568a111f8d8a9eb0e38ab2b47',
    );
  });

  it('writes the bytes that Borg writes with BLAKE2b', () => {
    assert.equal(
      toHex(sealEnvelope(blakeMaterial, nonce, payload)),
      '05c530b75e75afda9b11ffe45a628bbbc3a63192957deaa03388ecd650dafda35a00000100000000076091080e87085bc9d6dc750e85b3bdb2520568a111f8d8a9eb0e38ab2b47',
    );
  });

  it('writes type and payload without encryption', () => {
    assert.equal(toHex(sealEnvelope(authenticated, 0n, payload)), '07' + toHex(payload));
    assert.equal(toHex(sealEnvelope(plaintext, 0n, payload)), '02' + toHex(payload));
  });

  it('round-trips through openEnvelope() for any payload and nonce', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(hmacMaterial, blakeMaterial, authenticated, plaintext),
        fc.bigInt(0n, 2n ** 64n - 10n),
        fc.uint8Array({ maxLength: 100 }),
        (material, nonce, payload) => {
          const sealed = sealEnvelope(material, nonce, payload);
          assert.deepEqual(openEnvelope(material, id, sealed), payload);
          if (material.cipher !== 'none') assert.equal(envelopeNonce(sealed), nonce);
        },
      ),
    );
  });

  it('refuses a nonce whose counter would run beyond 64 bits, up to the last block', () => {
    assert.equal(sealEnvelope(hmacMaterial, 2n ** 64n - 2n, payload).length, 41 + 30);
    assert.throws(() => sealEnvelope(hmacMaterial, 2n ** 64n - 1n, payload), RangeError);
    assert.throws(() => sealEnvelope(hmacMaterial, -1n, payload), RangeError);
  });

  it('gives the same bytes with material that went to another thread', () => {
    const clone = structuredClone(blakeMaterial);
    assert.deepEqual(sealEnvelope(clone, nonce, payload), sealEnvelope(blakeMaterial, nonce, payload));
  });

  it('gives a buffer of its own that holds nothing else', () => {
    for (const material of [hmacMaterial, plaintext]) {
      const sealed = sealEnvelope(material, nonce, payload);
      assert.equal(sealed.buffer.byteLength, sealed.length);
    }
  });
});

describe('openEnvelope()', () => {
  for (const vector of vectors) {
    it(`opens chunk, archive and manifest made by the reference with ${vector.encryption} (${JSON.stringify(vector.passphrase)})`, () => {
      const material = materialOf(vector);
      const chunkId = fromHex(vector.chunkId);
      assert.equal(toHex(openEnvelope(material, chunkId, fromHex(vector.chunk))), vector.chunkPayload);
      // Both were stored with compression "none", whose header is two bytes.
      const plain = (sealed: string) => toHex(openEnvelope(material, undefined, fromHex(sealed)).subarray(2));
      assert.equal(plain(vector.archive), vector.archivePlain);
      assert.equal(toHex(idHash(material, fromHex(vector.archivePlain))), vector.archiveId);
      assert.equal(toHex(idHash(material, fromHex(vector.chunkPayload).subarray(2))), vector.chunkId);
    });
  }

  it('rejects a change of any byte but the type by the MAC', () => {
    for (const material of [hmacMaterial, blakeMaterial]) {
      const sealed = sealEnvelope(material, nonce, payload);
      for (let offset = 1; offset < sealed.length; offset++) {
        const damaged = sealed.slice();
        damaged[offset]! ^= 1;
        assert.throws(() => openEnvelope(material, id, damaged), {
          name: 'IntegrityError',
          message: `Data integrity error: Chunk ${toHex(id)}: Could not decrypt [MAC Authentication failed]`,
        });
      }
    }
  });

  it('rejects an envelope cut short or extended', () => {
    for (const material of [hmacMaterial, blakeMaterial]) {
      const sealed = sealEnvelope(material, nonce, payload);
      for (let length = 0; length < sealed.length; length++) {
        assert.throws(() => openEnvelope(material, id, sealed.subarray(0, length)), IntegrityError);
      }
      assert.throws(() => openEnvelope(material, id, new Uint8Array([...sealed, 0])), IntegrityError);
    }
    for (const material of [authenticated, plaintext]) {
      assert.throws(() => openEnvelope(material, id, new Uint8Array(0)), IntegrityError);
    }
  });

  it('names the chunk, or says that it is unknown, where the type is wrong', () => {
    const cases = [
      [hmacMaterial, 'Invalid encryption envelope'],
      [plaintext, 'Invalid encryption envelope'],
      [authenticated, 'Invalid envelope'],
    ] as const;
    for (const [material, text] of cases) {
      const sealed = sealEnvelope(material, nonce, payload);
      sealed[0] = 0x7f;
      const message = (name: string) => ({ message: `Data integrity error: Chunk ${name}: ${text}` });
      assert.throws(() => openEnvelope(material, id, sealed), message(toHex(id)));
      assert.throws(() => openEnvelope(material, undefined, sealed), message('(unknown)'));
    }
  });

  it('opens objects of the old passphrase mode with a repokey only', () => {
    const sealed = sealEnvelope(hmacMaterial, nonce, payload);
    sealed[0] = 0x01;
    assert.deepEqual(openEnvelope(hmacMaterial, id, sealed), payload);
    assert.throws(() => openEnvelope({ ...hmacMaterial, typeByte: 0x00 }, id, sealed), IntegrityError);
    assert.ok(acceptsType(blakeMaterial, 0x01));
    assert.ok(!acceptsType(authenticated, 0x01));
  });
});

describe('envelopeNonceBlocks()', () => {
  it('counts started AES blocks', () => {
    assert.deepEqual([0, 1, 16, 17, 8 << 20].map(envelopeNonceBlocks), [0, 1, 1, 2, 524288]);
  });
});

describe('envelopeNonce()', () => {
  it('rejects an envelope too short for a nonce', () => {
    assert.throws(() => envelopeNonce(new Uint8Array(40)), IntegrityError);
  });
});

describe('encryptEnvelopeInto()', () => {
  it('goes on with what is elsewhere, behind any number of whole blocks', () => {
    const long = new Uint8Array(100).map((_, index) => index * 3);
    for (const material of [hmacMaterial, blakeMaterial, authenticated, plaintext]) {
      const whole = sealEnvelope(material, nonce, long);
      for (const at of [0, 16, 32, 96]) {
        const envelope = new Uint8Array(whole.length);
        encryptEnvelopeInto(material, nonce, long.subarray(0, at), envelope, long.subarray(at));
        addMacs(material, [envelope]);
        assert.deepEqual(envelope, whole);
      }
    }
  });

  it('refuses to go on within a block, and to take a nonce beyond the last', () => {
    const envelope = new Uint8Array(41 + 30);
    const [first, rest] = [payload.subarray(0, 15), payload.subarray(15)];
    assert.throws(() => encryptEnvelopeInto(hmacMaterial, nonce, first, envelope, rest), RangeError);
    const block = payload.subarray(0, 16);
    const last = 2n ** 64n - 1n;
    assert.throws(
      () => encryptEnvelopeInto(hmacMaterial, last, block, envelope, payload.subarray(16)),
      RangeError,
    );
  });
});

const anyMaterial = fc.constantFrom(hmacMaterial, blakeMaterial, authenticated, plaintext);
const anyPayloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });

describe('addMacs()', () => {
  it('completes many envelopes to what each is when sealed by itself', () => {
    fc.assert(
      fc.property(anyMaterial, anyPayloads, (material, payloads) => {
        const whole = payloads.map((bytes) => sealEnvelope(material, nonce, bytes));
        const envelopes = payloads.map((bytes, index) => {
          const envelope = new Uint8Array(whole[index]!.length);
          encryptEnvelopeInto(material, nonce, bytes, envelope);
          return envelope;
        });
        addMacs(material, envelopes);
        assert.deepEqual(envelopes, whole);
      }),
    );
  });
});

describe('openEnvelopesInPlace()', () => {
  it('opens what is sound, and only that, wherever a byte is wrong', () => {
    fc.assert(
      fc.property(
        anyMaterial,
        anyPayloads,
        fc.array(fc.nat(400)),
        fc.integer({ min: 1, max: 255 }),
        (material, payloads, wrong, change) => {
          const envelopes = payloads.map((bytes) => sealEnvelope(material, nonce, bytes));
          for (const [index, at] of wrong.entries()) {
            const envelope = envelopes[index];
            if (envelope !== undefined && at < envelope.length) envelope[at]! ^= change;
          }
          const expected = envelopes.map((envelope) => {
            try {
              return openEnvelope(material, undefined, envelope).slice();
            } catch {
              return undefined;
            }
          });
          assert.deepEqual(openEnvelopesInPlace(material, envelopes), expected);
        },
      ),
    );
  });

  it('leaves out what is too short, and opens what comes after', () => {
    for (const material of [hmacMaterial, blakeMaterial, authenticated, plaintext]) {
      const sealed = sealEnvelope(material, nonce, payload);
      const short = material.cipher === 'none' ? new Uint8Array(0) : sealed.slice(0, 40);
      assert.deepEqual(openEnvelopesInPlace(material, [short, sealed.slice(), short, sealed]), [
        undefined,
        payload,
        undefined,
        payload,
      ]);
    }
  });
});
