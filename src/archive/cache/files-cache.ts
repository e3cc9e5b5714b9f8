/**
 * What is known of the regular files of earlier backups, so that unchanged ones need not be read: keyed hash of the
 * absolute path → size, inode, ctime or mtime, and chunk ids.
 *
 * The file is a sequence of entries (packed-entry.ts), without a header. They stay packed in memory, in their order. Most
 * are asked for in that order, too; a table of their places is made when one is asked for out of turn.
 *
 * Source: Borg 1.4.5, cache.py, LocalCache._read_files, commit, file_known_and_unchanged, memorize_file.
 */
import { encode } from '../../msgpack/encode.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import { EntryBlock, REPLACED, SEEN } from './entry-block.ts';
import { EntryPlaces } from './entry-places.ts';
import { IncompleteMsgpack, MsgpackCursor } from './msgpack-cursor.ts';
import { type Entry, hasPathHash, packEntry, passEntry, readAge, readEntry } from './packed-entry.ts';
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

/** Where an entry is. */
interface Place {
  readonly block: EntryBlock;
  readonly start: number;
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
/** Few different ones are written, each many times. */
const packedAges: Uint8Array[] = [];
const UNKNOWN: FilesCacheAnswer = { known: false };
const CHANGED: FilesCacheAnswer = { known: true };

export class FilesCache {
  readonly mode: FilesCacheMode;
  readonly #looksAt: { readonly [what in 'size' | 'inode' | 'ctime' | 'mtime']: boolean };
  readonly #findsNothing: boolean;
  readonly #blocks: EntryBlock[] = [];
  /** Entries in the blocks, replaced ones and all. */
  #entries = 0;
  #places: EntryPlaces | undefined;
  /** The entry behind the one that was found last, where there is one. */
  #next: Place | undefined;
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
    return this.#table().size;
  }

  /** Whether the file is known, and its chunk ids if it is unchanged as far as the mode looks. */
  lookup(pathHash: Uint8Array, stat: FilesCacheStat): FilesCacheAnswer {
    if (this.#findsNothing) return UNKNOWN;
    const place = this.#find(pathHash);
    if (place === undefined) return UNKNOWN;
    const entry = this.#read(place);
    const { size, inode, ctime, mtime } = this.#looksAt;
    if (size && entry.sizeBytes !== BigInt(stat.sizeBytes)) return CHANGED;
    if (inode && entry.inode !== stat.ino) return CHANGED;
    if (ctime && entry.cmtimeNs !== stat.ctimeNs) return CHANGED;
    if (mtime && entry.cmtimeNs !== stat.mtimeNs) return CHANGED;
    if (entry.inode === stat.ino) {
      place.block.mark(place.start, SEEN);
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
    const place = this.#find(pathHash);
    if (place === undefined) return;
    // Its time is not that of a change in this backup: the newest of these stays as it is.
    this.#put(pathHash, { ...this.#read(place), ids: ids as Uint8Array[] });
  }

  /**
   * The file's bytes in pieces. Left out are files not seen for `ttl` backups, and of those seen now the ones with
   * the newest time: they may change again within the clock's granularity, unnoticed.
   */
  *encode(ttl: number): Generator<Uint8Array> {
    const newest = this.#newestCmtimeNs ?? MAX_NS;
    const piece = new PieceWriter();
    for (const block of this.#blocks) {
      // Not the block's own: between two pieces others may use that.
      const cursor = new MsgpackCursor(block.bytes);
      while (cursor.offset < block.usedBytes) {
        const start = cursor.offset;
        const { age, ageStart, ageEnd, cmtimeNs } = readAge(cursor);
        const mark = block.markOf(start);
        if (mark === REPLACED) continue;
        const newAge = mark === SEEN ? 0 : age + 1;
        const keep = newAge === 0 ? cmtimeNs < newest : newAge < ttl;
        if (!keep) continue;
        if (newAge === age) piece.add(cursor.bytes, start, cursor.offset);
        else {
          piece.add(cursor.bytes, start, ageStart);
          piece.add((packedAges[newAge] ??= encode(newAge)));
          piece.add(cursor.bytes, ageEnd, cursor.offset);
        }
        if (piece.isFull) yield piece.take();
      }
    }
    yield piece.take();
  }

  #load(bytes: Uint8Array): void {
    const cursor = new MsgpackCursor(bytes);
    let blockStart = 0;
    try {
      while (!cursor.atEnd) {
        if (cursor.offset - blockStart > MAX_BLOCK_BYTES) {
          this.#addLoaded(bytes.subarray(blockStart, cursor.offset));
          blockStart = cursor.offset;
        }
        passEntry(cursor);
        this.#entries += 1;
      }
    } catch (error) {
      if (error instanceof IncompleteMsgpack) throw new MsgpackError('ends within an entry');
      throw error;
    }
    if (bytes.length > 0) this.#addLoaded(bytes.subarray(blockStart));
    this.#next = this.#placeAt(0, 0);
  }

  #addLoaded(bytes: Uint8Array): void {
    this.#blocks.push(new EntryBlock(bytes, bytes.length));
  }

  #put(pathHash: Uint8Array, entry: Entry): void {
    const packed = packEntry(pathHash, entry);
    const old = this.#find(pathHash);
    old?.block.mark(old.start, REPLACED);
    let block = this.#blocks.at(-1);
    if (block?.hasRoomFor(packed.length) !== true) {
      block = new EntryBlock(new Uint8Array(Math.max(NEW_BLOCK_BYTES, packed.length)), 0);
      this.#blocks.push(block);
    }
    const start = block.add(packed);
    block.mark(start, SEEN);
    this.#entries += 1;
    this.#places?.set(this.#blocks.length - 1, start);
  }

  #find(pathHash: Uint8Array): Place | undefined {
    const next = this.#next;
    if (next !== undefined && hasPathHash(next.block.bytes, next.start, pathHash)) {
      if (next.block.markOf(next.start) !== REPLACED) return next;
    }
    const places = this.#table();
    const slot = places.find(pathHash);
    return slot < 0 ? undefined : this.#placeAt(places.blockOf(slot), places.startOf(slot));
  }

  /** The entry there; the next one is expected to be asked for next. */
  #read({ block, start }: Place): Entry {
    const entry = readEntry(block.at(start));
    const end = block.cursor.offset;
    this.#next = end < block.usedBytes ? { block, start: end } : undefined;
    return entry;
  }

  #placeAt(blockNumber: number, start: number): Place | undefined {
    const block = this.#blocks[blockNumber];
    return block && { block, start };
  }

  #table(): EntryPlaces {
    this.#places ??= this.#makeTable();
    return this.#places;
  }

  #makeTable(): EntryPlaces {
    const places = new EntryPlaces(this.#blocks, this.#entries);
    for (const [number, block] of this.#blocks.entries()) {
      for (const cursor = block.at(0); cursor.offset < block.usedBytes;) {
        const start = cursor.offset;
        passEntry(cursor);
        // What was replaced lies before what it was replaced by.
        places.set(number, start);
      }
    }
    return places;
  }
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
