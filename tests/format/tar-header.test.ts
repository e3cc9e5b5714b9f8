import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import {
  decodeTarHeader,
  encodeTarExtension,
  encodeTarHeader,
  isZeroBlock,
  paddingBytes,
  TAR_TYPE,
  type TarHeader,
} from '../../src/format/tar-header.ts';
import { toBinaryString, toHex } from '../../src/util/bytes.ts';

const text = (value: string) => new Uint8Array(Buffer.from(value, 'latin1'));
const header: TarHeader = {
  name: text('dir/f\xe9'),
  mode: 0o4755n,
  uid: 1000n,
  gid: 100n,
  sizeBytes: 12n,
  mtimeS: 1_700_000_000n,
  type: TAR_TYPE.file,
  linkName: text(''),
  user: text('anna'),
  group: text('users'),
  deviceMajor: 0n,
  deviceMinor: 0n,
};

const copy = (change: (block: Buffer) => void): Uint8Array => {
  const block = Buffer.from(encodeTarHeader(header, 'posix', false));
  change(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
};

describe('encodeTarHeader()', () => {
  it('places each field as POSIX says', () => {
    const block = toBinaryString(encodeTarHeader(header, 'posix', false));
    assert.equal(block.length, 512);
    assert.equal(block.slice(0, 7), 'dir/f\xe9\0');
    assert.equal(block.slice(100, 148), '0004755\x000001750\x000000144\x0000000000014\x0014524770400\0');
    assert.equal(block.slice(156, 158), '0\0');
    assert.equal(block.slice(257, 265), 'ustar\x0000');
    assert.equal(block.slice(265, 270), 'anna\0');
    assert.equal(block.slice(297, 303), 'users\0');
    assert.match(block.slice(329), /^\0+$/);
  });
  it('writes the magic of GNU, and device numbers of devices', () => {
    const device = { ...header, type: TAR_TYPE.blockDevice, deviceMajor: 8n, deviceMinor: 17n };
    const block = toBinaryString(encodeTarHeader(device, 'gnu', true));
    assert.equal(block.slice(257, 265), 'ustar  \0');
    assert.equal(block.slice(329, 345), '0000010\x000000021\0');
  });
  it('gives what decodeTarHeader() reads', () => {
    const name = fc
      .uint8Array({ max: 255, min: 1, minLength: 1, maxLength: 100 })
      .map((bytes) => Uint8Array.from(bytes));
    const number = fc.bigInt({ min: -1000n, max: 2n ** 50n });
    fc.assert(
      fc.property(name, number, number, fc.boolean(), (bytes, uid, size, gnu) => {
        const given = { ...header, name: bytes, uid, sizeBytes: size };
        const block = encodeTarHeader(given, gnu ? 'gnu' : 'posix', true);
        assert.deepEqual(decodeTarHeader(block), given);
      }),
    );
  });
});

describe('decodeTarHeader()', () => {
  it('puts the prefix before the name, but none for GNU, which has times there', () => {
    const prefixed = copy((block) => block.write('some/where', 345));
    assert.equal(toBinaryString(decodeTarHeader(prefixed).name), 'some/where/dir/f\xe9');
    const gnu = copy((block) => {
      block.write('ustar  \0', 257);
      block.write('14524770400', 345);
    });
    assert.equal(toBinaryString(decodeTarHeader(gnu).name), 'dir/f\xe9');
  });
  it('takes the checksum of programs whose bytes have signs', () => {
    const block = Buffer.from(encodeTarHeader(header, 'posix', false));
    const signed = Number.parseInt(block.toString('latin1', 148, 154), 8) - 256;
    block.write(`${signed.toString(8).padStart(6, '0')}\0 `, 148);
    assert.deepEqual(decodeTarHeader(block).name, header.name);
  });
  it('refuses a wrong checksum', () => {
    const block = encodeTarHeader(header, 'posix', false);
    block[0]! ^= 1;
    assert.throws(() => decodeTarHeader(block), /bad checksum/);
  });
  for (const [what, offset] of [
    ['the mode', 100],
    ['the user id', 108],
    ['the group id', 116],
    ['the size', 124],
    ['the time', 136],
    ['the device number', 329],
  ] as const) {
    it(`refuses ${what} that is no number`, () => {
      const block = copy((bytes) => bytes.write('zz', offset));
      assert.throws(() => decodeTarHeader(block), { message: `${what} is no number` });
    });
  }
  it('refuses a block of another size', () =>
    assert.throws(() => decodeTarHeader(new Uint8Array(511)), /a header of 511 bytes/));
  it('never fails otherwise than by a TarFormatError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (bytes) => {
        try {
          decodeTarHeader(copy((block) => block.set(bytes)));
        } catch (error) {
          assert.equal((error as Error).name, 'TarFormatError');
        }
      }),
    );
  });
});

describe('encodeTarExtension()', () => {
  it('pads its contents to blocks', () => {
    const bytes = encodeTarExtension('././@LongLink', TAR_TYPE.gnuLongName, text('a'.repeat(600)), 'gnu');
    assert.equal(bytes.length, 512 + 1024);
    assert.equal(decodeTarHeader(bytes.subarray(0, 512)).sizeBytes, 600n);
    assert.equal(toHex(bytes.subarray(512 + 600)), '00'.repeat(424));
  });
});

describe('paddingBytes()', () => {
  it('is what is left of the last block', () => {
    assert.deepEqual([0, 1, 511, 512, 513].map(paddingBytes), [0, 511, 1, 0, 511]);
  });
});

describe('isZeroBlock()', () => {
  it('is true for zeros only', () => {
    assert.equal(isZeroBlock(new Uint8Array(512)), true);
    assert.equal(isZeroBlock(new Uint8Array(512).fill(1, 511)), false);
  });
});
