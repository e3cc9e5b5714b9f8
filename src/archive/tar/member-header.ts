/**
 * Headers of a member of a tar in the formats that can be written.
 *
 * | format | what it holds                                                                                             |
 * |--------|-----------------------------------------------------------------------------------------------------------|
 * | GNU    | what Borg 1.4 writes: names of any length, whole seconds; no attributes                                   |
 * | PAX    | also times in ns (mtime, atime, ctime), extended attributes and ACLs, as GNU tar and star read them        |
 * | BORG   | as PAX, and all other metadata of the item, for import-tar: BORG.item.version is 1, BORG.item.meta the item in base64, without its chunks |
 *
 * Source: Python 3.14, tarfile.py, TarInfo.create_gnu_header and create_pax_header; Borg 1.4.5, archiver.py,
 * _export_tar; Borg 2.0, archiver/tar_cmds.py, item_to_paxheaders.
 */
import { encodeItem, type Item } from '../../format/item.ts';
import { encodePaxRecords, type PaxRecord } from '../../format/pax-records.ts';
import {
  encodeTarExtension,
  encodeTarHeader,
  NAME_BYTES,
  TAR_TYPE,
  type TarHeader,
} from '../../format/tar-header.ts';
import { concatBytes, fromBinaryString, fromUtf8 } from '../../util/bytes.ts';
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';

export type TarFormat = 'GNU' | 'PAX' | 'BORG';

export const BORG_META = { version: 'BORG.item.version', meta: 'BORG.item.meta' } as const;
export const BORG_META_VERSION = '1';

const NS_PER_S = 1_000_000_000n;
const OWNER_BYTES = 32;
const MAX_OCTAL = { id: 8n ** 7n, size: 8n ** 11n } as const;

/** The member's own header, and what has to stand before it. @throws TarFormatError where a number has no room */
export function encodeMemberHeader(header: TarHeader, item: Item, format: TarFormat): Uint8Array {
  return format === 'GNU' ? encodeGnu(header) : encodePax(header, item, format);
}

function encodeGnu(header: TarHeader): Uint8Array {
  const parts: Uint8Array[] = [];
  const long = (text: Uint8Array, type: string): void => {
    if (text.length <= NAME_BYTES) return;
    parts.push(encodeTarExtension('././@LongLink', type, concatBytes([text, Uint8Array.of(0)]), 'gnu'));
  };
  long(header.linkName, TAR_TYPE.gnuLongLink);
  long(header.name, TAR_TYPE.gnuLongName);
  return concatBytes([...parts, encodeTarHeader(header, 'gnu', true)]);
}

function encodePax(header: TarHeader, item: Item, format: TarFormat): Uint8Array {
  const records: PaxRecord[] = [];
  const add = (keyword: string, value: Uint8Array | string): void => {
    records.push({ keyword, value: typeof value === 'string' ? fromUtf8(value) : value });
  };
  if (item.atimeNs !== undefined) add('atime', seconds(item.atimeNs));
  if (item.ctimeNs !== undefined) add('ctime', seconds(item.ctimeNs));
  add('mtime', seconds(item.mtimeNs ?? 0n));
  for (const [name, value] of item.xattrs ?? []) {
    // A name with an equals sign could not be told from its value; the BORG format has it all the same.
    if (!name.includes('=')) add(`SCHILY.xattr.${name}`, value ?? new Uint8Array(0));
  }
  if (item.aclAccess !== undefined) add('SCHILY.acl.access', item.aclAccess);
  if (item.aclDefault !== undefined) add('SCHILY.acl.default', item.aclDefault);
  if (format === 'BORG') {
    add(BORG_META.version, BORG_META_VERSION);
    add(BORG_META.meta, Buffer.from(encodeItem(withoutChunks(item))).toString('base64'));
  }
  const texts = [
    ['path', header.name, NAME_BYTES],
    ['linkpath', header.linkName, NAME_BYTES],
    ['uname', header.user, OWNER_BYTES],
    ['gname', header.group, OWNER_BYTES],
  ] as const;
  for (const [keyword, text, sizeBytes] of texts) {
    if (text.length > sizeBytes || text.some((byte) => byte >= 0x80)) add(keyword, text);
  }
  const number = (keyword: string, value: bigint, end: bigint): bigint => {
    if (value >= 0n && value < end) return value;
    if (keyword !== 'mtime') add(keyword, value.toString());
    return 0n;
  };
  const plain: TarHeader = {
    ...header,
    name: asciiOf(header.name),
    linkName: asciiOf(header.linkName),
    user: asciiOf(header.user),
    group: asciiOf(header.group),
    uid: number('uid', header.uid, MAX_OCTAL.id),
    gid: number('gid', header.gid, MAX_OCTAL.id),
    sizeBytes: number('size', header.sizeBytes, MAX_OCTAL.size),
    mtimeS: number('mtime', header.mtimeS, MAX_OCTAL.size),
  };
  // Values that are not UTF-8 have to be announced.
  if (records.some(({ value }) => !decodeSurrogateEscaped(value).isWellFormed())) {
    records.unshift({ keyword: 'hdrcharset', value: fromUtf8('BINARY') });
  }
  const extension = encodeTarExtension(
    '././@PaxHeader',
    TAR_TYPE.paxHeader,
    encodePaxRecords(records),
    'posix',
  );
  return concatBytes([extension, encodeTarHeader(plain, 'posix', false)]);
}

/** What belongs to one repository only is left out. */
function withoutChunks(item: Item): Item {
  const { chunks: _chunks, chunksHealthy: _healthy, part: _part, ...rest } = item;
  return rest;
}

/** Seconds with as many decimals as are needed, exactly. */
function seconds(timeNs: bigint): string {
  const magnitude = timeNs < 0n ? -timeNs : timeNs;
  const decimals = (magnitude % NS_PER_S).toString().padStart(9, '0').replace(/0+$/, '');
  return `${timeNs < 0n ? '-' : ''}${magnitude / NS_PER_S}${decimals === '' ? '' : `.${decimals}`}`;
}

/** For readers that know no pax headers: a question mark for each character that is not ASCII. */
function asciiOf(text: Uint8Array): Uint8Array {
  if (!text.some((byte) => byte >= 0x80)) return text;
  const characters = Array.from(decodeSurrogateEscaped(text));
  return fromBinaryString(characters.map((character) => (character < '\x80' ? character : '?')).join(''));
}
