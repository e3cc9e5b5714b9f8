import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  asSize,
  checkSparseMap,
  decodeSparseBlock,
  decodeSparseHeader,
  decodeSparseRecords,
  parseSparseNumber,
} from '../../src/format/tar-sparse.ts';

const record = (keyword: string, value: string) => ({ keyword, value: new Uint8Array(Buffer.from(value)) });
const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;

describe('decodeSparseHeader()', () => {
  it('reads four entries, the mark of more, and the size of the file', () => {
    const block = Buffer.alloc(512);
    block.write([1, 2, 3, 4].map(octal).join(''), 386);
    block[482] = 1;
    block.write(octal(99), 483);
    const { numbers, isExtended, fileSizeBytes } = decodeSparseHeader(block);
    assert.deepEqual([numbers.slice(0, 4), isExtended, fileSizeBytes], [[1, 2, 3, 4], true, 99]);
    assert.equal(numbers.length, 8);
  });
});

describe('decodeSparseBlock()', () => {
  it('reads 21 entries and the mark of more', () => {
    const block = Buffer.alloc(512);
    block.write(octal(7), 20 * 24);
    assert.deepEqual(decodeSparseBlock(block), {
      numbers: [...Array<number>(40).fill(0), 7, 0],
      isExtended: false,
    });
  });
});

describe('decodeSparseRecords()', () => {
  it('reads the formats 0.0 and 0.1', () => {
    const pairs = [1, 2, 3, 4].map((number, index) =>
      record(`GNU.sparse.${index % 2 === 0 ? 'offset' : 'numbytes'}`, String(number)),
    );
    assert.deepEqual(decodeSparseRecords(pairs), [1, 2, 3, 4]);
    assert.deepEqual(decodeSparseRecords([record('GNU.sparse.map', '1,2,3,4')]), [1, 2, 3, 4]);
    assert.deepEqual(decodeSparseRecords([record('GNU.sparse.map', '')]), []);
  });
  it('leaves out an offset without a size', () =>
    assert.deepEqual(decodeSparseRecords([record('GNU.sparse.offset', '5')]), []));
});

describe('checkSparseMap()', () => {
  const sizes = { fileSizeBytes: 100, storedBytes: 50 };
  it('leaves out stretches without bytes, wherever they say to be', () =>
    assert.deepEqual(checkSparseMap([0, 10, 100, 0, 0, 0], sizes), [0, 10]));
  for (const [title, numbers] of [
    ['stretches that overlap', [0, 10, 9, 10]],
    ['stretches in a wrong order', [50, 10, 0, 10]],
    ['a stretch beyond the end of the file', [90, 11]],
    ['more bytes than are stored', [0, 30, 40, 21]],
  ] as const) {
    it(`refuses ${title}`, () =>
      assert.throws(() => checkSparseMap(numbers, sizes), { name: 'TarFormatError' }));
  }
});

describe('parseSparseNumber()', () => {
  for (const text of ['', '-1', '1x', '1 ', '99999999999999999999', '9007199254740992']) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseSparseNumber(text), { name: 'TarFormatError' }));
  }
});

describe('asSize()', () => {
  it('refuses what is negative or beyond what numbers hold', () => {
    for (const value of [-1n, 2n ** 53n]) assert.throws(() => asSize(value), { name: 'TarFormatError' });
    assert.equal(asSize(5n), 5);
  });
});
