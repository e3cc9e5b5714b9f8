/**
 * Whether a file's list of extended attributes names its ACLs, too, so that nobody has to ask for those of a file whose
 * list has none. That is up to each file system; it is relied on only where the kernel's source shows it.
 *
 * Sources: linux/magic.h; the kernel's fs/ext4/xattr.c, fs/xfs/xfs_xattr.c, fs/btrfs/xattr.c, fs/xattr.c
 * (simple_xattr_list, for tmpfs).
 */
import { type FileStat, isDirectory } from './file-stat.ts';
import { cFunction } from './libc.ts';
import { isLinux } from './linux.ts';

/** f_type of statfs(2): of ext2, ext3 and ext4, XFS, Btrfs, tmpfs. */
const LISTING_ACLS = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);

const fstatfs = cFunction<[number, Uint32Array]>('int fstatfs(int fd, void *result)');
// Its size is 120 bytes at most. The type is a long, of which the lower half comes first, or an int.
const result = new Uint32Array(64);

let lastDevice: bigint | undefined;
let lastAnswer = false;

/**
 * Of an open file. The answer for a device is kept until another one is asked for, except for folders: what is in a folder
 * that is open can't be on another file system of the same number.
 */
export function listsAcls(fd: number, { dev }: Pick<FileStat, 'dev'>, isFolder: boolean): boolean {
  if (isFolder || dev !== lastDevice) {
    lastAnswer = isLinux && fstatfs(fd, result) === 0 && LISTING_ACLS.has(result[0]!);
    lastDevice = dev;
  }
  return lastAnswer;
}

/** For who asks of no folders: to be called when it begins with other files, all of which are open by then. */
export function forgetDevice(): void {
  lastDevice = undefined;
}

/**
 * Whether the names of an open file's extended attributes show that it has no ACLs: then nobody needs to ask.
 * `namesAcls` as readXattrs() gives it, undefined where there are no names.
 */
export function showsNoAcls(
  fd: number,
  stat: Pick<FileStat, 'dev' | 'mode'>,
  namesAcls: boolean | undefined,
): boolean {
  return namesAcls === false && listsAcls(fd, stat, isDirectory(stat.mode));
}
