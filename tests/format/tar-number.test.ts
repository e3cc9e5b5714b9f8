import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { decodeTarNumber, encodeTarNumber, TarFormatError } from '../../src/format/tar-number.ts';

const field = (text: string) => Buffer.from(text, 'latin1');

describe('decodeTarNumber()', () => {
  for (const [text, expected] of [
    ['0000644\0', 0o644n],
    ['   644 \0', 0o644n],
    ['644\0junk', 0o644n],
    ['\0\0\0\0\0\0\0\0', 0n],
    ['        ', 0n],
    ['-7\0', -7n],
    ['0o17\0', 0o17n],
    ['1_7\0', 0o17n],
    ['\x80\0\0\0\0\x4c\x4b\x40', 5_000_000n],
    ['\xff\xff\xff\xff\xff\xff\xff\xfb', -5n],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${expected}`, () =>
      assert.equal(decodeTarNumber(field(text), 'it'), expected));
  }
  for (const text of ['9\0', '12x4\0', '--1\0', '0x1\0', '7__7\0', '\xb2\0', '1 2\0']) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => decodeTarNumber(field(text), 'the mode'), {
        name: 'TarFormatError',
        message: 'the mode is no number',
      }));
  }
});

describe('encodeTarNumber()', () => {
  it('writes octal digits and a NUL while they fit', () => {
    assert.deepEqual(encodeTarNumber(0o644n, 8, false), field('0000644\0'));
    assert.deepEqual(encodeTarNumber(8n ** 7n - 1n, 8, false), field('7777777\0'));
  });
  it('writes base 256 beyond that, where it may', () => {
    assert.deepEqual(Buffer.from(encodeTarNumber(5_000_000n, 8, true)), field('\x80\0\0\0\0\x4c\x4b\x40'));
    assert.throws(() => encodeTarNumber(5_000_000n, 8, false), TarFormatError);
  });
  it('refuses what base 256 has no room for', () => {
    for (const value of [256n ** 7n, -(256n ** 7n) - 1n]) {
      assert.throws(() => encodeTarNumber(value, 8, true), TarFormatError);
    }
  });
  it('gives what decodeTarNumber() reads', () => {
    const value = fc.bigInt({ min: -(256n ** 11n), max: 256n ** 11n - 1n });
    fc.assert(
      fc.property(value, (number) => {
        assert.equal(decodeTarNumber(encodeTarNumber(number, 12, true), 'it'), number);
      }),
    );
  });
});
