/**
 * Puts owner, permissions, ACLs, extended attributes, times and flags on a file.
 *
 * Source: Borg 1.4.5, archive.py, Archive.restore_attrs.
 */
import { type Acls, setAcls } from './acl.ts';
import { setFlags } from './bsd-flags.ts';
import { type At, isSymlink } from './file-stat.ts';
import { isLinux } from './linux.ts';
import { isOsError } from './os-error.ts';
import { pathThrough, setMode, setOwner, setTimes } from './set-attributes.ts';
import { type Target, type Xattrs, writeXattrs } from './xattr.ts';

/** What a file gets. Plain data, which other threads can be sent; what is absent is left as it is. */
export interface FileAttributes {
  readonly uid: number;
  readonly gid: number;
  /** With the file's type. */
  readonly mode: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly acls?: Acls | undefined;
  /** ACLs name users and groups by number. */
  readonly numericIds?: boolean | undefined;
  readonly xattrs?: Xattrs | undefined;
  readonly bsdFlags?: number | undefined;
}

/** An open file, or a name in an open folder; `path` is for messages. */
export type AttributeTarget =
  | { readonly path: Uint8Array; readonly fd: number }
  | { readonly path: Uint8Array; readonly at: At };

/**
 * Sets all of them. Owner, times and flags are left as they are where the system refuses. Returns a warning for each
 * extended attribute that can't be set. Throws the operating system's error for permissions and ACLs.
 */
export function setFileAttributes(given: AttributeTarget, attributes: FileAttributes): string[] {
  const { path } = given;
  const at = 'at' in given ? given.at : undefined;
  const target: Target = 'fd' in given ? given.fd : path;
  // Calls that take no folder reach the name by way of it all the same.
  const direct = (): Target => ('fd' in given ? given.fd : pathThrough(given.at));
  const { uid, gid, mode, acls, xattrs, bsdFlags, atimeNs, mtimeNs } = attributes;
  tolerate(() => setOwner(target, uid, gid, at));
  // Linux gives symlinks no permissions, and to be told so for each takes long.
  if (!isLinux || !isSymlink(mode)) setMode(target, mode, at);
  if (acls !== undefined) setAclsWherePossible(direct(), acls, attributes);
  // After the owner, since a change of owner takes capabilities away, which are extended attributes.
  const warnings = xattrs === undefined ? [] : writeXattrs(direct(), xattrs, path);
  tolerate(() => setTimes(target, atimeNs, mtimeNs, at));
  // Last, since one of them makes the file immutable.
  if (bsdFlags !== undefined) tolerate(() => setFlags(direct(), bsdFlags));
  return warnings;
}

function setAclsWherePossible(target: Target, acls: Acls, { mode, numericIds }: FileAttributes): void {
  try {
    setAcls(target, acls, mode, { numericIds: numericIds ?? false });
  } catch (error) {
    if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
  }
}

function tolerate(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isOsError(error)) throw error;
  }
}
