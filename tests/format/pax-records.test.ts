import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { decodePaxRecords, encodePaxRecords } from '../../src/format/pax-records.ts';
import { toBinaryString } from '../../src/util/bytes.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

const encode = (size: number): string =>
  toBinaryString(encodePaxRecords([{ keyword: 'k', value: new Uint8Array(size).fill(0x78) }]));

describe('encodePaxRecords()', () => {
  it('counts the digits of the length, too', () => {
    assert.equal(encode(0), '5 k=\n');
    assert.equal(encode(4), '9 k=xxxx\n');
    assert.equal(encode(5), '11 k=xxxxx\n');
    assert.equal(encode(93).slice(0, 3), '99 ');
    assert.equal(encode(94).slice(0, 4), '101 ');
  });
  it('gives what decodePaxRecords() reads', () => {
    const keyword = fc
      .string({ minLength: 1, maxLength: 200 })
      .filter((text) => /^[^=\x80-\uffff]+$/.test(text));
    const value = fc.uint8Array({ maxLength: 2000 }).map((b) => Uint8Array.from(b));
    const record = fc.record({ keyword, value }, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), (records) => {
        assert.deepEqual(decodePaxRecords(encodePaxRecords(records)), records);
      }),
    );
  });
});

describe('decodePaxRecords()', () => {
  it('reads values of any bytes, with equals signs and line ends', () => {
    const [record] = decodePaxRecords(bytes('12 path=a=\n\xff\n'.replace('12', '13')));
    assert.equal(record?.keyword, 'path');
    assert.deepEqual(record?.value, bytes('a=\n\xff'));
  });
  it('ends at a NUL', () => assert.equal(decodePaxRecords(bytes('5 k=\n\0\0junk')).length, 1));
  for (const text of [
    'k=v\n',
    'x k=v\n',
    '-6 k=v\n',
    '4 k=\n',
    '0 k=v\n',
    '7 k=v\n',
    '6 k=v ',
    '5 =v\n',
    '5 kv\n',
    '99999999999999999999 k=v\n',
    '999999999999999999999 k=v\n',
    '6 k=v\n7 k=v\n',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => decodePaxRecords(bytes(text)), { name: 'TarFormatError' }));
  }
});
