import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import { MsgpackError } from '../../src/msgpack/value.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, fromHex } from '../../src/util/bytes.ts';
import { unpackedValues } from './unpacked-values.ts';

test('Unpacker gives the same values however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(unpackedValues, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (values, cuts) => {
        const stream = concatBytes(values.map(encode));
        const unpacker = new Unpacker();
        const got: MsgpackValue[] = [];
        let offset = 0;
        for (let turn = 0; offset < stream.length; turn++) {
          const size = cuts[turn % cuts.length]!;
          const piece = stream.slice(offset, offset + size);
          unpacker.feed(piece);
          got.push(...unpacker);
          piece.fill(0xc1); // The unpacker must not look at it again.
          offset += size;
        }
        assert.deepEqual(got, values);
        assert.ok(unpacker.idle);
      },
    ),
  );
});

test('Unpacker values stay as they are when more is fed', () => {
  const unpacker = new Unpacker();
  const long = new Uint8Array(10_000).fill(7);
  unpacker.feed(encode(long));
  const value = unpacker.next();
  for (let i = 0; i < 5; i++) {
    unpacker.feed(encode(new Uint8Array(10_000).fill(i)));
    unpacker.next();
  }
  assert.deepEqual(value, long);
});

test('Unpacker.next() says undefined within a value and between values', () => {
  const unpacker = new Unpacker();
  assert.equal(unpacker.next(), undefined);
  assert.ok(unpacker.idle);
  unpacker.feed(fromHex('92'));
  assert.equal(unpacker.next(), undefined);
  assert.ok(!unpacker.idle);
  unpacker.feed(fromHex('c001'));
  assert.deepEqual(unpacker.next(), [null, 1]);
  assert.ok(unpacker.idle);
});

test('Unpacker.feed() refuses more than maxBufferBytes waiting bytes', () => {
  const unpacker = new Unpacker({ maxBufferBytes: 10 });
  unpacker.feed(fromHex('a9616161'));
  assert.equal(unpacker.next(), undefined);
  assert.throws(() => unpacker.feed(new Uint8Array(7)), MsgpackError);
  unpacker.feed(new Uint8Array(6));
  assert.ok(unpacker.next() instanceof Uint8Array);
  unpacker.feed(new Uint8Array(10));
});

test('Unpacker refuses a length beyond the limit before the bytes arrive', () => {
  const cases: [string, string][] = [
    ['raw', 'db00000100'],
    ['array', 'dd00000100'],
    ['map', 'df00000080'],
  ];
  for (const [name, hex] of cases) {
    const unpacker = new Unpacker({ maxBufferBytes: 0xff, maxMapLen: 0x7f });
    unpacker.feed(fromHex(hex));
    assert.throws(() => unpacker.next(), MsgpackError, name);
  }
});

test('Unpacker takes a long value in many pieces in linear time', () => {
  const chunks: MsgpackValue[] = Array.from({ length: 60_000 }, (_, i) => [new Uint8Array(32), i, i]);
  const packed = encode(chunks);
  const unpacker = new Unpacker();
  let value: MsgpackValue | undefined;
  for (let offset = 0; offset < packed.length; offset += 1000) {
    assert.equal(value, undefined);
    unpacker.feed(packed.subarray(offset, offset + 1000));
    value = unpacker.next();
  }
  assert.equal((value as MsgpackValue[]).length, 60_000);
});

test('an Unpacker counts the maps of each value apart', () => {
  const unpacker = new Unpacker({ maxMaps: 2 });
  unpacker.feed(fromHex('8101808101808101'));
  assert.equal([...unpacker].length, 2);
  unpacker.feed(fromHex('8101'));
  assert.throws(() => [...unpacker, unpacker.feed(fromHex('80')), ...unpacker], MsgpackError);
});

test('an Unpacker counts the values of each outermost value apart', () => {
  const unpacker = new Unpacker({ maxValues: 4 });
  unpacker.feed(fromHex('9390909081a16101'));
  assert.equal([...unpacker].length, 2);
  unpacker.feed(fromHex('9291'));
  assert.throws(() => [...unpacker, unpacker.feed(fromHex('909190')), ...unpacker], MsgpackError);
});

test('an Unpacker bounds the bytes of an outermost value that comes in parts', () => {
  const unpacker = new Unpacker({ maxBufferBytes: 10, maxValueBytes: 12 });
  unpacker.feed(fromHex('93a461616161'));
  assert.equal(unpacker.next(), undefined);
  unpacker.feed(fromHex('a462626262'));
  assert.equal(unpacker.next(), undefined);
  unpacker.feed(fromHex('01'));
  assert.ok(Array.isArray(unpacker.next()));
  unpacker.feed(fromHex('93a461616161'));
  assert.equal(unpacker.next(), undefined);
  unpacker.feed(fromHex('a6626262626262'));
  assert.throws(() => unpacker.next(), MsgpackError);
});
