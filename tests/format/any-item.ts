import * as fc from '../properties.ts';
import { encodeItem, type Item } from '../../src/format/item.ts';
import { PACKED_KEYS } from '../../src/format/item-key.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackMap, MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, fromUtf8 } from '../../src/util/bytes.ts';
import { unpackedValues } from '../msgpack/unpacked-values.ts';

const raw = fc.uint8Array({ maxLength: 100 });
const integer = fc.oneof(
  { weight: 30, arbitrary: fc.nat(70_000) },
  { weight: 10, arbitrary: fc.maxSafeNat() },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
);
const size = fc.oneof(fc.nat(200), fc.nat(2 ** 31 - 1));
const timeNs = fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n });
const id = fc.uint8Array({ minLength: 32, maxLength: 32 });
const chunk = fc.record({ id, size, csize: size });
const xattrs = fc
  .array(fc.tuple(fc.string({ unit: 'binary-ascii', maxLength: 20 }), fc.option(raw)), { maxLength: 20 })
  .map((pairs) => new Map(pairs));

/** Items with any of the fields that PackedItem knows. */
export const anyItem: fc.Arbitrary<Item> = fc.record(
  {
    path: raw,
    mode: integer,
    uid: integer,
    gid: integer,
    user: fc.option(raw),
    group: fc.option(raw),
    atimeNs: timeNs,
    ctimeNs: timeNs,
    mtimeNs: timeNs,
    birthtimeNs: timeNs,
    size: integer,
    chunks: fc.array(chunk, { maxLength: 20 }),
    chunksHealthy: fc.array(chunk, { maxLength: 2 }),
    hardlinkMaster: fc.boolean(),
    source: raw,
    xattrs,
    aclAccess: raw,
    aclDefault: raw,
    aclExtended: raw,
    aclNfs4: raw,
    bsdflags: integer,
    rdev: integer,
    nlink: integer,
    part: integer,
  },
  { requiredKeys: ['path'] },
);

/** A raw value in each of its forms. */
const rawForms = fc
  .tuple(raw, fc.constantFrom<number | 'short'>('short', 0xd9, 0xda, 0xdb, 0xc4, 0xc5))
  .map(([bytes, form]) => concatBytes([rawHead(bytes.length, form), bytes]));

function rawHead(length: number, form: number | 'short'): Uint8Array {
  if (form === 'short') return length < 32 ? Uint8Array.of(0xa0 | length) : Uint8Array.of(0xd9, length);
  const widths: Readonly<Record<number, number>> = { 0xda: 2, 0xdb: 4, 0xc5: 2 };
  const head = new Uint8Array(1 + (widths[form] ?? 1));
  head[0] = form;
  head[head.length - 1] = length;
  return head;
}

const keys = fc.constantFrom(...PACKED_KEYS, 'path', 'path', 'mtime', 'acl', 'xattr', 'chunkz');
const packedKeys = keys.chain((key) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(encode(fromUtf8(key))) },
    { weight: 1, arbitrary: fc.constant(concatBytes([rawHead(key.length, 0xd9), fromUtf8(key)])) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }).map((number) => encode(number)) },
  ),
);
const numbers = fc.oneof(
  fc.constant(Uint8Array.of(0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0)),
  fc.integer({ min: -0x80, max: 0x7f }).map((number) => Uint8Array.of(0xd0, number & 0xff)),
  fc.integer({ min: 0, max: 0xff }).map((number) => Uint8Array.of(0xcf, 0, 0, 0, 0, 0, 0, 0, number)),
  fc.bigInt({ min: 2n ** 52n, max: 2n ** 64n - 1n }).map((number) => encode(number)),
);
const odd = fc.oneof(fc.constantFrom(null, true, -1, 2 ** 53, 33), raw);
const sizedRaw = fc.oneof(id, fc.uint8Array({ minLength: 31, maxLength: 33 }));
const chunkEntry = fc.oneof(
  fc.tuple(id, size, size),
  fc.tuple(sizedRaw, size),
  fc.tuple(sizedRaw, size, odd),
);
const chunkLists = fc.array(chunkEntry, { maxLength: 3 }).map((list) => encode(list));
const oddMaps = fc
  .array(fc.tuple(fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 5 }), fc.nat(9)), odd), {
    maxLength: 3,
  })
  .map((pairs) => encode(new Map<string | number, MsgpackValue>(pairs)));
const values = fc.oneof(
  rawForms,
  numbers,
  odd.map((value) => encode(value)),
  chunkLists,
  oddMaps,
  unpackedValues.map((value) => encode(value)),
);

/**
 * Packed maps with an item's keys, which may come twice, in any order and in all forms that there are; one or two of
 * their values are of any kind.
 */
export const oddItem: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    anyItem,
    fc.array(fc.tuple(fc.nat(), packedKeys, values), { maxLength: 2 }),
    fc.constantFrom(0x80, 0xde, 0xdf),
  )
  .map(([item, changes, form]) => {
    const pairs = [...(decode(encodeItem(item)) as MsgpackMap)].map(([key, value]) => [
      encode(key),
      encode(value),
    ]);
    for (const [place, key, value] of changes) pairs.splice(place % (pairs.length + 1), 0, [key, value]);
    const width = form === 0x80 && pairs.length < 16 ? 0 : form === 0xdf ? 4 : 2;
    const head = new Uint8Array(1 + width);
    head[0] = width === 0 ? 0x80 : width === 2 ? 0xde : 0xdf;
    head[width]! |= pairs.length;
    return concatBytes([head, ...pairs.flat()]);
  });
