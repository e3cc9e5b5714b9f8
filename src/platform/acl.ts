/**
 * Access and default ACLs of files, as archives keep them. The kernel keeps them in extended attributes, so no ACL
 * library is needed.
 *
 * Source: Borg 1.4.5, platform/linux.pyx (acl_get, acl_set); libacl's acl_extended_file(3).
 */
import { fromBinaryString, fromUtf8, toBinaryString } from '../util/bytes.ts';
import {
  type AclEntry,
  type AclNames,
  aclFromMode,
  decodeAcl,
  encodeAcl,
  formatAcl,
  parseAcl,
} from './acl-text.ts';
import { isDirectory, isSymlink } from './file-stat.ts';
import { isLinux } from './linux.ts';
import { OsError, errnoNumber } from './os-error.ts';
import { gidToName, nameToGid, nameToUid, uidToName } from './users.ts';
import { type Target, findXattr, setXattr } from './xattr.ts';

export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';
/** Bytes of an ACL that says no more than the permission bits. */
export const BASE_ACL_BYTES = 28;

// Every file is asked for them.
const ACCESS_NAME = fromUtf8(ACCESS_ACL);
const DEFAULT_NAME = fromUtf8(DEFAULT_ACL);

export interface Acls {
  aclAccess?: Uint8Array;
  /** Of a folder: what files made in it get. Empty where it has none. */
  aclDefault?: Uint8Array;
}

const names: AclNames = {
  userName: (uid) => binary(uidToName(uid)),
  groupName: (gid) => binary(gidToName(gid)),
  userId: (name) => nameToUid(fromBinaryString(name)),
  groupId: (name) => nameToGid(fromBinaryString(name)),
};

/** The file's ACLs; none where they say no more than the permission bits, or the file system has none. */
export function getAcls(target: Target, mode: number, options: { numericIds?: boolean } = {}): Acls {
  if (!isLinux || isSymlink(mode)) return {};
  const access = findXattr(target, ACCESS_NAME);
  const inherited = isDirectory(mode) ? findXattr(target, DEFAULT_NAME) : undefined;
  const extended = (access?.length ?? 0) > BASE_ACL_BYTES || (inherited?.length ?? 0) >= BASE_ACL_BYTES;
  return extended ? formatAcls(target, mode, access, inherited, options.numericIds ?? false) : {};
}

function formatAcls(
  target: Target,
  mode: number,
  access: Uint8Array | undefined,
  inherited: Uint8Array | undefined,
  numericIds: boolean,
): Acls {
  const format = (entries: AclEntry[]) => formatAcl(entries, names, numericIds);
  return catchingRangeErrors(target, () => {
    const acls: Acls = { aclAccess: format(access === undefined ? aclFromMode(mode) : decodeAcl(access)) };
    if (isDirectory(mode)) acls.aclDefault = format(inherited === undefined ? [] : decodeAcl(inherited));
    return acls;
  });
}

/**
 * Gives the file these ACLs. EINVAL for a text that is no ACL; ENOTSUP where the file system has none, which a
 * caller may take lightly.
 */
export function setAcls(
  target: Target,
  acls: Acls,
  mode: number,
  options: { numericIds?: boolean } = {},
): void {
  if (!isLinux || isSymlink(mode)) return;
  for (const [attribute, text] of [
    [ACCESS_ACL, acls.aclAccess],
    [DEFAULT_ACL, acls.aclDefault],
  ] as const) {
    if (text === undefined || text.length === 0) continue;
    const numericIds = options.numericIds ?? false;
    const bytes = catchingRangeErrors(target, () => encodeAcl(parseAcl(text, names, numericIds)));
    setXattr(target, attribute, bytes);
  }
}

/** Borg's text of an ACL as the kernel has it in an attribute; undefined for what is no such text. */
export function packAcl(text: Uint8Array, options: { numericIds?: boolean } = {}): Uint8Array | undefined {
  try {
    return encodeAcl(parseAcl(text, names, options.numericIds ?? false));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

/** Malformed ACLs become EINVAL, as from libacl. */
function catchingRangeErrors<Result>(target: Target, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OsError(errnoNumber('EINVAL'), 'acl', typeof target === 'number' ? undefined : target);
  }
}

function binary(name: Uint8Array | undefined): string | undefined {
  return name && toBinaryString(name);
}
