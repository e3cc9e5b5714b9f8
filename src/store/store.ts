/**
 * Where a repository's files live. Paths are relative to the store's root, parts separated by `/`; '' is the root.
 *
 * The calls are synchronous: a segment log is many small appends and reads, a system call costs a microsecond or
 * two and a trip through a thread pool ten times that, and a put that never yields can't be interleaved with
 * another. What is far away (object storage) doesn't have files to append to and stands behind Repository instead.
 *
 * Errors carry the operating system's code: ENOENT, EEXIST, ENOTEMPTY, EACCES, ENOSPC and so on (see `hasCode`).
 *
 * What survives a power failure: a file's bytes after `sync()` on its handle; the names in a folder (created,
 * renamed, linked, removed) after `syncFolder()`. Anything else may be there in part, or not at all.
 */
export interface Store {
  /** For messages: the root's path. */
  readonly root: string;

  /** The folder's entries, in no order. */
  list(folder: string): StoreEntry[];
  /** Undefined where there is nothing. */
  stat(path: string): StoreStat | undefined;
  /** When the file was last written to, ns since 1970; undefined, or no such function, where nobody knows. */
  modifiedNs?(path: string): bigint | undefined;
  openFile(path: string): ReadHandle;
  /** Creates a file that must not exist. */
  createFile(path: string): WriteHandle;
  /** Appends to a file, which is created where it doesn't exist. Not synced. */
  appendFile(path: string, bytes: Uint8Array): void;
  /** Writes over the file's bytes in place, and syncs. */
  overwriteFile(path: string, bytes: Uint8Array): void;
  /** Makes a file's bytes durable that someone else may have written. */
  syncFile(path: string): void;
  createFolder(path: string): void;
  removeFolder(path: string): void;
  /** Removes a file; on a full file system it is truncated first where that helps and harms no other link. */
  removeFile(path: string): void;
  /** Replaces what is at `to`: a file by a file, an empty folder by a folder. Atomic. */
  rename(from: string, to: string): void;
  /** A second name for a file. */
  link(existing: string, path: string): void;
  syncFolder(path: string): void;
  /** Bytes that this user may still write; undefined where nobody knows. */
  freeSpaceBytes(): number | undefined;
}

export type EntryKind = 'file' | 'folder' | 'other';

export interface StoreEntry {
  readonly name: string;
  /** Of what a symlink points to; `other` where that is nothing. */
  readonly kind: EntryKind;
  readonly isLink: boolean;
}

export interface StoreStat {
  readonly kind: EntryKind;
  readonly sizeBytes: number;
  readonly linkCount: number;
}

export interface ReadHandle {
  /** The operating system's number for it, which other threads can read by; where it has one. */
  readonly fd?: number;
  /** Fills `into` from `position` on, as far as the file goes; returns how many bytes that were. */
  read(into: Uint8Array, position: number): number;
  /** The same while this thread does something else; where that is possible. The file must stay open meanwhile. */
  readLater?(into: Uint8Array, position: number): Promise<number>;
  sizeBytes(): number;
  close(): void;
}

export interface WriteHandle {
  /** Appends all parts, in one system call where possible. */
  write(...parts: Uint8Array[]): void;
  /** Makes the bytes durable, not the name. */
  sync(): void;
  close(): void;
}

/** What a store other than a real file system throws: an error of the shape that `node:fs` gives. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string;
  readonly syscall: string;
  readonly path: string;

  constructor(code: string, syscall: string, path: string) {
    super(`${code}: ${syscall} '${path}'`);
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }
}

/** Whether the error is one of the file system, with one of these codes (any, where none is given). */
export function hasCode(error: unknown, ...codes: string[]): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}

/**
 * The disk does not give what was written: the codes of bad sectors, and those of file systems that found a wrong
 * checksum.
 */
const READ_ERRORS = ['EIO', 'ENODATA', 'EBADMSG', 'EUCLEAN', 'EILSEQ', 'EREMOTEIO'];

/** Whether bytes that are there could not be read. */
export function isReadError(error: unknown): boolean {
  return hasCode(error, ...READ_ERRORS);
}
