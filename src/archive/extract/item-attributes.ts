/**
 * Puts an item's owner, permissions, ACLs, extended attributes, times and flags on what was extracted.
 *
 * Source: Borg 1.4.5, archive.py, Archive.restore_attrs and get_item_uid_gid.
 */
import { GeneralWarning } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import { setAcls } from '../../platform/acl.ts';
import { setFlags } from '../../platform/bsd-flags.ts';
import type { At } from '../../platform/file-stat.ts';
import { isOsError } from '../../platform/os-error.ts';
import { pathThrough, setMode, setOwner, setTimes } from '../../platform/set-attributes.ts';
import { nameToGid, nameToUid } from '../../platform/users.ts';
import { type Target, writeXattrs } from '../../platform/xattr.ts';
import type { Reporter } from '../../util/reporter.ts';

export interface AttributeOptions {
  /** Take numeric ids only, not the ids that the names have here. */
  readonly numericIds?: boolean | undefined;
  readonly noAcls?: boolean | undefined;
  readonly noXattrs?: boolean | undefined;
  readonly noFlags?: boolean | undefined;
}

/** An open file, or a name in an open folder; `path` is for messages. */
export type Restored =
  | { readonly path: Uint8Array; readonly fd: number }
  | { readonly path: Uint8Array; readonly at: At };

/**
 * Sets all that the item knows. Owner, times and flags are left as they are where the system refuses; an attribute
 * that can't be set is a warning. Throws the operating system's error for permissions and ACLs.
 */
export function restoreAttributes(
  restored: Restored,
  item: Item,
  options: AttributeOptions,
  reporter: Reporter,
): void {
  const { path } = restored;
  const at = 'at' in restored ? restored.at : undefined;
  const target: Target = 'fd' in restored ? restored.fd : path;
  // Calls that take no folder reach the name by way of it all the same.
  const direct: Target = 'fd' in restored ? restored.fd : pathThrough(restored.at);
  const mode = item.mode ?? 0;
  const { uid, gid } = ownerOf(item, options.numericIds ?? false);
  tolerate(() => setOwner(target, uid, gid, at));
  setMode(target, mode, at);
  if (options.noAcls !== true) restoreAcls(direct, item, options);
  // After the owner, since a change of owner takes capabilities away, which are extended attributes.
  if (options.noXattrs !== true && item.xattrs !== undefined) {
    for (const warning of writeXattrs(direct, item.xattrs, path))
      reporter.warn(new GeneralWarning([warning]));
  }
  const mtimeNs = item.mtimeNs ?? 0n;
  tolerate(() => setTimes(target, item.atimeNs ?? mtimeNs, mtimeNs, at));
  // Last, since one of them makes the file immutable.
  const { bsdflags } = item;
  if (options.noFlags !== true && bsdflags !== undefined) tolerate(() => setFlags(direct, bsdflags));
}

function restoreAcls(target: Target, item: Item, options: AttributeOptions): void {
  const { aclAccess, aclDefault } = item;
  if (aclAccess === undefined && aclDefault === undefined) return;
  const acls = {
    ...(aclAccess === undefined ? {} : { aclAccess }),
    ...(aclDefault === undefined ? {} : { aclDefault }),
  };
  try {
    setAcls(target, acls, item.mode ?? 0, { numericIds: options.numericIds ?? false });
  } catch (error) {
    if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
  }
}

/** The ids to give the file: those of the names on this machine, else the numbers. */
export function ownerOf(item: Item, numericIds: boolean): { uid: number; gid: number } {
  const { user, group } = item;
  const named = {
    uid: numericIds || user === undefined || user === null ? undefined : nameToUid(user),
    gid: numericIds || group === undefined || group === null ? undefined : nameToGid(group),
  };
  return { uid: Math.max(named.uid ?? item.uid ?? 0, 0), gid: Math.max(named.gid ?? item.gid ?? 0, 0) };
}

function tolerate(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isOsError(error)) throw error;
  }
}
