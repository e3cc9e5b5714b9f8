/**
 * The manifest: the list of archives, sealed under the id of 32 zero bytes. A msgpack map, keys in byte order:
 *
 * | key       | value                                                                                             |
 * |-----------|---------------------------------------------------------------------------------------------------|
 * | archives  | map from name to { id: raw of 32 bytes, time: raw, UTC as in timestamp.ts }                        |
 * | config    | map; Borg knows tam_required and feature_flags                                                    |
 * | item_keys | array of raw, the keys that items of this repository may have                                      |
 * | tam       | authentication, see docs/FORMAT.md; put in and taken out by the key                                |
 * | timestamp | raw, UTC; grows with every write                                                                  |
 * | version   | 1 (2 is read too)                                                                                 |
 *
 * A map that breaks these rules gives a MetadataError.
 *
 * Source: Borg 1.4.5 helpers/manifest.py, Manifest.load(), Manifest.write(), Archives; item.pyx, ManifestItem.
 */
import type { MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { fromBinaryString, toBinaryString } from '../util/bytes.ts';
import { decodeSurrogateEscaped, encodeSurrogateEscaped } from '../util/surrogate-escape.ts';
import { ITEM_KEYS } from './item.ts';
import {
  MetadataError,
  asArray,
  asId,
  asInteger,
  asMap,
  asText,
  sortKeys,
  wrong,
} from './metadata-fields.ts';

export const MAX_ARCHIVES = 400_000;
const MAX_NAME_CHARS = 255;
const MAX_ITEM_KEYS = 100;

export interface ArchiveEntry {
  id: Uint8Array;
  /** UTC, e.g. `2024-01-31T12:00:00.000000`. */
  time: string;
}

export interface ManifestData {
  version: 1;
  /** By name; names that are not UTF-8 have lone surrogates. */
  archives: Map<string, ArchiveEntry>;
  timestamp: string;
  config: MsgpackMap;
  itemKeys: string[];
}

/** The map without `tam`. Throws a MetadataError where a limit is exceeded that readers rely on. */
export function encodeManifest(manifest: ManifestData): MsgpackMap {
  if (manifest.archives.size > MAX_ARCHIVES) throw new MetadataError(`more than ${MAX_ARCHIVES} archives`);
  if (manifest.itemKeys.length > MAX_ITEM_KEYS)
    throw new MetadataError(`more than ${MAX_ITEM_KEYS} item keys`);
  const archives: MsgpackMap = new Map();
  for (const [name, { id, time }] of manifest.archives) {
    if (Array.from(name).length > MAX_NAME_CHARS) {
      throw new MetadataError(`an archive name is longer than ${MAX_NAME_CHARS} characters`);
    }
    archives.set(toBinaryString(encodeSurrogateEscaped(name)), { id, time });
  }
  return new Map<string, MsgpackValue>([
    ['archives', sortKeys(archives)],
    ['config', sortKeys(manifest.config)],
    ['item_keys', manifest.itemKeys.toSorted()],
    ['timestamp', manifest.timestamp],
    ['version', manifest.version],
  ]);
}

/** Reads the map; a `tam` in it is ignored. */
export function decodeManifest(value: MsgpackValue): ManifestData {
  const map = asMap(value, 'manifest');
  const version = asInteger(map.get('version'), 'version');
  if (version !== 1 && version !== 2) throw new MetadataError('Invalid manifest version');
  const timestamp = map.get('timestamp');
  const itemKeys = asArray(map.get('item_keys') ?? [], 'item_keys').map((key) => asText(key, 'item_keys'));
  return {
    version: 1,
    archives: decodeArchives(asMap(map.get('archives'), 'archives')),
    timestamp: timestamp === undefined ? '' : asText(timestamp, 'timestamp'),
    config: asMap(map.get('config') ?? new Map(), 'config'),
    itemKeys: [...new Set([...ITEM_KEYS, ...itemKeys])].toSorted(),
  };
}

function decodeArchives(map: MsgpackMap): Map<string, ArchiveEntry> {
  const archives = new Map<string, ArchiveEntry>();
  for (const [name, value] of map) {
    if (typeof name !== 'string') throw wrong('archives', 'a map from raw names');
    const entry = asMap(value, 'archives');
    archives.set(decodeSurrogateEscaped(fromBinaryString(name)), {
      id: asId(entry.get('id'), 'id'),
      time: asText(entry.get('time'), 'time'),
    });
  }
  return archives;
}
