import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { aes256Ctr } from '../../src/crypto/aes-ctr.ts';
import { blake2b256 } from '../../src/crypto/blake2b.ts';
import { constantTimeEqual } from '../../src/crypto/constant-time.ts';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import { hkdfSha512, hmacSha256, hmacSha512, pbkdf2Sha256 } from '../../src/crypto/kdf.ts';
import { randomBytes } from '../../src/crypto/random.ts';
import { concatBytes, fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';

const none = new Uint8Array(0);

describe('blake2b256()', () => {
  before(() => initCrypto());

  it('hashes as RFC 7693 (the reference code run with 32 bytes of output)', () => {
    const cases = [
      ['', '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8'],
      ['abc', 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'],
    ] as const;
    for (const [text, expected] of cases) assert.equal(toHex(blake2b256(none, fromUtf8(text))), expected);
  });

  it('takes the key as the first data, as Borg does', () => {
    const key = new Uint8Array(128).map((_, i) => (i < 64 ? i : 0));
    const long = new Uint8Array(256 * 300).map((_, i) => i);
    assert.equal(
      toHex(blake2b256(key, fromUtf8('data'))),
      '006069a0efaeab1217fcf02910014bf0051c946f8c6b315a93cce1498768b01c',
    );
    assert.equal(
      toHex(blake2b256(key, long)),
      'ef7c15f5399ea7ca490990fd9b7ca5673d2b11777ecb6706d1e8964ced69072a',
    );
    assert.deepEqual(blake2b256(key, long), blake2b256(none, concatBytes([key, long])));
  });
});

describe('hmacSha256() and hmacSha512()', () => {
  it('compute the MACs of RFC 4231', () => {
    const cases = [
      {
        key: fromHex('0b'.repeat(20)),
        data: fromUtf8('Hi There'),
        sha256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
        sha512:
          '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
      },
      {
        key: fromUtf8('Jefe'),
        data: fromUtf8('what do ya want for nothing?'),
        sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
        sha512:
          '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
      },
    ];
    for (const { key, data, sha256, sha512 } of cases) {
      assert.equal(toHex(hmacSha256(key, data)), sha256);
      assert.equal(toHex(hmacSha512(key, data)), sha512);
    }
  });
});

describe('hkdfSha512()', () => {
  const info = fromHex('f0f1f2f3f4f5f6f7f8f9');

  it('derives the output that RFC 5869 inputs give with SHA-512', () => {
    const salt = fromHex('000102030405060708090a0b0c');
    assert.equal(
      toHex(hkdfSha512(fromHex('0b'.repeat(22)), salt, info, 42)),
      '832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb',
    );
    assert.equal(
      toHex(hkdfSha512(fromHex('0b'.repeat(22)), none, none, 42)),
      'f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac',
    );
  });

  it('takes an absent salt for zeros, and an empty one too', () => {
    const ikm = fromUtf8('key');
    assert.deepEqual(hkdfSha512(ikm, undefined, info, 64), hkdfSha512(ikm, new Uint8Array(64), info, 64));
    assert.deepEqual(hkdfSha512(ikm, undefined, info, 64), hkdfSha512(ikm, none, info, 64));
  });
});

describe('pbkdf2Sha256()', () => {
  it('derives the keys of RFC 7914, section 11', async () => {
    assert.equal(
      toHex(await pbkdf2Sha256(fromUtf8('passwd'), fromUtf8('salt'), 1, 64)),
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc' +
        '49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
    );
  });

  it('rejects iteration counts that are out of range', async () => {
    for (const iterations of [0, -1, 2 ** 31, 1.5]) {
      await assert.rejects(pbkdf2Sha256(none, none, iterations, 32), RangeError);
    }
  });
});

describe('aes256Ctr()', () => {
  const key = fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
  const counter = fromHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
  const plain = fromHex(
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  );
  const sealed = fromHex(
    '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6',
  );

  it('encrypts and decrypts NIST SP 800-38A F.5.5', () => {
    assert.deepEqual(aes256Ctr(key, counter, plain), sealed);
    assert.deepEqual(aes256Ctr(key, counter, sealed), plain);
  });
});

describe('constantTimeEqual()', () => {
  it('tells equal from unequal bytes, and lengths apart', () => {
    assert.ok(constantTimeEqual(none, new Uint8Array(0)));
    assert.ok(constantTimeEqual(fromHex('00ff'), fromHex('00ff')));
    assert.ok(!constantTimeEqual(fromHex('00ff'), fromHex('00fe')));
    assert.ok(!constantTimeEqual(fromHex('00ff'), fromHex('00')));
  });
});

describe('randomBytes()', () => {
  it('gives as many bytes as asked for, and others each time', () => {
    assert.equal(randomBytes(100).length, 100);
    assert.notDeepEqual(randomBytes(32), randomBytes(32));
  });
});
