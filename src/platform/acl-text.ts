/**
 * POSIX ACLs: the kernel's bytes, and Borg's text.
 *
 * Bytes, little-endian on every machine:
 *
 * | offset | size | field   | encoding                                                             |
 * |--------|------|---------|----------------------------------------------------------------------|
 * | 0      | 4    | version | 2                                                                    |
 * | 4+8n   | 2    | tag     | 1 user::, 2 user:X:, 4 group::, 8 group:X:, 16 mask::, 32 other::    |
 * | 6+8n   | 2    | perm    | 4 r, 2 w, 1 x                                                        |
 * | 8+8n   | 4    | id      | uid or gid of tags 2 and 8, else 2^32 - 1                            |
 *
 * Text, an entry a line: `user::rwx`, `user:ann:r-x:1000` (name, permissions, stored uid), `group::r-x`,
 * `group:staff:rwx:50`, `mask::r--`, `other::---`. What libacl adds to an entry that the mask restricts, a tab
 * before a comment, Borg keeps as a tab after the permissions: so do we, since equal metadata must stay equal.
 *
 * Sources: Linux, linux/posix_acl_xattr.h; libacl, acl_to_text(3), acl_from_text(3); Borg 1.4.5, platform/linux.pyx
 * (acl_append_numeric_ids, acl_numeric_ids, acl_use_local_uid_gid), platform/posix.pyx (posix_acl_use_stored_uid_gid).
 */
import { fromBinaryString, toBinaryString } from '../util/bytes.ts';

export interface AclEntry {
  tag: number;
  perm: number;
  id: number;
}

/** Names of the machine at hand, one char a byte. */
export interface AclNames {
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
}

const TAG = { user: 2, group: 8, mask: 0x10, other: 0x20 } as const;
const OWNER_TAG = { user: 1, group: 4 } as const;
const KIND: Readonly<Record<number, keyof typeof TAG>> = {
  1: 'user',
  2: 'user',
  4: 'group',
  8: 'group',
  16: 'mask',
  32: 'other',
};
const NO_ID = 0xffffffff;
const VERSION = 2;

/** Throws a RangeError on what is not an ACL of version 2. */
export function decodeAcl(bytes: Uint8Array): AclEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || bytes.length % 8 !== 4 || view.getUint32(0, true) !== VERSION) {
    throw new RangeError('not a POSIX ACL of version 2');
  }
  const entries: AclEntry[] = [];
  for (let offset = 4; offset < bytes.length; offset += 8) {
    const tag = view.getUint16(offset, true);
    if (KIND[tag] === undefined) throw new RangeError(`unknown ACL tag ${tag}`);
    entries.push({ tag, perm: view.getUint16(offset + 2, true), id: view.getUint32(offset + 4, true) });
  }
  return sorted(entries);
}

export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const bytes = new Uint8Array(4 + 8 * entries.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, VERSION, true);
  for (const [index, entry] of sorted(entries).entries()) {
    view.setUint16(4 + 8 * index, entry.tag, true);
    view.setUint16(6 + 8 * index, entry.perm, true);
    view.setUint32(8 + 8 * index, entry.id, true);
  }
  return bytes;
}

/** The ACL that permission bits alone stand for. */
export function aclFromMode(mode: number): AclEntry[] {
  return [
    { tag: OWNER_TAG.user, perm: (mode >> 6) & 7, id: NO_ID },
    { tag: OWNER_TAG.group, perm: (mode >> 3) & 7, id: NO_ID },
    { tag: TAG.other, perm: mode & 7, id: NO_ID },
  ];
}

/** Borg's text of the ACL; with `numericIds` ids stand in the names' places. */
export function formatAcl(entries: readonly AclEntry[], names: AclNames, numericIds: boolean): Uint8Array {
  const mask = entries.find((entry) => entry.tag === TAG.mask)?.perm;
  const lines = entries.map(({ tag, perm, id }) => {
    const kind = KIND[tag]!;
    const masked = tag !== OWNER_TAG.user && tag !== TAG.other && mask !== undefined && (perm & ~mask) !== 0;
    const bits = `${perm & 4 ? 'r' : '-'}${perm & 2 ? 'w' : '-'}${perm & 1 ? 'x' : '-'}${masked ? '\t' : ''}`;
    if (tag !== TAG.user && tag !== TAG.group) return `${kind}::${bits}`;
    const name = tag === TAG.user ? names.userName(id) : names.groupName(id);
    const shown = numericIds || name === undefined ? String(id) : quoteName(name);
    return `${kind}:${shown}:${bits}:${id}`;
  });
  return fromBinaryString(lines.join('\n'));
}

/**
 * The ACL that Borg's text stands for on this machine: a name that is known here gives its id here, another the
 * stored id; with `numericIds` always the stored id. Throws a RangeError on what is not such a text.
 */
export function parseAcl(text: Uint8Array, names: AclNames, numericIds: boolean): AclEntry[] {
  const entries: AclEntry[] = [];
  for (const line of toBinaryString(text).split(/[\n,]/)) {
    const trimmed = line.replace(/#.*/, '').trim();
    if (trimmed !== '') entries.push(parseEntry(trimmed, names, numericIds));
  }
  return sorted(entries);
}

function parseEntry(line: string, names: AclNames, numericIds: boolean): AclEntry {
  const fields = line.split(':').map((field) => field.trim());
  const kind = { u: 'user', g: 'group', m: 'mask', o: 'other' }[fields[0]!] ?? fields[0]!;
  if ((kind === 'mask' || kind === 'other') && fields.length === 2) fields.splice(1, 0, '');
  const [, name, bits, stored] = fields;
  if (fields.length > 4 || name === undefined || bits === undefined || !/^[rwx-]{1,3}$/.test(bits)) {
    throw new RangeError(`not an ACL entry: ${JSON.stringify(line)}`);
  }
  const perm = (bits.includes('r') ? 4 : 0) | (bits.includes('w') ? 2 : 0) | (bits.includes('x') ? 1 : 0);
  if (kind === 'user' || kind === 'group') {
    if (name === '') return { tag: OWNER_TAG[kind], perm, id: NO_ID };
    const local = kind === 'user' ? names.userId(name) : names.groupId(name);
    const known = numericIds && stored !== undefined ? undefined : local;
    return { tag: TAG[kind], perm, id: known ?? parseId(stored ?? name, line) };
  }
  if ((kind === 'mask' || kind === 'other') && name === '') return { tag: TAG[kind], perm, id: NO_ID };
  throw new RangeError(`not an ACL entry: ${JSON.stringify(line)}`);
}

function parseId(text: string, line: string): number {
  const id = Number(text);
  if (!/^\d{1,10}$/.test(text) || id >= NO_ID) {
    throw new RangeError(`no such user or group in the ACL entry ${JSON.stringify(line)}`);
  }
  return id;
}

/** As libacl writes a name that would confuse its readers: those chars in octal. */
function quoteName(name: string): string {
  return name.replaceAll(/[:, \t\n\r\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function sorted(entries: readonly AclEntry[]): AclEntry[] {
  return entries.toSorted((a, b) => a.tag - b.tag || a.id - b.id);
}
