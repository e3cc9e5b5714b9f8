/**
 * The reply to READDIR, and to READDIRPLUS, where each entry follows the 128 bytes of a reply to LOOKUP.
 *
 * | offset | size    | field   |                                                             |
 * | ------ | ------- | ------- | ----------------------------------------------------------- |
 * | 0      | 8       | ino     |                                                             |
 * | 8      | 8       | off     | where the next entry is, for the next request               |
 * | 16     | 4       | namelen |                                                             |
 * | 20     | 4       | type    | the mode, shifted by 12                                     |
 * | 24     | namelen | name    | then zeros, up to a multiple of 8 bytes                     |
 *
 * Source: Linux, include/uapi/linux/fuse.h, fuse_dirent, fuse_direntplus.
 */
import { littleEndian } from '../../platform/linux.ts';
import type { VfsAttributes } from '../vfs.ts';
import { setInteger64 } from './integer64.ts';
import { writeEntry } from './reply.ts';

const DIRENT_BYTES = 24;
const ENTRY_BYTES = 128;

export interface ListedEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  /** The file type's bits of the mode. */
  readonly type: number;
  /** Stands for the place behind it. */
  readonly offset: number;
}

/** What an entry takes. */
export function listedBytes({ name }: { readonly name: Uint8Array }, withAttributes: boolean): number {
  return (withAttributes ? ENTRY_BYTES : 0) + ((DIRENT_BYTES + name.length + 7) & ~7);
}

/** `attributes`: of each entry, undefined for those that the kernel shall look up itself; without: plain READDIR. */
export function encodeListing(
  entries: readonly ListedEntry[],
  attributes?: readonly (VfsAttributes | undefined)[],
): Uint8Array {
  const plus = attributes !== undefined;
  const body = new Uint8Array(entries.reduce((sum, entry) => sum + listedBytes(entry, plus), 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const [index, entry] of entries.entries()) {
    const end = at + listedBytes(entry, plus);
    if (plus) {
      writeEntry(view, at, attributes[index]);
      at += ENTRY_BYTES;
    }
    setInteger64(view, at, entry.inode);
    setInteger64(view, at + 8, entry.offset);
    view.setUint32(at + 16, entry.name.length, littleEndian);
    view.setUint32(at + 20, entry.type >>> 12, littleEndian);
    body.set(entry.name, at + DIRENT_BYTES);
    at = end;
  }
  return body;
}
