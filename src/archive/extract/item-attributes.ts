/**
 * Which owner, permissions, ACLs, extended attributes, times and flags an extracted item gets.
 *
 * Source: Borg 1.4.5, archive.py, Archive.restore_attrs and get_item_uid_gid.
 */
import type { Item } from '../../format/item.ts';
import type { Acls } from '../../platform/acl.ts';
import type { FileAttributes } from '../../platform/file-attributes.ts';
import { nameToGid, nameToUid } from '../../platform/users.ts';

export interface AttributeOptions {
  /** Take numeric ids only, not the ids that the names have here. */
  readonly numericIds?: boolean | undefined;
  readonly noAcls?: boolean | undefined;
  readonly noXattrs?: boolean | undefined;
  readonly noFlags?: boolean | undefined;
}

/** All that the item knows and the options want. */
export function attributesOf(item: Item, options: AttributeOptions): FileAttributes {
  const numericIds = options.numericIds ?? false;
  const mtimeNs = item.mtimeNs ?? 0n;
  const { uid, gid } = ownerOf(item, numericIds);
  return {
    uid,
    gid,
    mode: item.mode ?? 0,
    atimeNs: item.atimeNs ?? mtimeNs,
    mtimeNs,
    acls: options.noAcls === true ? undefined : aclsOf(item),
    numericIds,
    xattrs: options.noXattrs === true ? undefined : item.xattrs,
    bsdFlags: options.noFlags === true ? undefined : item.bsdflags,
  };
}

/** The ids to give the file: those of the names on this machine, else the numbers. */
export function ownerOf(item: Item, numericIds: boolean): { uid: number; gid: number } {
  const { user, group } = item;
  const uid = numericIds || user === undefined || user === null ? undefined : nameToUid(user);
  const gid = numericIds || group === undefined || group === null ? undefined : nameToGid(group);
  return { uid: Math.max(uid ?? item.uid ?? 0, 0), gid: Math.max(gid ?? item.gid ?? 0, 0) };
}

function aclsOf({ aclAccess, aclDefault }: Item): Acls | undefined {
  if (aclAccess === undefined && aclDefault === undefined) return undefined;
  return {
    ...(aclAccess === undefined ? {} : { aclAccess }),
    ...(aclDefault === undefined ? {} : { aclDefault }),
  };
}
