import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import {
  CHECKSUM_RECORD_BYTES,
  CHECKSUMS_MAGIC,
  decodeSegmentChecksums,
  encodeSegmentChecksums,
  maxChecksumsSizeBytes,
  SegmentChecksumsError,
  type ChecksumRecord,
} from '../../src/format/segment-checksums.ts';
import { fromHex, toHex } from '../../src/util/bytes.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

function recordsIn(bytes: Uint8Array): (ChecksumRecord | undefined)[] {
  const checksums = decodeSegmentChecksums(bytes);
  return Array.from({ length: checksums.count }, (_, number) => checksums.record(number));
}

const RECORD: ChecksumRecord = {
  offset: 8,
  sizeBytes: 0x1234,
  crc: 0xdeadbeef,
  key: new Uint8Array(32).fill(0xaa),
  checksum: new Uint8Array(16).fill(0xbb),
};
const SAMPLE = encodeSegmentChecksums([RECORD, { ...RECORD, offset: 0x123c }]);

describe('checksums of a segment', () => {
  it('encodeSegmentChecksums() writes the table of bytes', () => {
    const fields = `0800000034120000efbeadde${'aa'.repeat(32)}${'bb'.repeat(16)}`;
    const hex = toHex(encodeSegmentChecksums([RECORD]));
    assert.equal(hex.slice(0, 16), toHex(Buffer.from('ALCVSUM1')));
    assert.equal(hex.slice(24), fields);
    assert.equal(SAMPLE.length, 8 + 2 * CHECKSUM_RECORD_BYTES);
  });

  it('decodeSegmentChecksums() gives back what encodeSegmentChecksums() was given', () => {
    const word = fc.nat(2 ** 32 - 1);
    const fields = { offset: word, sizeBytes: word, crc: word, key: bytesOf(32), checksum: bytesOf(16) };
    const record = fc.record(fields, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), (records) =>
        assert.deepEqual(recordsIn(encodeSegmentChecksums(records)), records),
      ),
    );
  });

  const damage: [what: string, bytes: Uint8Array, sound: readonly boolean[] | undefined][] = [
    ['no bytes', new Uint8Array(0), undefined],
    ['half a magic', CHECKSUMS_MAGIC.subarray(0, 4), undefined],
    ['another magic', fromHex(toHex(SAMPLE).replace(/^414c/, '414d')), undefined],
    ['a magic alone', CHECKSUMS_MAGIC, []],
    ['half a record at the end', SAMPLE.subarray(0, 8 + 64 + 30), [true, false]],
    ['a byte too much', Buffer.concat([SAMPLE, Buffer.alloc(1)]), [true, true, false]],
    ['a record of zeros', Buffer.concat([SAMPLE, Buffer.alloc(64)]), [true, true, false]],
    ...Array.from({ length: 64 }, (_, at): [string, Uint8Array, boolean[]] => [
      `a changed byte ${at} of a record`,
      SAMPLE.map((byte, index) => (index === 8 + at ? byte ^ 0x40 : byte)),
      [false, true],
    ]),
  ];
  it('decodeSegmentChecksums() leaves out what is damaged', () => {
    for (const [what, bytes, sound] of damage) {
      if (sound === undefined)
        assert.throws(() => decodeSegmentChecksums(bytes), SegmentChecksumsError, what);
      else
        assert.deepEqual(
          recordsIn(bytes).map((record) => record !== undefined),
          sound,
          what,
        );
    }
  });

  it('maxChecksumsSizeBytes() has room for a segment full of the smallest objects', () => {
    const puts = 1000;
    assert.ok(maxChecksumsSizeBytes(8 + puts * 41) >= 8 + puts * CHECKSUM_RECORD_BYTES);
    assert.ok(maxChecksumsSizeBytes(8 + puts * 41) < 8 + 2 * puts * CHECKSUM_RECORD_BYTES);
  });
});
