/**
 * What a walk in another thread tells its visitor, on its way to the main thread: a batch of events at a time, packed,
 * with the descriptors of files that it has opened.
 *
 * An event is a row of numbers; paths lie one behind the other in `bytes`, stats in `stats`.
 *
 * | column | meaning |
 * |---|---|
 * | 0 | kind: directory, end of a directory, object, status, failed |
 * | 1 | bits: 1 a stat, 2 attributes |
 * | 2 | size of the path |
 * | 3 | descriptor, -1: none |
 * | 4 | of a status: the letter's code |
 * | 5 | number of extra, -1: none |
 */
import type { FileStat } from '../../platform/file-stat.ts';
import { closeFile } from '../../platform/open-file.ts';
import { decodeStat, encodeStat, fitsWords, STAT_WORDS } from '../../pipeline/stat-words.ts';
import {
  BackupError,
  type BackupErrorRecord,
  decodeBackupError,
  encodeBackupError,
} from '../backup-error.ts';
import type { Attributes } from './attributes.ts';
import type { InspectedObject } from './inspector.ts';
import type { WalkVisitor } from './tree-walk.ts';

export interface WalkEvents {
  readonly rows: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly stats: BigInt64Array<ArrayBuffer>;
  readonly extras: readonly Extra[];
  /** The walk is over. */
  readonly last: boolean;
}

/** What few things have. */
interface Extra {
  /** Where it is none of words. */
  readonly stat?: FileStat | undefined;
  readonly linkTarget?: Uint8Array | undefined;
  readonly attributes?: Attributes | undefined;
  readonly error?: BackupErrorRecord | undefined;
}

const [DIRECTORY, DIRECTORY_END, OBJECT, STATUS, FAILED] = [0, 1, 2, 3, 4];
const [STAT, ATTRIBUTES] = [1, 2];
const ROW_NUMBERS = 6;
const FD_COLUMN = 3;
/** Sent when there are so many: not more, for each may hold a descriptor. */
const MAX_EVENTS = 128;
/** Or so much. */
const MAX_BYTES = 64 * 1024;
/** Or when so much time has passed: whoever watches sees what a slow disk takes its time for. */
const MAX_AGE_MS = 2;
const NO_ATTRIBUTES: Attributes = { flags: 0 };

/** Gathers events until they are worth a message. */
export class WalkEventWriter implements WalkVisitor {
  #rows = new Int32Array(MAX_EVENTS * ROW_NUMBERS);
  #bytes = new Uint8Array(MAX_BYTES);
  #stats = new BigInt64Array(MAX_EVENTS * STAT_WORDS);
  #extras: Extra[] = [];
  #events = 0;
  #usedBytes = 0;
  #usedStats = 0;
  #extraBytes = 0;
  #firstMs = 0;

