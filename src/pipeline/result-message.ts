/**
 * Chunks and results on their way from a worker. Ids and envelopes lie in the worker's ring; the rest is in two arrays
 * that are transferred, and in objects where a file has something unusual.
 *
 * Rows of seven numbers:
 *
 * | type | 1 | 2 | 3 | 4 | 5 | 6 |
 * |---|---|---|---|---|---|---|
 * | chunk | job | size | kind | id's offset in the ring, -1: in its own buffer | size sealed, -1: not sealed | number of that buffer |
 * | file | job | size | flags | number of stat, -1: none | number of stat after, -1 | number of extra, -1 |
 * | failure | job | | | | | number of extra |
 */
import type { Acls } from '../platform/acl.ts';
import { OsError } from '../platform/os-error.ts';
import type { Xattrs } from '../platform/xattr.ts';
import type { FileError, FileResult, PipelineChunk } from './file-job.ts';
import type { RingPlace } from './ring.ts';
import { STAT_WORDS, decodeStat, encodeStat } from './stat-words.ts';

export interface ResultMessage {
  readonly rows: Float64Array;
  /** An id and an envelope too large for the ring, each. */
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
  readonly missingBytes?: number | undefined;
  /** Not the file's fault; in words, since an error may hold what can't be sent. */
  readonly failure?: string | undefined;
}

const ROW_NUMBERS = 7;
const [CHUNK, FILE, FAILURE] = [0, 1, 2];
const KINDS = ['data', 'alloc', 'hole'] as const;
const ID_BYTES = 32;
/** Sent when there is so much, and no more is to come soon; so that the main thread has work early. */
const WORTH_SENDING_BYTES = 2 ** 20;
/** Sent in any case when there is so much: nearly all of the ring. */
const FULL_COST_BYTES = 8 * 2 ** 20;
const FULL_ROWS = 512;

/** Gathers rows until they are worth a message. */
export class ResultWriter {
  #rows: number[] = [];
  #large: Uint8Array<ArrayBuffer>[] = [];
  /** Grows to what the largest message takes, and is used again. */
  #stats = new BigInt64Array(64 * STAT_WORDS);
  #statCount = 0;
  #extras: Extra[] = [];
  #costBytes = 0;

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  get isWorthSending(): boolean {
    return this.#costBytes >= WORTH_SENDING_BYTES;
  }

  get isFull(): boolean {
    return this.#costBytes >= FULL_COST_BYTES || this.#rows.length >= FULL_ROWS * ROW_NUMBERS;
  }

  /** Places taken in the ring since the last message, also those that nothing became of. */
  addCost(costBytes: number): void {
    this.#costBytes += costBytes;
  }

  addChunk(job: number, chunk: PipelineChunk, place: RingPlace): void {
    const large = place.large === undefined ? -1 : this.#large.push(place.large) - 1;
    const sealedSize = chunk.sealed?.length ?? -1;
    const kind = KINDS.indexOf(chunk.kind);
    this.#rows.push(CHUNK, job, chunk.sizeBytes, kind, place.offset, sealedSize, large);
  }

  addFile(job: number, result: FileResult): void {
    const stat = this.#addStat(result.stat);
    const same = result.statAfter !== undefined && result.stat !== undefined && sameTimes(result);
    const statAfter = same ? stat : this.#addStat(result.statAfter);
    const { xattrs, xattrWarnings, acls, error, missingBytes } = result;
    let extra = -1;
    if (xattrs ?? xattrWarnings ?? acls ?? error ?? missingBytes) {
      extra = this.#extras.push({ xattrs, xattrWarnings, acls, missingBytes, ...encodeError(error) }) - 1;
    }
    this.#rows.push(FILE, job, result.sizeBytes, result.flags, stat, statAfter, extra);
  }

  addFailure(job: number, failure: string): void {
    this.#rows.push(FAILURE, job, 0, 0, 0, 0, this.#extras.push({ failure }) - 1);
  }

