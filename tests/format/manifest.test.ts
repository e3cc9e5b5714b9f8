import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ITEM_KEYS } from '../../src/format/item.ts';
import { MAX_ARCHIVES, decodeManifest, encodeManifest } from '../../src/format/manifest.ts';
import type { ManifestData } from '../../src/format/manifest.ts';
import { MetadataError } from '../../src/format/metadata-fields.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';

const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const MANIFEST: ManifestData = {
  version: 1,
  archives: new Map([
    ['z', { id: id(5), time: '2024-01-31T12:00:00.000001' }],
    ['é', { id: id(6), time: '2024-01-31T12:00:00' }],
    ['a\udcff', { id: id(7), time: '2024' }],
  ]),
  timestamp: '2024-01-31T12:00:00.000002',
  config: new Map<string, MsgpackValue>([
    ['tam_required', true],
    ['feature_flags', new Map([['read', new Map([['mandatory', [fromUtf8('x')]]])]])],
  ]),
  itemKeys: ['path', 'mtime', 'acl_access'],
};
// The same manifest, packed by Borg 1.4.5 (item.pyx ManifestItem, helpers/manifest.py).
const HEX =
  '85a8617263686976657383a261ff82a26964da0020070707070707070707070707070707070707070707070707070707' +
  '0707070707a474696d65a432303234a17a82a26964da0020050505050505050505050505050505050505050505050505' +
  '0505050505050505a474696d65ba323032342d30312d33315431323a30303a30302e303030303031a2c3a982a26964da' +
  '00200606060606060606060606060606060606060606060606060606060606060606a474696d65b3323032342d30312d' +
  '33315431323a30303a3030a6636f6e66696782ad666561747572655f666c61677381a47265616481a96d616e6461746f' +
  '727991a178ac74616d5f7265717569726564c3a96974656d5f6b65797393aa61636c5f616363657373a56d74696d65a4' +
  '70617468a974696d657374616d70ba323032342d30312d33315431323a30303a30302e303030303032a776657273696f' +
  '6e01';

const LEAST = { version: 1, archives: {}, config: {}, timestamp: 't', item_keys: [] };

test('encodeManifest() writes what the reference writes', () => {
  assert.equal(toHex(encode(encodeManifest(MANIFEST))), HEX);
});

test('decodeManifest() reads what the reference wrote, and adds the item keys that we know', () => {
  const manifest = decodeManifest(decode(fromHex(HEX)));
  assert.deepEqual(manifest, { ...MANIFEST, itemKeys: [...ITEM_KEYS] });
  assert.equal(toHex(encode(encodeManifest({ ...manifest, itemKeys: MANIFEST.itemKeys }))), HEX);
});

test('decodeManifest() keeps item keys of a later version, and reads version 2', () => {
  const manifest = decodeManifest(decode(encode({ ...LEAST, version: 2, item_keys: ['zzz'] })));
  assert.deepEqual(manifest.itemKeys, [...ITEM_KEYS, 'zzz']);
  assert.equal(manifest.version, 1);
});

test('decodeManifest() rejects wrong manifests', () => {
  const entry = { id: id(1), time: 't' };
  const cases: [string, MsgpackValue][] = [
    ['no map', []],
    ['no version', { ...LEAST, version: null }],
    ['version 3', { ...LEAST, version: 3 }],
    ['no archives', { ...LEAST, archives: null }],
    ['archives in a list', { ...LEAST, archives: [] }],
    ['an archive by number', { ...LEAST, archives: new Map([[1, entry]]) }],
    ['an archive without id', { ...LEAST, archives: { a: { time: 't' } } }],
    ['an archive with a short id', { ...LEAST, archives: { a: { ...entry, id: 'x' } } }],
    ['an archive without time', { ...LEAST, archives: { a: { id: id(1) } } }],
    ['a timestamp that is a number', { ...LEAST, timestamp: 1 }],
    ['a config in a list', { ...LEAST, config: [] }],
    ['item keys that are numbers', { ...LEAST, item_keys: [1] }],
  ];
  for (const [name, value] of cases) {
    assert.throws(() => decodeManifest(decode(encode(value))), MetadataError, name);
  }
});

test('encodeManifest() refuses what readers would not take', () => {
  const entry = { id: id(1), time: 't' };
  const long = { ...MANIFEST, archives: new Map([['x'.repeat(256), entry]]) };
  assert.throws(() => encodeManifest(long), MetadataError);
  assert.ok(encodeManifest({ ...MANIFEST, archives: new Map([['\u{10000}'.repeat(255), entry]]) }));
  const many = new Map(Array.from({ length: MAX_ARCHIVES + 1 }, (_, i) => [String(i), entry]));
  assert.throws(() => encodeManifest({ ...MANIFEST, archives: many }), MetadataError);
  const itemKeys = Array.from({ length: 101 }, (_, i) => String(i));
  assert.throws(() => encodeManifest({ ...MANIFEST, itemKeys }), MetadataError);
});
