/**
 * What is to be written to a file, on its way to a thread, and what became of it, on the way back. Both travel in a batch
 * of objects (open-batch.ts): the contents are the next objects of it.
 *
 * Writes travel as tuples of primitives: several times cheaper to send than objects with bytes.
 */
import type { At } from '../platform/file-stat.ts';
import type { FileAttributes } from '../platform/file-attributes.ts';
import { OsError } from '../platform/os-error.ts';
import { fromBinaryString, toBinaryString } from '../util/bytes.ts';

/** A new file as a whole, or a part of one that is open. */
export interface FileWrite {
  /** For messages. */
  readonly path: Uint8Array;
  /** So many of the batch's objects. */
  readonly objectCount: number;
  /** Leave holes for objects that are all zeros. */
  readonly sparse: boolean;
  readonly target:
    | {
        /** Made anew, in the place of what is there; the folder must stay open. Closed at the end. */
        readonly at: At;
        readonly attributes: FileAttributes;
      }
    | {
        /** Open for writing, and left open. */
        readonly fd: number;
        readonly offsetBytes: number;
      };
}

export interface FileOutcome {
  /** Bytes of contents that were written, holes included; 0 where not all could be. */
  readonly sizeBytes: number;
  /** An object did not open: the contents end before it, and the file got no attributes. */
  readonly isDamaged: boolean;
  /** Extended attributes that could not be set, in words. */
  readonly warnings: readonly string[];
  /** A system call failed, and all that should come after it was left; `operation` says what for. */
  readonly error?: { readonly operation: string; readonly cause: OsError } | undefined;
}

type Extras = Pick<FileAttributes, 'acls' | 'xattrs' | 'numericIds'>;

/** Of a part of an open file, the words from the name on are left out. */
export type WriteTuple = readonly [
  path: string,
  objectCount: number,
  sparse: boolean,
  fd: number,
  offsetBytes: number,
  name?: string,
  uid?: number,
  gid?: number,
  mode?: number,
  atimeNs?: bigint,
  mtimeNs?: bigint,
  bsdFlags?: number | undefined,
  extras?: Extras | undefined,
];

export function encodeWrite({ path, objectCount, sparse, target }: FileWrite): WriteTuple {
  const shown = toBinaryString(path);
  if ('fd' in target) return [shown, objectCount, sparse, target.fd, target.offsetBytes];
  const { at, attributes } = target;
  const { uid, gid, mode, atimeNs, mtimeNs, bsdFlags, acls, xattrs, numericIds } = attributes;
  return [
    shown,
    objectCount,
    sparse,
    at.directoryFd,
    0,
    toBinaryString(at.name),
    uid,
    gid,
    mode,
    atimeNs,
    mtimeNs,
    bsdFlags,
    acls === undefined && xattrs === undefined ? undefined : { acls, xattrs, numericIds },
  ];
}

export function* decodeWrites(tuples: readonly WriteTuple[]): Generator<FileWrite> {
  for (const tuple of tuples) yield decodeWrite(tuple);
}

export function decodeWrite(tuple: WriteTuple): FileWrite {
  const [path, objectCount, sparse, fd, offsetBytes, name, uid = 0, gid = 0, mode = 0] = tuple;
  const [, , , , , , , , , atimeNs = 0n, mtimeNs = 0n, bsdFlags, extras] = tuple;
  const target =
    name === undefined
      ? { fd, offsetBytes }
      : {
          at: { directoryFd: fd, name: fromBinaryString(name) },
          attributes: { uid, gid, mode, atimeNs, mtimeNs, bsdFlags, ...extras },
        };
  return { path: fromBinaryString(path), objectCount, sparse, target };
}

/** Outcomes of all of a batch's writes. */
export interface EncodedOutcomes {
  readonly sizesBytes: Float64Array;
  /** What few files have. */
  readonly extras: ReadonlyMap<number, OutcomeExtra>;
}

interface OutcomeExtra {
  readonly isDamaged: boolean;
  readonly warnings: readonly string[];
  readonly os?: { operation: string; errno: number; syscall: string; path?: Uint8Array | string | undefined };
}

export function encodeOutcomes(outcomes: readonly FileOutcome[]): EncodedOutcomes {
  const extras = new Map<number, OutcomeExtra>();
  for (const [index, { isDamaged, warnings, error }] of outcomes.entries()) {
    if (!isDamaged && warnings.length === 0 && error === undefined) continue;
    const { errno, syscall, path } = error?.cause ?? {};
    const os = error && { operation: error.operation, errno: -errno!, syscall: syscall!, path };
    extras.set(index, { isDamaged, warnings, ...(os && { os }) });
  }
  return { sizesBytes: Float64Array.from(outcomes, ({ sizeBytes }) => sizeBytes), extras };
}

const NO_WARNINGS: readonly string[] = [];

export function decodeOutcomes({ sizesBytes, extras }: EncodedOutcomes): FileOutcome[] {
  return Array.from(sizesBytes, (sizeBytes, index) => {
    const extra = extras.get(index);
    if (extra === undefined) return { sizeBytes, isDamaged: false, warnings: NO_WARNINGS };
    const { isDamaged, warnings, os } = extra;
    const error = os && { operation: os.operation, cause: new OsError(os.errno, os.syscall, os.path) };
    return { sizeBytes, isDamaged, warnings, error };
  });
}
