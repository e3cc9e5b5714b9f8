/**
 * What is known of the regular files of earlier backups, so that unchanged ones need not be read: keyed hash of the
 * absolute path → size, inode, ctime or mtime, and chunk ids.
 *
 * The file is a sequence of msgpack arrays, without a header:
 * | value               | encoding                                                                        |
 * |---------------------|---------------------------------------------------------------------------------|
 * | path hash           | raw, 32 bytes: id hash of the absolute path                                      |
 * | [                   | array of 5                                                                      |
 * |   age               | int: backups since the file was last seen                                       |
 * |   inode             | int                                                                             |
 * |   size              | int, bytes                                                                      |
 * |   cmtime            | int, ns since 1970 (ctime or mtime, by the mode); raw little-endian beyond 2^63 |
 * |   chunk ids ]       | array of raw, 32 bytes each                                                     |
 *
 * Entries stay packed in memory, as in the file; a table holds their places: some 110 bytes a small file.
 *
 * Source: Borg 1.4.5, cache.py, LocalCache._read_files, commit, file_known_and_unchanged, memorize_file.
 */
import { encode } from '../../msgpack/encode.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import { EntryPlaces, PATH_HASH_BYTES } from './entry-places.ts';
import { IncompleteMsgpack, MsgpackCursor } from './msgpack-cursor.ts';
import { PieceWriter } from './piece-writer.ts';

/** Letters as in Borg: c(time), m(time), s(ize), i(node), r(echunk), d(isabled); e.g. `cis`. */
export type FilesCacheMode = string;

export const FILES_CACHE_DISABLED: FilesCacheMode = 'd';

/** What the files cache looks at in a file's stat. */
export interface FilesCacheStat {
  readonly ino: bigint;
  readonly sizeBytes: number;
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
}

/** `ids` is there only where the file is unchanged; the arrays are views that must not be written to. */
export interface FilesCacheAnswer {
  readonly known: boolean;
  readonly ids?: readonly Uint8Array[];
}

interface Entry {
  inode: bigint;
  sizeBytes: bigint;
  cmtimeNs: bigint;
  ids: Uint8Array[];
}

const MAX_NS = 2n ** 63n - 1n;
/** Two days before the end of a signed 32-bit time_t: Borg's limit, kept so that the entries of both agree. */
const MAX_STORED_NS = (2n ** 31n - 1n - 48n * 3600n) * 1_000_000_000n;
const NS_PER_S = 1_000_000_000n;
/** Linux takes a file's time from a clock that goes on up to 100 times a second. */
const FINE_GRANULARITY_NS = 10_000_000n;
/** File systems that keep whole seconds, or two. */
const COARSE_GRANULARITY_NS = 2_000_000_000n;
const NEW_BLOCK_BYTES = 1 << 20;
/** Offsets within a block are uint32. */
const MAX_BLOCK_BYTES = 1 << 30;
/** The files cache of a large tree has a million. */
const SAMPLED_ENTRIES = 1000;
/** With a path hash, and without chunk ids. */
const MIN_ENTRY_BYTES = 40;
const CHUNK_ID_BYTES = 32;
/** Few different ones are written, each many times. */
const packedAges: Uint8Array[] = [];
const UNKNOWN: FilesCacheAnswer = { known: false };
const CHANGED: FilesCacheAnswer = { known: true };

export class FilesCache {
  readonly mode: FilesCacheMode;
  readonly #looksAt: { readonly [what in 'size' | 'inode' | 'ctime' | 'mtime']: boolean };
  readonly #findsNothing: boolean;
  readonly #blocks: Uint8Array[] = [];
  #places = new EntryPlaces(this.#blocks);
  readonly #cursors: MsgpackCursor[] = [];
  /** Bytes used of each block. */
  readonly #used: number[] = [];
  /** Blocks below this number were loaded from the file. */
  #loadedBlocks = 0;
  #newestCmtimeNs: bigint | undefined;

