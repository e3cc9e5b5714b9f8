/**
 * Chunks and results on their way from a worker. Everything small goes into three arrays that are transferred, not
 * copied; a large chunk is transferred in its own buffer.
 *
 * Rows of seven numbers:
 *
 * | type | 1 | 2 | 3 | 4 | 5 | 6 |
 * |---|---|---|---|---|---|---|
 * | chunk | job | size | kind | id's offset in slab | size sealed, -1: not sealed | number of large, -1: after the id |
 * | file | job | size | flags | number of stat, -1: none | number of stat after, -1 | number of extra, -1 |
 * | failure | job | | | | | number of extra |
 */
import type { Acls } from '../platform/acl.ts';
import { OsError } from '../platform/os-error.ts';
import type { Xattrs } from '../platform/xattr.ts';
import type { FileError, FileResult, PipelineChunk } from './file-job.ts';
import { STAT_WORDS, decodeStat, encodeStat } from './stat-words.ts';

export interface ResultMessage {
  readonly rows: Float64Array;
  readonly slab: Uint8Array;
  readonly large: readonly Uint8Array[];
  readonly stats: BigInt64Array;
  readonly extras: readonly Extra[];
  /** What to take off the worker's bytes in flight once all of it is dealt with. */
  readonly costBytes: number;
}

/** What few files have. */
interface Extra {
  readonly xattrs?: Xattrs | undefined;
  readonly xattrWarnings?: readonly string[] | undefined;
  readonly acls?: Acls | undefined;
  readonly race?: 'file type' | 'file inode' | undefined;
  readonly os?:
    | { operation: string; errno: number; syscall: string; path?: Uint8Array | string | undefined }
    | undefined;
  /** Not the file's fault; in words, since an error may hold what can't be sent. */
  readonly failure?: string | undefined;
}

export type ResultRow =
  | { readonly type: 'chunk'; readonly job: number; readonly chunk: PipelineChunk }
  | { readonly type: 'file'; readonly job: number; readonly result: FileResult }
  | { readonly type: 'failure'; readonly job: number; readonly reason: string };

const ROW_NUMBERS = 7;
const [CHUNK, FILE, FAILURE] = [0, 1, 2];
const KINDS = ['data', 'alloc', 'hole'] as const;
const ID_BYTES = 32;
/** Sealed chunks up to this size are copied together, larger ones are sent in their own buffer. */
const COPIED_BYTES = 2 ** 16;
const SLAB_BYTES = 2 ** 19;
/** What a row takes, roughly, at both ends. */
const ROW_COST_BYTES = 256;
const FULL_COST_BYTES = 2 ** 20;

/** Gathers rows until they are worth a message. */
export class ResultWriter {
  #rows: number[] = [];
  #large: Uint8Array<ArrayBuffer>[] = [];
  #stats: bigint[] = [];
  #extras: Extra[] = [];
  readonly #slab = new Uint8Array(SLAB_BYTES);
  #slabBytes = 0;
  #costBytes = 0;

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Time to send: take() before the next add. */
  get isFull(): boolean {
    return this.#costBytes >= FULL_COST_BYTES || this.#slabBytes > SLAB_BYTES - COPIED_BYTES - ID_BYTES;
  }

  addChunk(job: number, chunk: PipelineChunk): void {
    const offset = this.#slabBytes;
    this.#slab.set(chunk.id, offset);
    this.#slabBytes += ID_BYTES;
    const { sealed } = chunk;
    let large = -1;
    if (sealed !== undefined && sealed.length > COPIED_BYTES) {
      large = this.#large.push(ownBuffer(sealed)) - 1;
    } else if (sealed !== undefined) {
      this.#slab.set(sealed, this.#slabBytes);
      this.#slabBytes += sealed.length;
    }
    this.#row(CHUNK, job, chunk.sizeBytes, KINDS.indexOf(chunk.kind), offset, sealed?.length ?? -1, large);
    this.#costBytes += sealed?.length ?? 0;
  }

  addFile(job: number, result: FileResult): void {
    const stat = this.#addStat(result.stat);
    const same = result.statAfter !== undefined && result.stat !== undefined && sameTimes(result);
    const statAfter = same ? stat : this.#addStat(result.statAfter);
    const { xattrs, xattrWarnings, acls, error } = result;
    let extra = -1;
    if (xattrs ?? xattrWarnings ?? acls ?? error) {
      extra = this.#extras.push({ xattrs, xattrWarnings, acls, ...encodeError(error) }) - 1;
    }
    this.#row(FILE, job, result.sizeBytes, result.flags, stat, statAfter, extra);
  }

  addFailure(job: number, failure: string): void {
    this.#row(FAILURE, job, 0, 0, 0, 0, this.#extras.push({ failure }) - 1);
  }

