/**
 * What is to be written to a file, on its way to a thread, and what became of it, on the way back. Both travel in a batch
 * of objects (open-batch.ts): the contents are the next objects of it.
 */
import type { At } from '../platform/file-stat.ts';
import type { FileAttributes } from '../platform/file-attributes.ts';
import { OsError } from '../platform/os-error.ts';

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

/**
 * Many writes, in few arrays: several times cheaper to send than an object each. Paths and names, which have no zero bytes,
 * one after the other, each with a zero behind it.
 *
 * | number | new file | part |
 * |---|---|---|
 * | 0 | objects | objects |
 * | 1 | 1 if sparse | 1 if sparse |
 * | 2 | the folder's descriptor | the file's descriptor |
 * | 3 | -1 | offset, bytes |
 * | 4 … 6 | uid, gid, mode | |
 * | 7 | BSD flags, -1: to be left as they are | |
 */
export interface EncodedWrites {
  readonly texts: Uint8Array;
  readonly numbers: Float64Array;
  /** atime and mtime of each. */
  readonly timesNs: BigInt64Array;
  /** What few files have. */
  readonly extras: ReadonlyMap<number, Extras>;
}

/** Times are here where they are none of int64: after the year 2262, or before 1677. */
type Extras = Partial<Pick<FileAttributes, 'acls' | 'xattrs' | 'numericIds' | 'atimeNs' | 'mtimeNs'>>;

const NUMBERS = 8;
const NEW_FILE = -1;
const NO_FLAGS = -1;
const NO_NAME = new Uint8Array(0);

export function encodeWrites(writes: readonly FileWrite[]): EncodedWrites {
  const numbers = new Float64Array(writes.length * NUMBERS);
  const timesNs = new BigInt64Array(writes.length * 2);
  const extras = new Map<number, Extras>();
  for (let index = 0; index < writes.length; index++) {
    const { objectCount, sparse, target } = writes[index]!;
    const isNew = 'at' in target;
    const at = index * NUMBERS;
    numbers[at] = objectCount;
    numbers[at + 1] = sparse ? 1 : 0;
    numbers[at + 2] = isNew ? target.at.directoryFd : target.fd;
    numbers[at + 3] = isNew ? NEW_FILE : target.offsetBytes;
    if (!isNew) continue;
    const { uid, gid, mode, atimeNs, mtimeNs, bsdFlags, acls, xattrs, numericIds } = target.attributes;
    numbers[at + 4] = uid;
    numbers[at + 5] = gid;
    numbers[at + 6] = mode;
    numbers[at + 7] = bsdFlags ?? NO_FLAGS;
    timesNs[2 * index] = atimeNs;
    timesNs[2 * index + 1] = mtimeNs;
    const hasMore = acls !== undefined || xattrs !== undefined;
    const times = isInt64(atimeNs) && isInt64(mtimeNs) ? undefined : { atimeNs, mtimeNs };
    if (hasMore || times !== undefined) extras.set(index, { acls, xattrs, numericIds, ...times });
  }
  return { texts: joinTexts(writes), numbers, timesNs, extras };
}

function joinTexts(writes: readonly FileWrite[]): Uint8Array {
  let length = 0;
  for (const { path, target } of writes) length += path.length + nameOf(target).length + 2;
  const texts = new Uint8Array(length);
  let at = 0;
  for (const { path, target } of writes) {
    const name = nameOf(target);
    texts.set(path, at);
    texts.set(name, at + path.length + 1);
    at += path.length + name.length + 2;
  }
  return texts;
}

function nameOf(target: FileWrite['target']): Uint8Array {
  return 'at' in target ? target.at.name : NO_NAME;
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

export function* decodeWrites({ texts, numbers, timesNs, extras }: EncodedWrites): Generator<FileWrite> {
  let textAt = 0;
  const nextText = (): Uint8Array => {
    const end = texts.indexOf(0, textAt);
    const text = texts.subarray(textAt, end);
    textAt = end + 1;
    return text;
  };
  for (let index = 0; index * NUMBERS < numbers.length; index++) {
    const number = (column: number): number => numbers[index * NUMBERS + column]!;
    const [path, name] = [nextText(), nextText()];
    const [fd, offsetBytes, bsdFlags] = [number(2), number(3), number(7)];
    const attributes: FileAttributes = {
      uid: number(4),
      gid: number(5),
      mode: number(6),
      bsdFlags: bsdFlags === NO_FLAGS ? undefined : bsdFlags,
      atimeNs: timesNs[2 * index]!,
      mtimeNs: timesNs[2 * index + 1]!,
      ...extras.get(index),
    };
    const target =
      offsetBytes === NEW_FILE ? { at: { directoryFd: fd, name }, attributes } : { fd, offsetBytes };
    yield { path, objectCount: number(0), sparse: number(1) === 1, target };
  }
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
  const sizesBytes = new Float64Array(outcomes.length);
  for (let index = 0; index < outcomes.length; index++) {
    const { sizeBytes, isDamaged, warnings, error } = outcomes[index]!;
    sizesBytes[index] = sizeBytes;
    if (!isDamaged && warnings.length === 0 && error === undefined) continue;
    const { errno, syscall, path } = error?.cause ?? {};
    const os = error && { operation: error.operation, errno: -errno!, syscall: syscall!, path };
    extras.set(index, { isDamaged, warnings, ...(os && { os }) });
  }
  return { sizesBytes, extras };
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
