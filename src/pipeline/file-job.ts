import type { Acls } from '../platform/acl.ts';
import type { At, FileStat } from '../platform/file-stat.ts';
import type { OsError } from '../platform/os-error.ts';
import type { Xattrs } from '../platform/xattr.ts';
import type { FileSection } from './file-section.ts';

/** A file to read. Whatever a job names must stay open until its result is there. */
export interface FileJob {
  /** Opened unless `fd` is given; names the file in errors either way. */
  readonly path: Uint8Array;
  /** Open this name in this folder rather than `path`. */
  readonly at?: At | undefined;
  /** Read this descriptor, from where it stands. */
  readonly fd?: number | undefined;
  /** What `fd` was found to be when it was opened; it is looked up where this is missing. */
  readonly opened?: Pick<FileStat, 'mode' | 'sizeBytes'> | undefined;
  /** The contents are this part of what `fd` gives, not all of it. */
  readonly section?: FileSection | undefined;
  /** Close `fd` at the end. */
  readonly closeFd?: boolean | undefined;
  /** What was found at the path: another type or inode when it is open makes the result an error. Not with `opened`. */
  readonly expected?: Pick<FileStat, 'mode' | 'ino'> | undefined;
  /** About how much there is to read, so that small files travel together. Not given where a read may have to wait. */
  readonly sizeHintBytes?: number | undefined;
  /** Open what a symlink leads to (--read-special). */
  readonly followSymlinks?: boolean | undefined;
  /** Read and cut the contents; else only stat and attributes. Default true. */
  readonly contents?: boolean | undefined;
  /** Don't read holes, where the chunker can do without. */
  readonly sparse?: boolean | undefined;
  /** Seal chunks that the index already has, too: for a second try where the index had lost one. */
  readonly sealAll?: boolean | undefined;
  /** Read extended attributes, ACLs and flags; each by its default false. */
  readonly xattrs?: boolean | undefined;
  readonly acls?: boolean | undefined;
  readonly numericIds?: boolean | undefined;
  readonly flags?: boolean | undefined;
}

/** A chunk of a file, in the file's order. */
export interface PipelineChunk {
  /** 32 bytes of memory of its own. */
  readonly id: Uint8Array;
  readonly sizeBytes: number;
  readonly kind: 'data' | 'alloc' | 'hole';
  /**
   * The envelope to store, absent where the index had the id already, or where this chunk was sealed a moment ago. Its
   * memory (shared between threads) is used again as soon as its taker is done with it.
   */
  readonly sealed?: Uint8Array;
}

/** Who waits for a file. */
export interface FileTaker {
  /** Takes the next chunk. The one after that comes when the promise is fulfilled, if there is one. */
  takeChunk(chunk: PipelineChunk): void | Promise<void>;
  /** The file was read, as far as it could be; nothing comes after this. */
  takeResult(result: FileResult): void;
  /** There will be no result, as `takeChunk` threw, or the pipeline is aborted, closed or broken. */
  fail(error: unknown): void;
}

/** What became of a file. With an error, the chunks delivered tell how far it came. */
export interface FileResult {
  /** Right after opening; absent where the job told what was opened. */
  readonly stat?: FileStat;
  /** After the last byte; absent where nothing was read. */
  readonly statAfter?: FileStat;
  /** Bytes read, holes included. */
  readonly sizeBytes: number;
  readonly xattrs?: Xattrs;
  /** Attributes that could not be read, in words. */
  readonly xattrWarnings?: readonly string[];
  readonly acls?: Acls;
  /** BSD flags; 0 where none are set. */
  readonly flags: number;
  readonly error?: FileError;
  /** So much of a section was not there any more; the chunks before it were delivered. */
  readonly missingBytes?: number;
}

export type FileError =
  /** A system call failed; `operation` says what for, in Borg's words: open, fstat, read, fstat2 … */
  | { readonly kind: 'os'; readonly operation: string; readonly cause: OsError }
  /** What was opened is not what was expected. */
  | { readonly kind: 'race'; readonly what: 'file type' | 'file inode' };
