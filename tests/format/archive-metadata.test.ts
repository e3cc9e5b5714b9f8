import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArchiveMetadata, encodeArchiveMetadata } from '../../src/format/archive-metadata.ts';
import type { ArchiveMetadata } from '../../src/format/archive-metadata.ts';
import { MetadataError } from '../../src/format/metadata-fields.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { fromHex, toHex } from '../../src/util/bytes.ts';

const id = new Uint8Array(32).fill(4);
const ARCHIVE: ArchiveMetadata = {
  version: 1,
  name: 'näme',
  comment: '',
  items: [id],
  cmdline: ['borg', 'create', 'x'],
  hostname: 'h',
  username: 'u',
  time: '2024-01-31T12:00:00.000001',
  timeEnd: '2024-01-31T12:00:01.000000',
  cwd: '/r',
  chunkerParams: ['buzhash', 19, 23, 21, 4095],
  size: 1,
  csize: 2,
  nfiles: 3,
  sizeParts: 4,
  csizeParts: 5,
  nfilesParts: 6,
  recreateCmdline: ['r'],
};
// The same archive, packed by Borg 1.4.5 (item.pyx ArchiveItem).
const HEX =
  'de0012ae6368756e6b65725f706172616d7395a762757a68617368131715cd0fffa7636d646c696e6593a4626f7267a6' +
  '637265617465a178a7636f6d6d656e74a0a56373697a6502ab6373697a655f706172747305a3637764a22f72a8686f73' +
  '746e616d65a168a56974656d7391da002004040404040404040404040404040404040404040404040404040404040404' +
  '04a46e616d65a56ec3a46d65a66e66696c657303ac6e66696c65735f706172747306b072656372656174655f636d646c' +
  '696e6591a172a473697a6501aa73697a655f706172747304a474696d65ba323032342d30312d33315431323a30303a30' +
  '302e303030303031a874696d655f656e64ba323032342d30312d33315431323a30303a30312e303030303030a8757365' +
  '726e616d65a175a776657273696f6e01';
const LEAST = { version: 1, name: 'n', items: [id], cmdline: ['x'], time: '2024-01-31T12:00:00' };

test('encodeArchiveMetadata() writes what the reference writes', () => {
  assert.equal(toHex(encode(encodeArchiveMetadata(ARCHIVE))), HEX);
});

test('decodeArchiveMetadata() reads what the reference wrote', () => {
  assert.deepEqual(decodeArchiveMetadata(decode(fromHex(HEX))), ARCHIVE);
});

test('decodeArchiveMetadata() reads an archive of the first versions', () => {
  const old = { ...LEAST, chunker_params: [10, 23, 16, 4095] };
  assert.deepEqual(decodeArchiveMetadata(decode(encode(old))), {
    ...LEAST,
    chunkerParams: [10, 23, 16, 4095],
  });
});

test('decodeArchiveMetadata() drops the TAM and keeps unknown keys', () => {
  const archive = decodeArchiveMetadata(decode(encode({ ...LEAST, tam: {}, later: 1 })));
  assert.deepEqual(archive.unknown, new Map([['later', 1]]));
  assert.ok(encodeArchiveMetadata(archive).has('later'));
});

test('decodeArchiveMetadata() rejects wrong metadata', () => {
  const cases: [string, MsgpackValue][] = [
    ['no map', []],
    ['no version', { ...LEAST, version: null }],
    ['version 2', { ...LEAST, version: 2 }],
    ['a name that is no raw', { ...LEAST, name: 1 }],
    ['items that are no list', { ...LEAST, items: 'x' }],
    ['an id of 31 bytes', { ...LEAST, items: [new Uint8Array(31)] }],
    ['a command line of ints', { ...LEAST, cmdline: [1] }],
    ['no time', { ...LEAST, time: null }],
    ['a size that is raw', { ...LEAST, size: '1' }],
    ['chunker parameters in a map', { ...LEAST, chunker_params: {} }],
  ];
  for (const [name, value] of cases) {
    assert.throws(() => decodeArchiveMetadata(decode(encode(value))), MetadataError, name);
  }
});