  constructor(mode: FilesCacheMode) {
    this.mode = mode;
    this.#findsNothing = mode.includes('d') || mode.includes('r');
    this.#looksAt = {
      size: mode.includes('s'),
      inode: mode.includes('i'),
      ctime: mode.includes('c'),
      mtime: mode.includes('m') && !mode.includes('c'),
    };
  }

  /**
   * Takes over the bytes of the file; they must not change afterwards.
   *
   * @throws MsgpackError where they are not a files cache
   */
  static decode(bytes: Uint8Array, mode: FilesCacheMode): FilesCache {
    const cache = new FilesCache(mode);
    cache.#load(bytes);
    return cache;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Whether the file is known, and its chunk ids if it is unchanged as far as the mode looks. */
  lookup(pathHash: Uint8Array, stat: FilesCacheStat): FilesCacheAnswer {
    if (this.#findsNothing) return UNKNOWN;
    const slot = this.#places.find(pathHash);
    if (slot < 0) return UNKNOWN;
    const entry = this.#entryAt(slot);
    const { size, inode, ctime, mtime } = this.#looksAt;
    if (size && entry.sizeBytes !== BigInt(stat.sizeBytes)) return CHANGED;
    if (inode && entry.inode !== stat.ino) return CHANGED;
    if (ctime && entry.cmtimeNs !== stat.ctimeNs) return CHANGED;
    if (mtime && entry.cmtimeNs !== stat.mtimeNs) return CHANGED;
    if (entry.inode === stat.ino) {
      this.#places.setSeen(slot);
    } else {
      // The mode ignores the inode: remember today's, so that a stricter mode finds the file unchanged next time.
      this.#put(pathHash, { ...entry, inode: stat.ino });
    }
    return { known: true, ids: entry.ids };
  }

  /**
   * Remembers a file that was read, with the stat from before it was read. Not so a file that had only just changed
   * at `readNs`, when it was about to be read: another change may have followed, and left the time as it is.
   */
  memorize(
    pathHash: Uint8Array,
    stat: FilesCacheStat,
    ids: readonly Uint8Array[],
    readNs: bigint | undefined,
  ): void {
    if (this.mode.includes('d')) return;
    const cmtimeNs = clampNs(this.#looksAt.mtime ? stat.mtimeNs : stat.ctimeNs);
    if (readNs !== undefined && isWithinGranularity(cmtimeNs, readNs)) return;
    this.#put(pathHash, {
      inode: stat.ino,
      sizeBytes: BigInt(stat.sizeBytes),
      cmtimeNs,
      ids: ids as Uint8Array[],
    });
    if (this.#newestCmtimeNs === undefined || cmtimeNs > this.#newestCmtimeNs) {
      this.#newestCmtimeNs = cmtimeNs;
    }
  }

  /** Remembers other contents of a file that lookup() found unchanged: it was read nevertheless. */
  replaceIds(pathHash: Uint8Array, ids: readonly Uint8Array[]): void {
    const slot = this.#places.find(pathHash);
    if (slot < 0) return;
    // Its time is not that of a change in this backup: the newest of these stays as it is.
    this.#put(pathHash, { ...this.#entryAt(slot), ids: ids as Uint8Array[] });
  }

  /**
   * The file's bytes in pieces. Left out are files not seen for `ttl` backups, and of those seen now the ones with
   * the newest time: they may change again within the clock's granularity, unnoticed.
   */
  *encode(ttl: number): Generator<Uint8Array> {
    const newest = this.#newestCmtimeNs ?? MAX_NS;
    const piece = new PieceWriter();
    const places = this.#places;
    for (let block = 0; block < this.#blocks.length; block++) {
      const cursor = new MsgpackCursor(this.#blocks[block]!);
      const end = this.#used[block]!;
      while (cursor.offset < end) {
        const start = cursor.offset;
        const offset = passPathHash(cursor);
        cursor.arrayLength();
        const ageStart = cursor.offset;
        const age = Number(cursor.integer());
        const afterAge = cursor.offset;
        cursor.skip();
        cursor.skip();
        const cmtimeNs = readCmtime(cursor);
        cursor.skip();
        const slot = places.find(cursor.bytes, offset);
        if (places.blockOf(slot) !== block || places.offsetOf(slot) !== offset) continue;
        const newAge = places.isSeen(slot) ? 0 : block < this.#loadedBlocks ? age + 1 : age;
        const keep = newAge === 0 ? cmtimeNs < newest : newAge < ttl;
        if (!keep) continue;
        if (newAge === age) piece.add(cursor.bytes, start, cursor.offset);
        else {
          piece.add(cursor.bytes, start, ageStart);
          piece.add((packedAges[newAge] ??= encode(newAge)));
          piece.add(cursor.bytes, afterAge, cursor.offset);
        }
        if (piece.isFull) yield piece.take();
      }
    }
    yield piece.take();
  }

  #load(bytes: Uint8Array): void {
    const cursor = new MsgpackCursor(bytes);
    let blockStart = 0;
    if (bytes.length > 0) this.#startBlock(bytes);
    try {
      // A table that grows is put together again and again.
      this.#places = new EntryPlaces(this.#blocks, estimateEntries(bytes));
      while (!cursor.atEnd) {
        const start = cursor.offset;
        if (start - blockStart > MAX_BLOCK_BYTES) {
          this.#used[this.#blocks.length - 1] = start - blockStart;
          blockStart = start;
          this.#startBlock(bytes.subarray(start));
        }
        const offset = passPathHash(cursor);
        skipEntry(cursor);
        this.#places.set(this.#blocks.length - 1, offset - blockStart, false);
      }
    } catch (error) {
      if (error instanceof IncompleteMsgpack) throw new MsgpackError('ends within an entry');
      throw error;
    }
    if (bytes.length > 0) this.#used[this.#blocks.length - 1] = bytes.length - blockStart;
    this.#loadedBlocks = this.#blocks.length;
  }

  #startBlock(bytes: Uint8Array): void {
    this.#blocks.push(bytes);
    this.#used.push(0);
  }

  #put(pathHash: Uint8Array, entry: Entry): void {
    const packed = encode([pathHash, [0, entry.inode, entry.sizeBytes, entry.cmtimeNs, entry.ids]]);
    let block = this.#blocks.length - 1;
    const isNew = block >= this.#loadedBlocks;
    if (!isNew || this.#used[block]! + packed.length > this.#blocks[block]!.length) {
      this.#startBlock(new Uint8Array(Math.max(NEW_BLOCK_BYTES, packed.length)));
      block += 1;
    }
    const offset = this.#used[block]!;
    this.#blocks[block]!.set(packed, offset);
    this.#used[block] = offset + packed.length;
    this.#places.set(block, passPathHash(this.#cursorAt(block, offset)), true);
  }

  #entryAt(slot: number): Entry {
    const places = this.#places;
    return readEntry(this.#cursorAt(places.blockOf(slot), places.offsetOf(slot) + PATH_HASH_BYTES));
  }

  /** Good until the next call: making one takes longer than to read an entry. */
  #cursorAt(block: number, offset: number): MsgpackCursor {
    const cursor = (this.#cursors[block] ??= new MsgpackCursor(this.#blocks[block]!));
    cursor.offset = offset;
    return cursor;
  }
}

