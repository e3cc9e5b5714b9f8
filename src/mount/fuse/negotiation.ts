/**
 * What is agreed on at the start.
 *
 * Source: Linux, fs/fuse/inode.c, process_init_reply.
 */
import { GeneralError } from '../../errors.ts';
import { FUSE_MAJOR, FUSE_MINOR, INIT_FLAG, OLDEST_MINOR } from './protocol.ts';
import type { InitReply } from './reply.ts';
import type { InitRequest } from './request.ts';

const PAGE_BYTES = 4096;
const MAX_BACKGROUND = 32;

const WANTED =
  INIT_FLAG.ASYNC_READ |
  INIT_FLAG.EXPORT_SUPPORT |
  INIT_FLAG.DO_READDIRPLUS |
  INIT_FLAG.PARALLEL_DIROPS |
  INIT_FLAG.MAX_PAGES |
  INIT_FLAG.CACHE_SYMLINKS |
  INIT_FLAG.NO_OPENDIR_SUPPORT;

/** What a read asks for at most. */
const MAX_READ_BYTES = 2 ** 20;
/** The kernel sends a request of at most this size, and its header: nothing is written, so it is the smallest there is. */
export const MAX_WRITE_BYTES = PAGE_BYTES;

/** Throws where the kernel's protocol is too old. A newer major version is told ours, and asks again. */
export function negotiate(
  { major, minor, maxReadaheadBytes, flags }: InitRequest,
  { heedsAcls }: { readonly heedsAcls: boolean },
): InitReply {
  if (major < FUSE_MAJOR || (major === FUSE_MAJOR && minor < OLDEST_MINOR)) {
    throw new GeneralError([
      `the kernel's FUSE ${major}.${minor} is too old: it takes ${FUSE_MAJOR}.${OLDEST_MINOR}`,
    ]);
  }
  return {
    major: FUSE_MAJOR,
    minor: major > FUSE_MAJOR ? FUSE_MINOR : Math.min(minor, FUSE_MINOR),
    // The kernel takes the smaller of this and what is set for the mount by now.
    maxReadaheadBytes: Math.max(maxReadaheadBytes, MAX_READ_BYTES),
    flags: flags & (WANTED | (heedsAcls ? INIT_FLAG.POSIX_ACL : 0)),
    maxBackground: MAX_BACKGROUND,
    maxWriteBytes: MAX_WRITE_BYTES,
    maxPages: MAX_READ_BYTES / PAGE_BYTES,
  };
}