  /** The message with all that was added, and what to transfer with it; the writer is empty then. */
  take(): { message: ResultMessage; transfer: ArrayBuffer[] } {
    const message = {
      rows: new Float64Array(this.#rows),
      large: this.#large,
      stats: this.#stats.slice(0, this.#statCount * STAT_WORDS),
      extras: this.#extras,
      costBytes: this.#costBytes,
    };
    const transfer = [message.rows.buffer, message.stats.buffer];
    for (const bytes of this.#large) transfer.push(bytes.buffer);
    this.#rows = [];
    this.#large = [];
    this.#statCount = 0;
    this.#extras = [];
    this.#costBytes = 0;
    return { message, transfer };
  }

  #addStat(stat: FileResult['stat']): number {
    if (stat === undefined) return -1;
    if ((this.#statCount + 1) * STAT_WORDS > this.#stats.length) {
      const larger = new BigInt64Array(this.#stats.length * 2);
      larger.set(this.#stats);
      this.#stats = larger;
    }
    encodeStat(stat, this.#stats, this.#statCount);
    return this.#statCount++;
  }
}

/** The rows of a message, one after the other. There are many: nothing is made of one but what is asked for. */
export class ResultRows {
  readonly #message: ResultMessage;
  readonly #ring: Uint8Array;
  /** Of the chunks: they are kept for long, the ring is not. */
  readonly #ids: Uint8Array;
  #usedIdBytes = 0;
  /** Where the row begins. */
  #at = -ROW_NUMBERS;

  constructor(message: ResultMessage, ring: Uint8Array) {
    this.#message = message;
    this.#ring = ring;
    this.#ids = new Uint8Array(countChunks(message.rows) * ID_BYTES);
  }

  /** Goes to the next row, the first one at first; false where there is none. */
  next(): boolean {
    this.#at += ROW_NUMBERS;
    return this.#at < this.#message.rows.length;
  }

  get type(): 'chunk' | 'file' | 'failure' {
    const type = this.#column(0);
    return type === CHUNK ? 'chunk' : type === FILE ? 'file' : 'failure';
  }

  get job(): number {
    return this.#column(1);
  }

  /** To be called once, where the row is a chunk. */
  takeChunk(): PipelineChunk {
    const sizeBytes = this.#column(2);
    const kind = KINDS[this.#column(3)] ?? 'data';
    const offset = this.#column(4);
    const sealedSize = this.#column(5);
    const inRing = offset >= 0;
    const bytes = inRing ? this.#ring : this.#message.large[this.#column(6)]!;
    const start = inRing ? offset : 0;
    const id = this.#takeId(bytes, start);
    if (sealedSize < 0) return { id, sizeBytes, kind };
    // Memory of its own may be larger: how much is needed was not known when it was taken.
    return { id, sizeBytes, kind, sealed: bytes.subarray(start + ID_BYTES, start + ID_BYTES + sealedSize) };
  }

  /** Where the row is a file. */
  result(): FileResult {
    const { stats, extras } = this.#message;
    const result: { -readonly [Key in keyof FileResult]: FileResult[Key] } = {
      sizeBytes: this.#column(2),
      flags: this.#column(3),
    };
    const stat = this.#column(4);
    const statAfter = this.#column(5);
    if (stat >= 0) result.stat = decodeStat(stats, stat);
    if (statAfter >= 0) {
      result.statAfter = statAfter === stat ? result.stat! : decodeStat(stats, statAfter);
    }
    const extra = extras[this.#column(6)];
    if (extra !== undefined) addExtra(result, extra);
    return result;
  }

  /** Where the row is a failure. */
  get reason(): string {
    return this.#message.extras[this.#column(6)]!.failure ?? '';
  }

  #column(number: number): number {
    return this.#message.rows[this.#at + number]!;
  }

  #takeId(bytes: Uint8Array, start: number): Uint8Array {
    const at = this.#usedIdBytes;
    this.#usedIdBytes += ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) this.#ids[at + i] = bytes[start + i]!;
    return this.#ids.subarray(at, at + ID_BYTES);
  }
}

function countChunks(rows: Float64Array): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += ROW_NUMBERS) if (rows[at] === CHUNK) count += 1;
  return count;
}

function addExtra(result: { -readonly [Key in keyof FileResult]: FileResult[Key] }, extra: Extra): void {
  const { xattrs, xattrWarnings, acls, missingBytes } = extra;
  if (xattrs) result.xattrs = xattrs;
  if (xattrWarnings) result.xattrWarnings = xattrWarnings;
  if (acls) result.acls = acls;
  if (missingBytes !== undefined) result.missingBytes = missingBytes;
  const error = decodeError(extra);
  if (error) result.error = error;
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

function decodeError(extra: Extra): FileError | undefined {
  if (extra.race !== undefined) return { kind: 'race', what: extra.race };
  if (extra.os === undefined) return undefined;
  const { operation, errno, syscall, path } = extra.os;
  return { kind: 'os', operation, cause: new OsError(errno, syscall, path) };
}