/** Passes over what an entry begins with, and tells where its path hash lies. */
function passPathHash(cursor: MsgpackCursor): number {
  if (cursor.arrayLength() !== 2) throw new MsgpackError('not a pair');
  if (cursor.rawLength() !== PATH_HASH_BYTES) throw new MsgpackError('path hash of wrong length');
  const { offset } = cursor;
  cursor.offset += PATH_HASH_BYTES;
  return offset;
}

/** What stands behind the path hash. */
function readEntry(cursor: MsgpackCursor): Entry {
  cursor.arrayLength();
  cursor.skip();
  const inode = cursor.integer();
  const sizeBytes = cursor.integer();
  const cmtimeNs = readCmtime(cursor);
  const ids: Uint8Array[] = [];
  for (let left = cursor.arrayLength(); left > 0; left--) ids.push(cursor.raw());
  return { inode, sizeBytes, cmtimeNs, ids };
}

/** How many entries there are about, going by the first ones. */
function estimateEntries(bytes: Uint8Array): number {
  const cursor = new MsgpackCursor(bytes);
  let count = 0;
  for (; count < SAMPLED_ENTRIES && !cursor.atEnd; count++) {
    cursor.arrayLength();
    cursor.skip();
    cursor.skip();
  }
  if (cursor.atEnd) return count;
  const estimate = Math.ceil((count * bytes.length) / cursor.offset);
  return Math.min(estimate, Math.ceil(bytes.length / MIN_ENTRY_BYTES));
}

/** Passes over an entry behind its path hash, checking the types. */
function skipEntry(cursor: MsgpackCursor): void {
  if (cursor.arrayLength() !== 5) throw new MsgpackError('entry of wrong length');
  cursor.skipInteger();
  cursor.skipInteger();
  cursor.skipInteger();
  if (isShortRaw(cursor)) cursor.skip();
  else cursor.skipInteger();
  for (let left = cursor.arrayLength(); left > 0; left--) {
    if (cursor.rawLength() !== CHUNK_ID_BYTES) throw new MsgpackError('chunk id of wrong length');
    cursor.offset += CHUNK_ID_BYTES;
  }
}

function isShortRaw(cursor: MsgpackCursor): boolean {
  cursor.need(1);
  const head = cursor.bytes[cursor.offset]!;
  return head >= 0xa0 && head <= 0xbf;
}

function readCmtime(cursor: MsgpackCursor): bigint {
  if (!isShortRaw(cursor)) return cursor.integer();
  let value = 0n;
  const bytes = cursor.raw();
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return BigInt.asIntN(8 * bytes.length, value);
}

/** Whether a change at `nowNs` might leave this time as it is. */
function isWithinGranularity(cmtimeNs: bigint, nowNs: bigint): boolean {
  const granularityNs = cmtimeNs % NS_PER_S === 0n ? COARSE_GRANULARITY_NS : FINE_GRANULARITY_NS;
  return cmtimeNs <= nowNs && nowNs - cmtimeNs <= granularityNs;
}

function clampNs(ns: bigint): bigint {
  if (ns < 0n) return 0n;
  return ns > MAX_STORED_NS ? MAX_STORED_NS : ns;
}
