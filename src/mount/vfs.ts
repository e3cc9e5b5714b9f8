/**
 * A tree of files that can only be read: what a file system or a server shows of archives. An inode is a number from 1
 * (the root) to 2^53; it means the same node as long as the tree is open.
 *
 * Most answers are in memory already, and are given at once; what must be fetched from the repository comes as a
 * promise. `await` takes either.
 */

export type Soon<T> = T | Promise<T>;

export const ROOT_INODE = 1;

export interface VfsAttributes {
  readonly inode: number;
  /** With the file type. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number as in a `struct stat` of Linux; 0 where it is no device. */
  readonly rdev: number;
  readonly sizeBytes: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** That of the last change where the archive has none. */
  readonly birthtimeNs: bigint;
}

export interface VfsEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  /** The file type's bits of the mode. */
  readonly type: number;
  /** From 1; stands for the place behind this entry, as long as the tree is open. */
  readonly cookie: number;
}

export interface VfsStatistics {
  readonly blockSizeBytes: number;
  readonly blocks: number;
  readonly files: number;
  readonly maxNameBytes: number;
}

/** Gets the parts of what was read, one after the other; good until it returns, and not to be written to. */
export type TakeParts = (parts: readonly Uint8Array[]) => void;

/** A file that is open for reading. */
export interface VfsFile {
  readonly sizeBytes: number;
  /**
   * Fewer bytes than `lengthBytes` only at the end. Throws a VfsError: EIO where a chunk is lost, damaged or out of reach
   * (there is a line in the log then), and the signal's reason. Reads may run at the same time.
   */
  read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Soon<Uint8Array>;
  /** The same without a copy: calls `take` once, before it returns or settles, where it does not throw. */
  readParts(offsetBytes: number, lengthBytes: number, take: TakeParts, signal?: AbortSignal): Soon<void>;
  close(): void;
}

/**
 * All throw (or reject with) a VfsError: ESTALE for an inode that does not exist, EIO where the repository can't be read
 * or is damaged; it may work at the next try.
 */
export interface Vfs extends AsyncDisposable {
  /**
   * Whether any node has a time of birth of its own. Of a directory of archives, which it loads when they are entered,
   * always false: nobody knows.
   */
  readonly hasBirthtimes: boolean;
  /** The inode of a name in a directory; 0 where there is none. `.` and `..` too. ENOTDIR. */
  lookup(directory: number, name: Uint8Array): Soon<number>;
  /** The directory that holds it (one of those, for a file with several names); the root's is the root. */
  parent(inode: number): number;
  attributes(inode: number): Soon<VfsAttributes>;
  /**
   * Calls `visit` for each entry behind `after` (a cookie; 0: from the start), without `.` and `..`, until it gives
   * false. It is called before this returns or settles. ENOTDIR.
   */
  entries(directory: number, after: number, visit: (entry: VfsEntry) => boolean): Soon<void>;
  /** A symbolic link's target. EINVAL for anything else. */
  readLink(inode: number): Soon<Uint8Array>;
  /** Values by name, ACLs as the kernel has them (`system.posix_acl_access`) among them; names are binary strings. */
  xattrs(inode: number): Soon<ReadonlyMap<string, Uint8Array>>;
  /** EISDIR for a directory, EINVAL for what is no regular file, EIO for a file that is known to be damaged. */
  open(inode: number): Soon<VfsFile>;
  statistics(): VfsStatistics;
  /** Where it is below the root, without a leading slash; for messages. */
  path(inode: number): Uint8Array;
  /** Ends threads and reads under way, and closes the repository. */
  close(): Promise<void>;
}

export type VfsErrorCode = 'EINVAL' | 'EIO' | 'EISDIR' | 'ENOTDIR' | 'ESTALE';

/** What the system is told of a failed call; `code` is the symbolic name of its errno. */
export class VfsError extends Error {
  override readonly name = 'VfsError';
  readonly code: VfsErrorCode;

  constructor(code: VfsErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
