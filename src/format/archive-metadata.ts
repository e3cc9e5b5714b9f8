/**
 * An archive's own object; its id is in the manifest. A msgpack map, keys in byte order:
 *
 * | key              | value                                                                                      |
 * |------------------|--------------------------------------------------------------------------------------------|
 * | chunker_params   | array: name (raw) and ints; only 4 ints in old archives                                     |
 * | cmdline          | array of raw, the command that made the archive                                             |
 * | comment          | raw                                                                                        |
 * | csize, csize_parts, nfiles, nfiles_parts, size, size_parts | ints, statistics; since Borg 1.2                  |
 * | cwd              | raw, folder in which the command ran                                                       |
 * | hostname         | raw                                                                                        |
 * | items            | array of raw of 32 bytes: ids of the item stream's chunks, in order                          |
 * | name             | raw                                                                                        |
 * | recreate_cmdline | array of raw, of the last recreate                                                         |
 * | tam              | authentication, see docs/FORMAT.md; put in and taken out by the key                          |
 * | time, time_end   | raw, UTC as in timestamp.ts                                                                |
 * | username         | raw                                                                                        |
 * | version          | 1                                                                                          |
 *
 * Other keys are kept as they are. A map that breaks these rules gives a MetadataError.
 *
 * Source: Borg 1.4.5 item.pyx, ArchiveItem; archive.py, Archive.save(); constants.py, ARCHIVE_KEYS.
 */
import type { MsgpackKey, MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { MetadataError, asArray, asId, asInteger, asMap, asText, sortKeys } from './metadata-fields.ts';

export interface ArchiveMetadata {
  version: 1;
  name: string;
  /** Ids of the item stream's chunks. */
  items: Uint8Array[];
  cmdline: string[];
  /** UTC, e.g. `2024-01-31T12:00:00.000000`. */
  time: string;
  timeEnd?: string;
  hostname?: string;
  username?: string;
  comment?: string;
  cwd?: string;
  chunkerParams?: (string | number)[];
  recreateCmdline?: string[];
  size?: number;
  csize?: number;
  nfiles?: number;
  sizeParts?: number;
  csizeParts?: number;
  nfilesParts?: number;
  /** Keys of another version. */
  unknown?: MsgpackMap;
}

/** All keys that Borg knows in an archive's metadata (constants.py, ARCHIVE_KEYS). */
export const ARCHIVE_KEYS: readonly string[] = [
  'version',
  'name',
  'items',
  'cmdline',
  'hostname',
  'username',
  'time',
  'time_end',
  'comment',
  'chunker_params',
  'recreate_cmdline',
  'recreate_source_id',
  'recreate_args',
  'recreate_partial_chunks',
  'size',
  'csize',
  'nfiles',
  'size_parts',
  'csize_parts',
  'nfiles_parts',
  'cwd',
];

export const REQUIRED_ARCHIVE_KEYS: readonly string[] = ['version', 'name', 'items', 'cmdline', 'time'];

const TEXTS = [
  ['time_end', 'timeEnd'],
  ['hostname', 'hostname'],
  ['username', 'username'],
  ['comment', 'comment'],
  ['cwd', 'cwd'],
] as const;
const NUMBERS = [
  ['size', 'size'],
  ['csize', 'csize'],
  ['nfiles', 'nfiles'],
  ['size_parts', 'sizeParts'],
  ['csize_parts', 'csizeParts'],
  ['nfiles_parts', 'nfilesParts'],
] as const;
const KNOWN: ReadonlySet<MsgpackKey> = new Set<MsgpackKey>([
  ...REQUIRED_ARCHIVE_KEYS,
  'chunker_params',
  'recreate_cmdline',
  ...TEXTS.map(([key]) => key),
  ...NUMBERS.map(([key]) => key),
]);

/** The map without `tam`, keys in byte order. */
export function encodeArchiveMetadata(archive: ArchiveMetadata): MsgpackMap {
  const map: MsgpackMap = new Map(archive.unknown);
  map.set('version', archive.version);
  map.set('name', archive.name);
  map.set('items', archive.items);
  map.set('cmdline', archive.cmdline);
  map.set('time', archive.time);
  if (archive.chunkerParams !== undefined) map.set('chunker_params', archive.chunkerParams);
  if (archive.recreateCmdline !== undefined) map.set('recreate_cmdline', archive.recreateCmdline);
  for (const [key, name] of [...TEXTS, ...NUMBERS]) {
    const value = archive[name];
    if (value !== undefined) map.set(key, value);
  }
  return sortKeys(map);
}

/** Reads the map; a `tam` in it is dropped. */
export function decodeArchiveMetadata(value: MsgpackValue): ArchiveMetadata {
  const map = asMap(value, 'archive');
  if (asInteger(map.get('version'), 'version') !== 1)
    throw new MetadataError('Unknown archive metadata version');
  const archive: ArchiveMetadata = {
    version: 1,
    name: asText(map.get('name'), 'name'),
    items: asArray(map.get('items'), 'items').map((id) => asId(id, 'items')),
    cmdline: asTexts(map.get('cmdline'), 'cmdline'),
    time: asText(map.get('time'), 'time'),
  };
  for (const [key, name] of TEXTS) if (map.has(key)) archive[name] = asText(map.get(key), key);
  for (const [key, name] of NUMBERS) if (map.has(key)) archive[name] = asInteger(map.get(key), key);
  if (map.has('recreate_cmdline')) {
    archive.recreateCmdline = asTexts(map.get('recreate_cmdline'), 'recreate_cmdline');
  }
  if (map.has('chunker_params')) archive.chunkerParams = asChunkerParams(map.get('chunker_params'));
  for (const [key, extra] of map) {
    if (!KNOWN.has(key) && key !== 'tam') (archive.unknown ??= new Map()).set(key, extra);
  }
  return archive;
}

function asTexts(value: MsgpackValue | undefined, key: string): string[] {
  return asArray(value, key).map((text) => asText(text, key));
}

function asChunkerParams(value: MsgpackValue | undefined): (string | number)[] {
  const key = 'chunker_params';
  return asArray(value, key).map((part) =>
    part instanceof Uint8Array ? asText(part, key) : asInteger(part, key),
  );
}
