/** A part of a directory, as much as the kernel has room for. */
import type { Soon, Vfs, VfsAttributes } from '../vfs.ts';
import { encodeListing, listedBytes, type ListedEntry } from './directory-listing.ts';
import type { ReadRequest } from './request.ts';

const DIRECTORY_TYPE = 0o040000;
const DOTS = [Uint8Array.of(0x2e), Uint8Array.of(0x2e, 0x2e)];

/** `.` and `..` are the first two entries, so the cookies of the tree stand two behind theirs. */
export function readDirectory(
  vfs: Vfs,
  directory: number,
  { offset, sizeBytes }: ReadRequest,
  withAttributes: boolean,
): Soon<readonly Uint8Array[]> {
  const entries: ListedEntry[] = [];
  let left = sizeBytes;
  const take = (entry: ListedEntry) => {
    left -= listedBytes(entry, withAttributes);
    if (left >= 0) entries.push(entry);
    return left >= 0;
  };
  let dot = offset;
  for (; dot < DOTS.length; dot++) {
    const inode = dot === 0 ? directory : vfs.parent(directory);
    if (!take({ name: DOTS[dot]!, inode, type: DIRECTORY_TYPE, offset: dot + 1 })) break;
  }
  const dots = entries.length;
  const visited =
    dot < DOTS.length
      ? undefined
      : vfs.entries(directory, Math.max(offset - DOTS.length, 0), ({ name, inode, type, cookie }) =>
          take({ name, inode, type, offset: cookie + DOTS.length }),
        );
  const encode = (): Soon<readonly Uint8Array[]> => {
    if (!withAttributes) return [encodeListing(entries)];
    const attributes = entries.map(({ inode }, index) => (index < dots ? undefined : vfs.attributes(inode)));
    if (!attributes.some((each) => each instanceof Promise)) {
      return [encodeListing(entries, attributes as (VfsAttributes | undefined)[])];
    }
    return Promise.all(attributes.map((each) => Promise.resolve(each))).then((all) => [
      encodeListing(entries, all),
    ]);
  };
  return visited instanceof Promise ? visited.then(encode) : encode();
}