  /** To be asked after each step of the walk, which takes up to three events. */
  get isDue(): boolean {
    if (this.#events === 0) return false;
    if (this.#events > MAX_EVENTS - 4 || this.#usedBytes + this.#extraBytes > MAX_BYTES / 2) return true;
    return performance.now() - this.#firstMs > MAX_AGE_MS;
  }

  directory(path: Uint8Array, stat: FileStat, attributes: Attributes): void {
    this.#add(DIRECTORY, { path, stat, attributes });
  }

  directoryEnd(path: Uint8Array): void {
    this.#add(DIRECTORY_END, { path });
  }

  object(found: InspectedObject): void {
    this.#add(OBJECT, found);
  }

  status(letter: string, path: Uint8Array): void {
    this.#add(STATUS, { path }, letter.charCodeAt(0));
  }

  failed(path: Uint8Array, error: BackupError): void {
    this.#add(FAILED, { path, attributes: error });
  }

  /** The message with all that was gathered, and what to transfer with it; the writer is empty then. */
  take(last: boolean): { message: WalkEvents; transfer: ArrayBuffer[] } {
    const message: WalkEvents = {
      rows: this.#rows.slice(0, this.#events * ROW_NUMBERS),
      bytes: this.#bytes.slice(0, this.#usedBytes),
      stats: this.#stats.slice(0, this.#usedStats * STAT_WORDS),
      extras: this.#extras,
      last,
    };
    this.#extras = [];
    this.#events = this.#usedBytes = this.#usedStats = this.#extraBytes = 0;
    return { message, transfer: [message.rows.buffer, message.bytes.buffer, message.stats.buffer] };
  }

  #add(kind: number, found: Partial<InspectedObject> & Pick<InspectedObject, 'path'>, letter = 0): void {
    const { path, stat, fd = -1, attributes } = found;
    if (this.#events === 0) this.#firstMs = performance.now();
    let bits = 0;
    const isLarge = stat !== undefined && !fitsWords(stat);
    if (stat !== undefined && !isLarge) {
      bits |= STAT;
      encodeStat(stat, this.#stats, this.#usedStats++);
    }
    if (attributes !== undefined) bits |= ATTRIBUTES;
    this.#put(path);
    const rows = this.#rows;
    const at = this.#events++ * ROW_NUMBERS;
    rows[at] = kind;
    rows[at + 1] = bits;
    rows[at + 2] = path.length;
    rows[at + FD_COLUMN] = fd;
    rows[at + 4] = letter;
    rows[at + 5] = this.#extra(found, isLarge);
  }

  #put(bytes: Uint8Array): void {
    const end = this.#usedBytes + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#usedBytes);
    this.#usedBytes = end;
  }

  #extra({ stat, linkTarget, attributes }: Partial<InspectedObject>, isLarge: boolean): number {
    if (attributes instanceof BackupError) {
      const error = encodeBackupError(attributes);
      return this.#extras.push({ error, stat: isLarge ? stat : undefined }) - 1;
    }
    const isPlain = attributes === undefined || hasNone(attributes);
    if (isPlain && linkTarget === undefined && !isLarge) return -1;
    for (const value of attributes?.xattrs?.values() ?? []) this.#extraBytes += value?.length ?? 0;
    const extra = {
      linkTarget,
      attributes: isPlain ? undefined : attributes,
      stat: isLarge ? stat : undefined,
    };
    return this.#extras.push(extra) - 1;
  }
}

function hasNone({ flags, xattrs, xattrWarnings, acls }: Attributes): boolean {
  return flags === 0 && xattrs === undefined && xattrWarnings === undefined && acls === undefined;
}

/** Tells the visitor all of it, in order. Each descriptor is the visitor's from then on; what it throws leaves the rest. */
export function tellEvents(events: WalkEvents, visitor: WalkVisitor): void {
  const { rows, stats, extras } = events;
  const { paths, opened } = pathsOf(events);
  const pathHashes = opened.length > 0 ? visitor.pathHashes?.(opened) : undefined;
  let usedPaths = 0;
  let usedHashes = 0;
  let usedStats = 0;
  for (let at = 0; at < rows.length; at += ROW_NUMBERS) {
    const kind = rows[at]!;
    const bits = rows[at + 1]!;
    const fd = rows[at + FD_COLUMN]!;
    const path = paths[usedPaths++]!;
    const pathHash = fd >= 0 ? pathHashes?.[usedHashes++] : undefined;
    const extra = extras[rows[at + 5]!];
    const stat = bits & STAT ? decodeStat(stats, usedStats++) : extra?.stat;
    const error = extra?.error && decodeBackupError(extra.error);
    const attributes = bits & ATTRIBUTES ? (error ?? extra?.attributes ?? NO_ATTRIBUTES) : undefined;
    if (kind === OBJECT) {
      rows[at + FD_COLUMN] = -1;
      const linkTarget = extra?.linkTarget;
      visitor.object({ path, stat: stat!, fd: fd < 0 ? undefined : fd, linkTarget, attributes, pathHash });
    } else if (kind === DIRECTORY) visitor.directory(path, stat!, attributes as Attributes);
    else if (kind === DIRECTORY_END) visitor.directoryEnd(path);
    else if (kind === STATUS) visitor.status(String.fromCharCode(rows[at + 4]!), path);
    else visitor.failed(path, error!);
  }
}

/** All paths, and those of what is open. */
function pathsOf({ rows, bytes }: WalkEvents): { paths: Uint8Array[]; opened: Uint8Array[] } {
  const paths: Uint8Array[] = [];
  const opened: Uint8Array[] = [];
  let usedBytes = 0;
  for (let at = 0; at < rows.length; at += ROW_NUMBERS) {
    const path = bytes.subarray(usedBytes, (usedBytes += rows[at + 2]!));
    paths.push(path);
    if (rows[at + FD_COLUMN]! >= 0) opened.push(path);
  }
  return { paths, opened };
}

/** Closes what nobody was told of. */
export function closeDescriptors({ rows }: WalkEvents): void {
  for (let at = FD_COLUMN; at < rows.length; at += ROW_NUMBERS) {
    const fd = rows[at]!;
    rows[at] = -1;
    if (fd >= 0) closeFile(fd);
  }
}
