/**
 * An item: one file, folder, link or device in an archive. A msgpack map, keys in byte order, absent where they do not
 * apply:
 *
 * | key                  | value                                                                                  |
 * |----------------------|----------------------------------------------------------------------------------------|
 * | acl_access … _nfs4   | raw, the ACL's text                                                                    |
 * | atime, birthtime     | ns since 1970, see encodeBigInteger()                                                  |
 * | bsdflags             | int                                                                                    |
 * | chunks               | array of [id, size, csize]: raw of 32 bytes, plain size, size as stored                  |
 * | chunks_healthy       | the chunks before a check replaced lost ones by zeros                                   |
 * | ctime                | as atime                                                                               |
 * | gid, uid             | int                                                                                    |
 * | group, user          | raw, or null for numeric ids only                                                      |
 * | hardlink_master      | boolean: other items may name this path as their source                                 |
 * | mode                 | int, with the file type                                                                |
 * | mtime                | as atime                                                                               |
 * | nlink                | int                                                                                    |
 * | part                 | int, number of a checkpoint's partial file                                             |
 * | path                 | raw, relative, without a leading slash                                                 |
 * | rdev                 | int, device number                                                                     |
 * | size                 | int, sum of the chunks' sizes                                                          |
 * | source               | raw: target of a symlink, or path of the hardlink master                               |
 * | xattrs               | map from name to raw, or null for an empty value                                        |
 *
 * Other keys are kept as they are. A map that breaks these rules gives a MetadataError.
 *
 * Source: Borg 1.4.5 item.pyx, Item; constants.py, ITEM_KEYS.
 */
