/**
 * Numbers of Linux's interface to programs that neither Node nor C's prototypes give. They are the same on all
 * architectures that Node runs on, save for the inode flag requests, which hold the size of a C long.
 *
 * Sources: linux/fcntl.h, linux/stat.h, linux/fs.h, linux/posix_acl_xattr.h.
 */
import { endianness } from 'node:os';

export const isLinux: boolean = process.platform === 'linux';
export const littleEndian: boolean = endianness() === 'LE';

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;

export const O_CLOEXEC = 0o2000000;

/** All that stat() gives. */
export const STATX_BASIC_STATS = 0x7ff;

/** Inode flags that archives keep: immutable, append, nodump. statx(2) has the same numbers for them. */
export const ARCHIVED_INODE_FLAGS = 0x70;

export const FS_IOC_GETFLAGS = 0x80086601n;
export const FS_IOC_SETFLAGS = 0x40086602n;

/** Where struct statx (256 bytes) has what; a time is int64 seconds and uint32 ns, attributes are uint64. */
export const statxOffset = {
  attributes: 8,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  ino: 32,
  size: 40,
  blocks: 48,
  attributesMask: 56,
  atime: 64,
  ctime: 96,
  mtime: 112,
  rdevMajor: 128,
  rdevMinor: 132,
  devMajor: 136,
  devMinor: 140,
} as const;
export const STATX_SIZE_BYTES = 256;

/** A device number as stat() gives it and archives keep it. */
export function makeDevice(major: number, minor: number): bigint {
  const low = BigInt((minor & 0xff) | ((major & 0xfff) << 8)) & 0xfffffn;
  const high = (BigInt(minor >>> 8) << 20n) | (BigInt(major >>> 12) << 44n);
  return low | high;
}

/** What a device number consists of. */
export function deviceNumbers(device: bigint): { readonly major: number; readonly minor: number } {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
