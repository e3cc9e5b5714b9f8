/**
 * Numbers of the kernel's FUSE protocol, version 7.
 *
 * Source: Linux, include/uapi/linux/fuse.h (kernel 6.12).
 */

export const FUSE_MAJOR = 7;
/** The newest that we know. */
export const FUSE_MINOR = 40;
/** Linux 3.15: the oldest with INIT replies of 64 bytes, times in ns and entries with attributes. */
export const OLDEST_MINOR = 23;

export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  TMPFILE: 51,
  STATX: 52,
} as const;

/** What an INIT may agree on: those that a tree without changes gains from. */
export const INIT_FLAG = {
  /** Several reads of a file at once. */
  ASYNC_READ: 1 << 0,
  /** Inodes may be asked for by number, as a server of NFS does. */
  EXPORT_SUPPORT: 1 << 4,
  /**
   * Directories with attributes, always: what lists a directory and then looks at all that is in it would ask for each alone
   * if the kernel were to find out (READDIRPLUS_AUTO), since it lists first.
   */
  DO_READDIRPLUS: 1 << 13,
  /** Look-ups and listings in one directory at once. */
  PARALLEL_DIROPS: 1 << 18,
  /** The kernel heeds ACLs. */
  POSIX_ACL: 1 << 20,
  /** Reads of more than 128 KiB. */
  MAX_PAGES: 1 << 22,
  /** Targets of symbolic links stay in the cache. */
  CACHE_SYMLINKS: 1 << 23,
  /** ENOSYS to OPENDIR: no more of them, and listings stay in the cache. */
  NO_OPENDIR_SUPPORT: 1 << 24,
} as const;

/** What a reply to OPEN says of the file. */
export const OPEN_FLAG = {
  /** What the cache has of it is right still. */
  KEEP_CACHE: 1 << 1,
  /** No FLUSH when it is closed. */
  NOFLUSH: 1 << 5,
} as const;

const WRITES: ReadonlySet<number> = new Set([
  OPCODE.SETATTR,
  OPCODE.SYMLINK,
  OPCODE.MKNOD,
  OPCODE.MKDIR,
  OPCODE.UNLINK,
  OPCODE.RMDIR,
  OPCODE.RENAME,
  OPCODE.LINK,
  OPCODE.WRITE,
  OPCODE.SETXATTR,
  OPCODE.REMOVEXATTR,
  OPCODE.CREATE,
  OPCODE.FALLOCATE,
  OPCODE.RENAME2,
  OPCODE.COPY_FILE_RANGE,
  OPCODE.TMPFILE,
]);

/** Whether the request would change something. */
export function isWrite(opcode: number): boolean {
  return WRITES.has(opcode);
}
