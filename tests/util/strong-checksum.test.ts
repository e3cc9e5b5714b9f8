import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromUtf8, toHex } from '../../src/util/bytes.ts';
import { strongChecksum } from '../../src/util/strong-checksum.ts';

describe('strongChecksum()', () => {
  /** As `openssl mac … GMAC` gives them. */
  const known: [what: string, bytes: Uint8Array, checksum: string][] = [
    ['nothing', new Uint8Array(0), '214dca144f08b3d0d31a01c168740bee'],
    ['a text', fromUtf8('some sealed bytes'), 'a216dd0d30425971730d8534ac55752f'],
    ['zeros', new Uint8Array(100_000), 'acbf8c99a1c833e21a55045482fbfc24'],
  ];
  for (const [what, bytes, checksum] of known) {
    it(`gives of ${what} what OpenSSL gives`, () => assert.equal(toHex(strongChecksum(bytes)), checksum));
  }

  it('takes bytes from where they lie, also in shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100)).fill(1);
    shared.set(fromUtf8('some sealed bytes'), 3);
    assert.equal(toHex(strongChecksum(shared.subarray(3, 20))), 'a216dd0d30425971730d8534ac55752f');
  });

  it('changes with every bit and with the length', () => {
    const bytes = new Uint8Array(65);
    const seen = new Set([toHex(strongChecksum(bytes))]);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(toHex(strongChecksum(changed)));
    }
    for (let length = 0; length < bytes.length; length++)
      seen.add(toHex(strongChecksum(bytes.subarray(0, length))));
    assert.equal(seen.size, 1 + 8 * bytes.length + bytes.length);
  });
});
