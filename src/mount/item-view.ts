/**
 * An item as a file system shows it.
 *
 * Source: Borg 1.4.5, fuse.py, _getattr, getxattr, listxattr; archive.py, get_item_uid_gid; item.pyx, Item.get_size.
 */
import type { PackedItem } from '../format/packed-item.ts';
import { ACCESS_ACL, BASE_ACL_BYTES, DEFAULT_ACL, packAcl } from '../platform/acl.ts';
import { isDirectory, isSymlink } from '../platform/file-stat.ts';
import { nameToGid, nameToUid } from '../platform/users.ts';
import type { VfsAttributes } from './vfs.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface ViewOptions {
  /** Take numeric ids only, not the ids that the names have here. */
  readonly numericIds?: boolean | undefined;
  /** In place of every owner, and every group. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Taken away from every mode. Default 0. */
  readonly umask?: number | undefined;
  /** Of what no archive says anything of, and of what it gives a negative id. */
  readonly defaultOwner: Owner;
}

/** What the tree knows of the node. */
export interface NodeFacts {
  readonly inode: number;
  readonly mode: number;
  readonly nlink: number;
}

/** `contents`: the item with the node's chunks, where that is another one. */
export function itemAttributes(
  item: PackedItem,
  facts: NodeFacts,
  options: ViewOptions,
  contentsBytes?: number,
): VfsAttributes {
  const mtimeNs = item.timeNs('mtime') ?? 0n;
  return {
    inode: facts.inode,
    mode: facts.mode & ~(options.umask ?? 0),
    nlink: facts.nlink,
    uid: options.uid ?? idOf(item, 'uid', options),
    gid: options.gid ?? idOf(item, 'gid', options),
    rdev: item.integer('rdev') ?? 0,
    sizeBytes: contentsBytes ?? sizeOf(item, facts.mode),
    atimeNs: item.timeNs('atime') ?? mtimeNs,
    mtimeNs,
    ctimeNs: item.timeNs('ctime') ?? mtimeNs,
    birthtimeNs: item.timeNs('birthtime') ?? mtimeNs,
  };
}

/** Of a directory that no item is about. */
export function defaultAttributes(facts: NodeFacts, mtimeNs: bigint, options: ViewOptions): VfsAttributes {
  return {
    inode: facts.inode,
    mode: facts.mode & ~(options.umask ?? 0),
    nlink: facts.nlink,
    uid: options.uid ?? options.defaultOwner.uid,
    gid: options.gid ?? options.defaultOwner.gid,
    rdev: 0,
    sizeBytes: 0,
    atimeNs: mtimeNs,
    mtimeNs,
    ctimeNs: mtimeNs,
    birthtimeNs: mtimeNs,
  };
}

/** The size of a file's contents, or of a link's target. */
export function sizeOf(item: PackedItem, mode: number): number {
  const size = item.integer('size');
  if (size !== undefined) return Math.max(size, 0);
  if (isSymlink(mode)) return item.has('source') ? item.lengthOf('source') : 0;
  return item.chunksBytes();
}

/** Values by name, as binary strings. Borg's mount does not show ACLs; here they are as the system shows its own. */
export function itemXattrs(item: PackedItem, mode: number, options: ViewOptions): Map<string, Uint8Array> {
  const xattrs = item.rawMap('xattrs');
  const numericIds = options.numericIds ?? false;
  const add = (name: string, text: Uint8Array | undefined, fromBytes: number): void => {
    const value = text === undefined || text.length === 0 ? undefined : packAcl(text, { numericIds });
    if (value !== undefined && value.length >= fromBytes && !xattrs.has(name)) xattrs.set(name, value);
  };
  // One that says no more than the mode is kept nowhere.
  add(ACCESS_ACL, item.raw('acl_access'), BASE_ACL_BYTES + 1);
  if (isDirectory(mode)) add(DEFAULT_ACL, item.raw('acl_default'), BASE_ACL_BYTES);
  return xattrs;
}

function idOf(item: PackedItem, key: 'uid' | 'gid', { numericIds, defaultOwner }: ViewOptions): number {
  const name = numericIds === true ? undefined : item.raw(key === 'uid' ? 'user' : 'group');
  const named = name && (key === 'uid' ? nameToUid(name) : nameToGid(name));
  const id = named ?? item.integer(key) ?? 0;
  return id < 0 ? defaultOwner[key] : id;
}