import { encode, encodeFieldsTransient } from '../msgpack/encode.ts';
import type { MsgpackKey, MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { PACKED_KEYS } from './item-key.ts';
import {
  asArray,
  asBoolean,
  asBytes,
  asId,
  asInteger,
  asMap,
  decodeBigInteger,
  encodeBigInteger,
  sortKeys,
  wrong,
} from './metadata-fields.ts';

export interface ChunkRef {
  id: Uint8Array;
  /** Bytes of plain data. */
  size: number;
  /** Bytes as stored: compressed and sealed. */
  csize: number;
}

export interface Item {
  path: Uint8Array;
  mode?: number;
  uid?: number;
  gid?: number;
  user?: Uint8Array | null;
  group?: Uint8Array | null;
  atimeNs?: bigint;
  ctimeNs?: bigint;
  mtimeNs?: bigint;
  birthtimeNs?: bigint;
  size?: number;
  chunks?: ChunkRef[];
  chunksHealthy?: ChunkRef[];
  hardlinkMaster?: boolean;
  source?: Uint8Array;
  /** Values by name; names are binary strings. */
  xattrs?: Map<string, Uint8Array | null>;
  aclAccess?: Uint8Array;
  aclDefault?: Uint8Array;
  aclExtended?: Uint8Array;
  aclNfs4?: Uint8Array;
  bsdflags?: number;
  rdev?: number;
  nlink?: number;
  part?: number;
  /** Keys of a later version, by their packed name. */
  unknown?: MsgpackMap;
}

/** All keys that Borg lists for an item (constants.py, ITEM_KEYS), which leave out one; they are in every manifest. */
export const ITEM_KEYS: readonly string[] = PACKED_KEYS.filter((key) => key !== 'nlink');

export const REQUIRED_ITEM_KEYS: readonly string[] = ['path', 'mtime'];

type Decoder = (item: Item, value: MsgpackValue, key: string) => void;

const DECODERS: ReadonlyMap<MsgpackKey, Decoder> = new Map<string, Decoder>([
  ['acl_access', (item, value, key) => (item.aclAccess = asBytes(value, key))],
  ['acl_default', (item, value, key) => (item.aclDefault = asBytes(value, key))],
  ['acl_extended', (item, value, key) => (item.aclExtended = asBytes(value, key))],
  ['acl_nfs4', (item, value, key) => (item.aclNfs4 = asBytes(value, key))],
  ['atime', (item, value, key) => (item.atimeNs = decodeBigInteger(value, key))],
  ['birthtime', (item, value, key) => (item.birthtimeNs = decodeBigInteger(value, key))],
  ['bsdflags', (item, value, key) => (item.bsdflags = asInteger(value, key))],
  ['chunks', decodeChunks('chunks')],
  ['chunks_healthy', decodeChunks('chunksHealthy')],
  ['ctime', (item, value, key) => (item.ctimeNs = decodeBigInteger(value, key))],
  ['gid', (item, value, key) => (item.gid = asInteger(value, key))],
  ['group', (item, value, key) => (item.group = value === null ? null : asBytes(value, key))],
  ['hardlink_master', (item, value, key) => (item.hardlinkMaster = asBoolean(value, key))],
  ['mode', (item, value, key) => (item.mode = asInteger(value, key))],
  ['mtime', (item, value, key) => (item.mtimeNs = decodeBigInteger(value, key))],
  ['nlink', (item, value, key) => (item.nlink = asInteger(value, key))],
  ['part', (item, value, key) => (item.part = asInteger(value, key))],
  ['path', (item, value, key) => (item.path = asBytes(value, key))],
  ['rdev', (item, value, key) => (item.rdev = asInteger(value, key))],
  ['size', (item, value, key) => (item.size = asInteger(value, key))],
  ['source', (item, value, key) => (item.source = asBytes(value, key))],
  ['uid', (item, value, key) => (item.uid = asInteger(value, key))],
  ['user', (item, value, key) => (item.user = value === null ? null : asBytes(value, key))],
  ['xattrs', (item, value, key) => (item.xattrs = decodeXattrs(value, key))],
]);

export function decodeItem(map: MsgpackValue): Item {
  const item: Item = { path: asBytes(asMap(map, 'item').get('path'), 'path') };
  for (const [key, value] of map as MsgpackMap) {
    const decoder = DECODERS.get(key);
    if (decoder !== undefined) decoder(item, value, String(key));
    else (item.unknown ??= new Map()).set(key, value);
  }
  return item;
}

/** The packed item, byte for byte as Borg packs it. */
export function encodeItem(item: Item): Uint8Array {
  return encodeItemTransient(item).slice();
}

/** As encodeItem(), in memory that is used again when something else is packed. */
export function encodeItemTransient(item: Item): Uint8Array {
  takeValues(item);
  if (item.unknown === undefined) return encodeFieldsTransient(PACKED_NAMES, values);
  const map: MsgpackMap = new Map(item.unknown);
  for (const [number, key] of PACKED_KEYS.entries()) {
    const value = values[number];
    if (value !== undefined) map.set(key, value);
  }
  return encode(sortKeys(map));
}

/** PACKED_KEYS as they stand in an item. */
const PACKED_NAMES = PACKED_KEYS.map((key) => encode(key));

/** What the item that is being packed has, by the order of PACKED_KEYS; the same array for all of them. */
const values: (MsgpackValue | undefined)[] = PACKED_KEYS.map(() => undefined);

function takeValues(item: Item): void {
  const { xattrs } = item;
  let at = 0;
  values[at++] = item.aclAccess;
  values[at++] = item.aclDefault;
  values[at++] = item.aclExtended;
  values[at++] = item.aclNfs4;
  values[at++] = encodeTime(item.atimeNs);
  values[at++] = encodeTime(item.birthtimeNs);
  values[at++] = item.bsdflags;
  values[at++] = item.chunks?.map(encodeChunk);
  values[at++] = item.chunksHealthy?.map(encodeChunk);
  values[at++] = encodeTime(item.ctimeNs);
  values[at++] = item.gid;
  values[at++] = item.group;
  values[at++] = item.hardlinkMaster;
  values[at++] = item.mode;
  values[at++] = encodeTime(item.mtimeNs);
  values[at++] = item.nlink;
  values[at++] = item.part;
  values[at++] = item.path;
  values[at++] = item.rdev;
  values[at++] = item.size;
  values[at++] = item.source;
  values[at++] = item.uid;
  values[at++] = item.user;
  values[at++] = xattrs && sortKeys(xattrs);
}

function encodeTime(ns: bigint | undefined): bigint | Uint8Array | undefined {
  return ns === undefined ? undefined : encodeBigInteger(ns);
}

function encodeChunk(chunk: ChunkRef): MsgpackValue {
  return [chunk.id, chunk.size, chunk.csize];
}

/** A null list, which Borg's item allows, is the same as none. */
function decodeChunks(name: 'chunks' | 'chunksHealthy'): Decoder {
  return (item, value, key) => {
    if (value !== null) item[name] = asArray(value, key).map((entry) => decodeChunk(entry, key));
  };
}

function decodeChunk(value: MsgpackValue, key: string): ChunkRef {
  const entry = asArray(value, key);
  if (entry.length !== 3) throw wrong(key, 'a list of [id, size, csize]');
  const chunk = { id: asId(entry[0], key), size: asInteger(entry[1], key), csize: asInteger(entry[2], key) };
  if (chunk.size < 0 || chunk.csize < 0) throw wrong(key, 'a list with sizes from 0');
  return chunk;
}

function decodeXattrs(value: MsgpackValue, key: string): Map<string, Uint8Array | null> {
  const xattrs = new Map<string, Uint8Array | null>();
  for (const [name, bytes] of asMap(value, key)) {
    if (typeof name !== 'string') throw wrong(key, 'a map from raw names');
    xattrs.set(name, bytes === null ? null : asBytes(bytes, key));
  }
  return xattrs;
}
