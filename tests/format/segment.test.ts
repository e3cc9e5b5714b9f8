import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IntegrityError } from '../../src/errors.ts';
import {
  COMMIT_ENTRY,
  MAX_DATA_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  checkDataSize,
  decodeEntryHeader,
  encodeCommit,
  encodeDelete,
  encodePut,
  encodePutHeaderInto,
  findTagDamage,
  verifyEntryCrc,
} from '../../src/format/segment.ts';
import { concatBytes, fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';

const place = { segment: 3, offset: 8 };
const key = fromHex('00112233445566778899aabbccddeeff'.repeat(2));

describe('a segment entry', () => {
  // The bytes are what Borg 1.4.5 writes for the same entries.
  it('encodeCommit() gives the nine bytes that every commit is', () => {
    assert.equal(toHex(encodeCommit()), '40f43c250900000002');
    assert.equal(toHex(COMMIT_ENTRY), '40f43c250900000002');
  });

  it('encodePut() gives crc, size, tag, key and data', () => {
    assert.equal(toHex(encodePut(key, fromUtf8('data'))), `d954bd852d00000000${toHex(key)}64617461`);
  });

  it('encodeDelete() gives crc, size, tag and key', () => {
    assert.equal(toHex(encodeDelete(key)), `0bb5c4c72900000001${toHex(key)}`);
  });

  it('encodePutHeaderInto() gives what encodePut() has in front of the data', () => {
    const data = fromUtf8('some data');
    const header = new Uint8Array(PUT_HEADER_SIZE_BYTES);
    encodePutHeaderInto(header, 0, key, data);
    assert.deepEqual(concatBytes([header, data]), encodePut(key, data));
  });

  it('decodeEntryHeader() reads what was encoded, at any place in the bytes', () => {
    const bytes = concatBytes([fromUtf8('BORG_SEG'), encodePut(key, fromUtf8('data'))]);
    const header = decodeEntryHeader(bytes, 8, bytes.length - 8, place);
    assert.deepEqual({ tag: header.tag, sizeBytes: header.sizeBytes }, { tag: 0, sizeBytes: 45 });
    verifyEntryCrc(bytes, 8, header, place);
  });

  it('verifyEntryCrc() rejects any changed byte behind the crc, and any of the crc itself', () => {
    const sound = encodePut(key, fromUtf8('data'));
    for (let at = 0; at < sound.length; at++) {
      if (at >= 4 && at < 8) continue; // the size is checked by itself
      const damaged = Uint8Array.from(sound);
      damaged[at]! ^= 0x40;
      const header = { ...decodeEntryHeader(sound, 0, sound.length, place) };
      const crc = new DataView(damaged.buffer).getUint32(0, true);
      assert.throws(
        () => verifyEntryCrc(damaged, 0, { ...header, crc }, place),
        /checksum mismatch \[segment 3, offset 8\]/,
      );
    }
  });

  const sizeTable: [name: string, sizeBytes: number, tag: number, minimum: number, message: RegExp][] = [
    ['an entry beyond the limit', 20 * 1024 * 1024 + 1, 0, 9, /size 20971521 - too big/],
    ['the largest number', 0xffff_ffff, 2, 9, /size 4294967295 - too big/],
    ['less than a header', 8, 2, 9, /size 8 - too small/],
    ['a PUT without a whole key', 40, 0, 9, /size 40 - too small/],
    ['a DELETE without a whole key', 9, 1, 9, /size 9 - too small/],
    ['a COMMIT where a PUT is meant', 9, 2, 41, /size 9 - too small/],
    ['nothing', 0, 0, 9, /size 0 - too small/],
  ];
  for (const [name, sizeBytes, tag, minimum, message] of sizeTable) {
    it(`decodeEntryHeader() rejects the size of ${name}`, () => {
      const bytes = new Uint8Array(64);
      new DataView(bytes.buffer).setUint32(4, sizeBytes, true);
      bytes[8] = tag;
      assert.throws(
        () => decodeEntryHeader(bytes, 0, 64, place, minimum),
        (error) => {
          assert.ok(error instanceof IntegrityError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('decodeEntryHeader() rejects a header that is cut short', () => {
    assert.throws(() => decodeEntryHeader(new Uint8Array(8), 0, 8, place), /Invalid segment entry header/);
  });

  it('findTagDamage() knows the three tags', () => {
    for (const tag of [0, 1, 2])
      assert.equal(findTagDamage({ crc: 0, sizeBytes: 41, tag }, place), undefined);
    assert.match(String(findTagDamage({ crc: 0, sizeBytes: 41, tag: 3 }, place)), /acceptable tag/);
  });

  it('checkDataSize() accepts the largest object, and no larger one', () => {
    checkDataSize(new Uint8Array(MAX_DATA_SIZE_BYTES));
    assert.throws(() => checkDataSize(new Uint8Array(MAX_DATA_SIZE_BYTES + 1)), /More than allowed put data/);
  });
});