  /** The message with all that was added, and what to transfer with it; the writer is empty then. */
  take(): { message: ResultMessage; transfer: ArrayBuffer[] } {
    const message = {
      rows: Float64Array.from(this.#rows),
      slab: this.#slab.slice(0, this.#slabBytes),
      large: this.#large,
      stats: BigInt64Array.from(this.#stats),
      extras: this.#extras,
      costBytes: this.#costBytes,
    };
    const transfer = [message.rows.buffer, message.slab.buffer, message.stats.buffer];
    for (const bytes of this.#large) transfer.push(bytes.buffer);
    this.#rows = [];
    this.#large = [];
    this.#stats = [];
    this.#extras = [];
    this.#slabBytes = 0;
    this.#costBytes = 0;
    return { message, transfer };
  }

  #row(...numbers: readonly number[]): void {
    this.#rows.push(...numbers);
    this.#costBytes += ROW_COST_BYTES;
  }

  #addStat(stat: FileResult['stat']): number {
    if (stat === undefined) return -1;
    return this.#stats.push(...encodeStat(stat)) / STAT_WORDS - 1;
  }
}

/** The rows of a message, in order. */
export function* resultRows(message: ResultMessage): Generator<ResultRow> {
  const { rows } = message;
  for (let at = 0; at < rows.length; at += ROW_NUMBERS) {
    const [type, job, ...values] = rows.subarray(at, at + ROW_NUMBERS) as unknown as RowNumbers;
    if (type === CHUNK) yield { type: 'chunk', job, chunk: readChunk(message, values) };
    else if (type === FILE) yield { type: 'file', job, result: readFileResult(message, values) };
    else yield { type: 'failure', job, reason: message.extras[values[4]]?.failure ?? '' };
  }
}

type Values = [number, number, number, number, number];
type RowNumbers = [number, number, ...Values];

function readChunk(message: ResultMessage, values: Values): PipelineChunk {
  const [sizeBytes, kindNumber, offset, sealedSize, large] = values;
  const kind = KINDS[kindNumber] ?? 'data';
  const idEnd = offset + ID_BYTES;
  // A copy: ids are kept long after the slab could go.
  const id = message.slab.slice(offset, idEnd);
  if (sealedSize < 0) return { id, sizeBytes, kind };
  const sealed = message.large[large] ?? message.slab.subarray(idEnd, idEnd + sealedSize);
  return { id, sizeBytes, kind, sealed };
}

function readFileResult(message: ResultMessage, values: Values): FileResult {
  const [sizeBytes, flags, statNumber, statAfterNumber, extraNumber] = values;
  const stat = statNumber < 0 ? undefined : decodeStat(message.stats, statNumber);
  const statAfter =
    statAfterNumber === statNumber || statAfterNumber < 0
      ? undefined
      : decodeStat(message.stats, statAfterNumber);
  const extra = message.extras[extraNumber];
  const error = decodeError(extra);
  return {
    sizeBytes,
    flags,
    ...(stat && { stat }),
    ...(statAfterNumber >= 0 && (statAfter ?? stat) && { statAfter: statAfter ?? stat! }),
    ...(extra?.xattrs && { xattrs: extra.xattrs }),
    ...(extra?.xattrWarnings && { xattrWarnings: extra.xattrWarnings }),
    ...(extra?.acls && { acls: extra.acls }),
    ...(error && { error }),
  };
}

/** Nothing that anyone compares differs; the access time may. */
function sameTimes({ stat, statAfter }: FileResult): boolean {
  return (
    stat?.ctimeNs === statAfter?.ctimeNs &&
    stat?.mtimeNs === statAfter?.mtimeNs &&
    stat?.sizeBytes === statAfter?.sizeBytes &&
    stat?.atimeNs === statAfter?.atimeNs
  );
}

function encodeError(error: FileError | undefined): Pick<Extra, 'race' | 'os'> {
  if (error === undefined) return {};
  if (error.kind === 'race') return { race: error.what };
  const { errno, syscall, path } = error.cause;
  return { os: { operation: error.operation, errno: -errno, syscall, path } };
}

function decodeError(extra: Extra | undefined): FileError | undefined {
  if (extra?.race !== undefined) return { kind: 'race', what: extra.race };
  if (extra?.os === undefined) return undefined;
  const { operation, errno, syscall, path } = extra.os;
  return { kind: 'os', operation, cause: new OsError(errno, syscall, path) };
}

/** The bytes in a buffer that holds nothing else, so that it can be transferred. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) {
    return bytes as Uint8Array<ArrayBuffer>;
  }
  return new Uint8Array(bytes);
}
